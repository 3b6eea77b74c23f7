"""Conversation -> what to search and what to read, for a question that leans on the ones before.

Without a model nothing is rewritten word by word. A follow-up is searched together with the question before it, so
that "Who initiated it?" finds the call that was asked about; and it is read together with the answer before it,
which says what "it", "he" or "there" stands for, so that it is not the old question that gets answered again.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from index.dates import named_dates, without_dates
from index.search import content_words
from rag.types import NOT_IN_ARTICLES, Turn

_POINTING = re.compile(
    r"\b(?:it|its|they|them|their|theirs|he|him|his|she|her|hers|this|that|these|those|there|then|one|ones|both|"
    r"neither|either|same|else|latter|former|"
    r"the (?:call|talks?|conversation|meeting|summit|statement|two|first|second))\b",
    re.IGNORECASE,
)
_OPENING = re.compile(
    r"(?:and|but|or|so|what about|how about|what else|why not|really|since when|by whom)\b[\s,]*", re.IGNORECASE
)
_ASKING = re.compile(
    r"\b(?:who|whom|whose|what|which|when|where|why|how|did|does|do|is|are|was|were|has|have|will|would)\b", re.I
)
_MARKS = re.compile(r"\s*\[\d+\]")
FEW_WORDS = 6  # content words; a longer question names what it is about even where it says "it"
ANSWER_LENGTH = 160  # characters of the answer before that are read along: the reader takes 40 tokens in all


@dataclass(frozen=True)
class Resolved:
    """A question that can stand alone: the text to search with, and the text to read passages with."""

    search: str
    read: str


def resolve(question: str, history: Sequence[Turn]) -> Resolved:
    """A question in its conversation (earliest turn first). One that stands alone is left as it is."""
    if not history or not refers_back(question):
        return Resolved(question, question)
    earlier = _topic(history)
    if named_dates(question):  # "And on 3 March?" asks the same of another day
        earlier = without_dates(earlier)
    search = f"{question} {earlier}"  # the new question first: what is too long is cut at the end
    answer = history[-1].answer
    if _is_fragment(question) or answer in ("", NOT_IN_ARTICLES):
        return Resolved(search, search)
    said = _MARKS.sub("", answer.partition("\n")[0])[:ANSWER_LENGTH]
    return Resolved(search, f"{question} ({said})")


def _topic(history: Sequence[Turn]) -> str:
    """The last question that stood alone: what the follow-ups since then are about."""
    questions = [turn.question for turn in reversed(history)]
    return next((question for question in questions if not refers_back(question)), questions[-1])


def refers_back(question: str) -> bool:
    """Whether a question leans on an earlier one: it opens like a continuation, points back, or is a fragment."""
    words = content_words(question)
    if _OPENING.match(question.strip()) or len(words) <= 1:
        return True
    return bool(_POINTING.search(question)) and len(words) <= FEW_WORDS


def _is_fragment(question: str) -> bool:
    """ "And injured?", "What about Zelensky?": asks nothing of its own, only names another thing to ask about."""
    opening = _OPENING.match(question.strip())
    return opening is not None and not _ASKING.search(question.strip()[opening.end() :])
