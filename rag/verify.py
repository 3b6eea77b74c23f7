"""Claim, cited sentences -> verdict: whether a sentence that a language model wrote is what it cites.

What can be looked up comes first: quoted words, numbers, dates, names, what is denied, who acts on whom. A reader is
told which of them is missing. Only what is left is for a model to judge; its doubt is shown, and strikes
no text short of certainty.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

from index.dates import without_dates
from index.search import STOP_WORDS
from index.sentences import MAX_LENGTH
from rag.amounts import mixed_up
from rag.contradiction import contradiction
from rag.days import check_dates, known_years, spread
from rag.deeds import swapped
from rag.grounds import Checked, Grounds, before, grounds, missing
from rag.names import Known, names
from rag.quantities import Quantity, near, quantities, same
from rag.support import probability
from rag.words import find_quotation, folded, plain, quotations, words

__all__ = ["Checked", "Grounds", "check", "grounds"]

_Judge = Callable[[str, str, str], float]
SUPPORTED = 0.2  # probability from which a claim whose details agree is supported
SILENT = 0.05  # below which its source does not say it: striking what is true is worse than a doubt
UNSURE = "the details agree, but the cited text may not say this"
ELSEWHERE = "written in another language than its source; "
SENTENCES = 20  # cited sentences that are looked at: as many as are offered

# Function words of the languages that news is most written in beside English, those apart that are English too.
_OTHER = frozenset(
    "a de der die das und ist nicht ein eine einen den dem von mit hat auf sich le la les des du et est une dans "
    "que pour sur ont el los las del en y por con una il gli della che di per non da em um uma het een van "
    "zijn op te och att som".split()
)
FEW = 10  # words: a text of so many without an English function word is in another language
# Who "two leaders" may be: counted by their names, not by a number in the source.
_COUNTED = frozenset(
    "leaders presidents senators lawmakers brothers sisters countries nations sides parties states politicians "
    "candidates governments ministers rivals teams articles".split()
)


def check(claim: str, cited: Sequence[Grounds], judge: _Judge = probability) -> Checked:
    """The verdict on a claim by all that it cites together: each detail may stand in any of the sentences.

    "unsupported": a detail is missing or contradicts; "partly": the details agree, and the model is unsure or the
    language is another one; "uncited": there is nothing to check it against. `judge` (claim, heading, text) gives the
    probability that a text says what no rule can tell. Never raises on any text.
    """
    if not cited:
        return Checked("uncited", None)
    if len(claim) > MAX_LENGTH or len(claim := plain(claim)) > MAX_LENGTH:
        return Checked("unsupported", "too long to be one sentence that can be checked")
    cited = [_plain(one) for one in cited[:SENTENCES]]
    if not words(claim):
        return Checked("unsupported", "there are no words to check")
    if words(claim) in [words(one.text) for one in cited]:
        return Checked("supported", None)
    foreign = _is_english(claim) != _is_english(" ".join(one.text for one in cited))
    found = list(_foreign_details(claim, cited) if foreign else _details(claim, cited))
    for verdict in ("unsupported", "partly"):
        if worst := next((one for one in found if one.verdict == verdict), None):
            return replace(worst, reason=f"{ELSEWHERE}{worst.reason}") if foreign else worst
    return Checked("partly", ELSEWHERE + "its numbers agree") if foreign else _judged(claim, cited, found, judge)


def _plain(one: Grounds) -> Grounds:
    text, heading, context = (plain(part)[:MAX_LENGTH] for part in (one.text, one.heading, one.context))
    return Grounds(text, heading, one.date, context)


def _details(claim: str, cited: Sequence[Grounds]) -> Iterator[Checked]:
    """What is wrong with the details of a claim, and ("supported", with the reason) what was worked out."""
    yield from _check_quotations(claim, cited)
    yield from _check_numbers(claim, cited)
    yield from check_dates(claim, cited)
    yield from _check_names(claim, cited)
    source = " ".join(one.text for one in cited)
    context = " ".join(one.context for one in cited)
    for found in (contradiction(claim, source), swapped(claim, source, context)):
        if found:
            yield Checked("unsupported", found)


def _check_quotations(claim: str, cited: Sequence[Grounds]) -> Iterator[Checked]:
    for quotation in quotations(claim):
        # one after another, so that a quotation may go on from sentence to sentence; headlines are quoted too
        own = [" ".join(one.text for one in cited), *(one.heading for one in cited)]
        if any(find_quotation(quotation, text) >= 0 for text in own):
            continue
        ends = [(find_quotation(quotation, f"{one.context} {one.text}"), len(words(one.context))) for one in cited]
        if any(end > start for end, start in ends):
            continue  # it begins before the cited sentence
        yield before(quotation, cited) if any(end >= 0 for end, _ in ends) else missing(quotation, cited)


def _check_numbers(claim: str, cited: Sequence[Grounds]) -> Iterator[Checked]:
    text = without_dates(spread(claim))
    claimed, years = quantities(text), known_years(cited)
    held = [number for one in cited for part in (one.text, without_dates(one.heading)) for number in quantities(part)]
    close = [number for one in cited for number in quantities(one.context)]
    for number in claimed:
        # "an hour and 30 minutes" is one length of time and stands behind its two numbers
        whole = [one for one in claimed if one.start <= number.start and number.end <= one.end]
        if number.value in years or any(same(one, other) for one in whole for other in held):
            continue
        alike = next((one.text for one in held if number.kind and one.kind == number.kind), "")
        if follows := next((other for one in whole for other in held if near(one, other)), None):
            yield Checked("supported", f'"{number.text}": the cited sentence says {follows.text}')
        elif _counts_names(number, text, cited) or (number.vague and not alike):
            continue
        elif any(same(number, other) for other in close):
            yield before(number.text, cited)
        else:
            yield missing(number.text, cited, alike)
    if mixed := mixed_up(text, " ".join(one.text for one in cited)):
        yield Checked("unsupported", f'the claim says "{mixed[0]}", the cited text "{mixed[1]}"')


def _counts_names(number: Quantity, text: str, cited: Sequence[Grounds]) -> bool:
    """Whether "two leaders" may be two people whom the sources name, or "three articles" those that are cited."""
    after = words(text[number.end : number.end + 40])[:3]
    named = {name.roots[-1] for one in cited for name in names(f"{one.text} {one.context}")}
    return number.unit == "" and 2 <= number.value <= max(len(named), len(cited)) and not _COUNTED.isdisjoint(after)


# A pronoun of the cited sentence may stand for who acts in it, seldom for where: "on Twitter", "in Seattle".
_NAMED_AFTER = re.compile(r"\b(?:in|on|at|near) (?:the )?$")


def _check_names(claim: str, cited: Sequence[Grounds]) -> Iterator[Checked]:
    own = Known(" . ".join(chain(*((one.text, one.heading) for one in cited))))
    whole = Known(" . ".join(chain(*((one.text, one.heading, one.context) for one in cited))))
    for name in names(claim):
        if own.holds(name):
            continue
        if not whole.holds(name):
            yield missing(name.text, cited)
        elif _NAMED_AFTER.search(claim, 0, name.end - len(name.text)):
            yield before(name.text, cited)


def _foreign_details(claim: str, cited: Sequence[Grounds]) -> Iterator[Checked]:
    """What can be compared across languages: numbers in digits, and quotations left as they were. A date is three
    numbers."""
    source = " ".join(f"{one.text} {one.heading} {one.context} {one.published}" for one in cited)
    held = {value for text in _NUMERAL.findall(source) for value in _readings(text)}
    held |= {number.value for number in quantities(source)}
    for text in _NUMERAL.findall(claim):
        if held.isdisjoint(_readings(text)):
            yield missing(text, cited)
    for quotation in quotations(claim):
        if _is_english(quotation) == _is_english(source):
            yield from _check_quotations(f'"{quotation}"', cited)


_NUMERAL = re.compile(r"\d+(?:[., ']\d+)*")


def _readings(numeral: str) -> set[float]:
    """What a number in digits may be in one language or another: 2.700 and 2 700 are 2,700; 1,5 is 1.5."""
    *first, last = re.split(r"[., ']", numeral[:30])
    return {float("".join(first) + last), float(f"{''.join(first) or last}.{last if first else 0}")}


def _is_english(text: str) -> bool:
    found = words(text)
    english, other = (sum(word in of for word in found) for of in (STOP_WORDS, _OTHER))
    latin = sum(mark.isascii() for mark in folded(text)) > len(text) / 2
    return latin and english >= other and (english > 0 or len(found) < FEW)


def _judged(claim: str, cited: Sequence[Grounds], worked_out: Sequence[Checked], judge: _Judge) -> Checked:
    """The verdict of the model, where all details agree."""
    likely = judge(claim, cited[0].heading, " ".join(one.text for one in cited))
    if likely < SILENT:
        return Checked("unsupported", "the cited text does not say this")
    if likely < SUPPORTED:
        return Checked("partly", UNSURE)
    return next(iter(worked_out), Checked("supported", None))
