"""Evidence -> a short digest, for questions that ask what happened rather than for one fact.

The sentences that say most of what the others say (centroid similarity, as in Radev et al. 2004, "Centroid-based
summarization of multiple documents"), none of them twice, in the order of date and text.
"""

import re
from collections.abc import Sequence

import numpy as np

from index.sentences import is_statement
from rag.quotes import Quote, agree
from rag.reader import ReadSentence

SENTENCES = 4
CENTRAL = 0.5  # share of centrality beside the likeness to the question
EARLY = 0.3  # for the first sentence of an article, falling: news says the most important first

_ASKS = re.compile(
    r"\s*(?:please\s+)?(?:what (?:happened|is known|do we know|has happened|was said)\b|summar|list\b|outline\b|"
    r"describe\b|recap|timeline|overview|tell me (?:about|what)|give (?:me )?(?:an? )?(?:short )?(?:overview|summary))",
    re.IGNORECASE,
)
_ANYWHERE = re.compile(r"\b(?:give an overview|in summary|summarise|summarize)\b", re.IGNORECASE)


def asks_for_digest(question: str) -> bool:
    """ "What happened on …", "Summarise …", "List …", "Give an overview of …"."""
    return bool(_ASKS.match(question) or _ANYWHERE.search(question))


def digest(evidence: Sequence[ReadSentence]) -> list[Quote]:
    """Up to SENTENCES quotes in the order of date and place; none when no statement fits the dates asked for."""
    whole = [item for item in evidence if is_statement(item.sentence.text) and item.dated]
    if not whole:
        return []
    vectors = np.stack([item.vector for item in whole])
    central = vectors @ vectors.mean(0)
    early = [EARLY / item.sentence.number for item in whole]
    order = np.argsort([-item.similarity - CENTRAL * central[n] - early[n] for n, item in enumerate(whole)])
    chosen: list[list[ReadSentence]] = []
    for item in (whole[place] for place in order):
        same = next((quote for quote in chosen if agree(quote[0], item)), None)
        if same is None and len(chosen) < SENTENCES:
            chosen.append([item])
        elif same is not None and all(item.source.file != other.source.file for other in same):
            same.append(item)
    return sorted((Quote(tuple(items)) for items in chosen), key=_place)


def _place(quote: Quote) -> tuple[str, str, int]:
    first = quote.evidence[0]
    return first.source.metadata.date or "9999", first.source.file, first.sentence.number
