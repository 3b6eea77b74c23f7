"""Conversation -> standalone question: a follow-up is joined with the question that it refers to.

Without a model nothing is rewritten word by word. A question that cannot stand alone is searched together with
the question before it, so that "Who initiated it?" finds the call that was asked about.
"""

import re
from collections.abc import Sequence

from index.search import content_words
from rag.types import Turn

# Words that point back. "it" in "it is" of a long question may be impersonal, hence the limit below.
_POINTING = re.compile(
    r"\b(?:it|its|they|them|their|theirs|he|him|his|she|her|hers|this|that|these|those|there|then|one|ones|both|"
    r"neither|either|same|else|latter|former|"
    r"the (?:call|talks?|conversation|meeting|summit|statement|two|first|second))\b",
    re.IGNORECASE,
)
_OPENING = re.compile(
    r"(?:and|but|or|so|what about|how about|what else|why not|really|since when|by whom)\b", re.IGNORECASE
)
FEW_WORDS = 6  # content words; a longer question names what it is about even where it says "it"


def standalone(question: str, history: Sequence[Turn]) -> str:
    """The text to search and rank for a question, given the earlier turns (earliest first)."""
    if not history or not refers_back(question):
        return question
    return f"{standalone(history[-1].question, history[:-1])} {question}"


def refers_back(question: str) -> bool:
    """Whether a question leans on an earlier one: it opens like a continuation, points back, or is a fragment."""
    words = content_words(question)
    if _OPENING.match(question.strip()) or len(words) <= 1:
        return True
    return bool(_POINTING.search(question)) and len(words) <= FEW_WORDS
