"""Yes/no questions: which part of a sentence says yes or no, word by word; None where that is not plain.

Only the question's own words in its own order count, with little between them: "Putin called Macron" does not say
that Macron called Putin. To say nothing is always allowed.
"""

import re
from dataclasses import dataclass

from index.dates import without_dates
from index.search import content_words

_ASKS = re.compile(r"\s*(?:did|do|does|is|are|was|were|has|have|had|will)\b", re.IGNORECASE)
_NEGATION = re.compile(r"\b(?:not|never|no longer|cannot)\b|n[’']t\b", re.IGNORECASE)
# What leaves open whether it is so.
_OPEN = re.compile(
    r"\b(?:if|whether|unless|until|may|might|could|would|should|only|part(?:ly|ially)|nearly|almost|hardly|barely|no|"
    r"neither|nor|nobody|none|without|refus\w+|fail\w*|den(?:y|ied|ies)|plan\w*|expect\w*|hop(?:e|es|ed|ing)|want\w*|"
    r"threat\w*|allege\w*|rumou?r\w*|false\w*|myth|about to|before|first|likely|possibl[ye]|perhaps|to be)\b|\?",
    re.IGNORECASE,
)
_FORM = r"(?:e?s|e?d|e|ing|[a-z](?:ed|ing))?"  # resign, resigns, resigned, resigning; plan, planned
# All that may stand between the question's words in a sentence, besides the question's other words, ...
_BETWEEN = "a the an his her its their has have had is are was were been did does do will not never no longer already"
# ... and what may follow: "resigned from the board" is not "resigned".
_AFTER = re.compile(r"[.,;!”\"]|$|\s+(?:on|in|at|after|since|yesterday|today|this|last|earlier|late|and)\b", re.I)


@dataclass(frozen=True)
class Says:
    """The words of a sentence that answer a yes/no question."""

    yes: bool
    words: str


def asks_yes_no(question: str) -> bool:
    """ "Did …", "Is …", "Was …"; a choice ("… or …") is none."""
    return bool(_ASKS.match(question)) and not re.search(r"\bor\b", question)


def is_negated(text: str) -> bool:
    """Whether something in a text is denied by "not" or "never"."""
    return bool(_NEGATION.search(text))


def polarity(question: str, text: str) -> Says | None:
    """What a sentence says to a yes/no question, when all of the question's content stands in it, in order."""
    words = content_words(without_dates(question))
    if not asks_yes_no(question) or len(words) < 2 or _OPEN.search(text) or _NEGATION.search(question):
        return None
    own = "|".join(map(re.escape, {*_BETWEEN.split(), *re.findall(r"\w+", question.lower())}))
    gap = rf"(?:n[’']t)?(?:\s+(?:{own})(?:n[’']t)?)*\s+"
    sought = gap.join(re.escape(word.removesuffix("e")) + _FORM for word in words)
    found = re.search(rf"(?:^|\b(?:{own})\s+)({sought})(?![\w’'-])", text, re.IGNORECASE)
    if found is None or not _AFTER.match(text, found.end()):
        return None
    within = _NEGATION.findall(found[1])
    if len(within) != len(_NEGATION.findall(text)) or len(within) > 1:
        return None
    return Says(not within, found[1])
