"""Who does what to whom in a sentence, as far as the order of its words tells."""

import re
from dataclasses import dataclass

from rag.names import names
from rag.words import LEMMAS, lemma

_NO_VERBS = frozenset("be have do".split())
_IRREGULAR_VERBS = frozenset(LEMMAS.values())
_GAP = r"(?: (?:has|had|have|also|again|then|once|later|personally|[a-z]+ly))*"
_DOES = re.compile(rf"{_GAP} (?P<verb>[a-z]{{3,20}})\b(?P<to>(?: (?:on|at|to|with|the|out|up|former|a))* (?=[A-Z]))?")
_BY = re.compile(r"\b(?P<verb>[a-z]{4,20}) by (?:the |[a-z]+ )?(?=[A-Z])")
_SAID = re.compile(r"(?<=[,?!\"] )(?P<verb>said|says|asked|added|wrote) (?=[A-Z])")
_BLOCK = re.compile(r"[^\W\d_a-z][^\W_]*(?:(?: |-|\. )(?:[^\W\d_a-z][^\W_]*|\d+(?= [A-Z])))*")
_NO_SUBJECT = re.compile(r"\b(?:of|from|in|at|for|by|with|on|to|near|against|about|between|and|or)(?: the)? $")


@dataclass(frozen=True)
class _Deeds:
    """Who does what, and who does it to whom; people by the root of their last name."""

    doers: frozenset[tuple[str, str]]  # (who, verb)
    deeds: frozenset[tuple[str, str, str]]  # (who, verb, whom)


def _deeds(text: str) -> _Deeds:
    """What stands in the order "A called B", "B was called by A" or "…, said A"."""
    last = {name.end: name.roots[-1] for name in names(text)}  # "French President Emmanuel Macron" -> macron
    blocks = [(found.start(), found.end(), last.get(found.end())) for found in _BLOCK.finditer(text)]
    starts = {start: who for start, _, who in blocks}
    doers = {(starts.get(found.end()), _verb(found)) for by in (_BY, _SAID) for found in by.finditer(text)}
    deeds = set()
    for start, end, one in blocks:
        found = _DOES.match(text, end, end + 160)
        if found and not _NO_SUBJECT.search(text, max(0, start - 14), start):
            doers.add((one, _verb(found)))
            deeds.add((one, _verb(found), starts.get(found.end()) if found["to"] else None))
    doers |= {(who, verb) for who, verb, _ in deeds}
    return _Deeds(
        frozenset((who, verb) for who, verb in doers if who and verb),
        frozenset((who, verb, whom) for who, verb, whom in deeds if who and verb and whom),
    )


def _verb(found: re.Match[str]) -> str | None:
    """The lemma of what looks like a verb: "an Eminem album" tells of no deed."""
    form = found["verb"].lower()
    verb = lemma(form)
    return verb if (form.endswith("ed") or verb in _IRREGULAR_VERBS) and verb not in _NO_VERBS else None


def swapped(claim: str, source: str, context: str = "") -> str | None:
    """Why the names of a plain claim act in another way than in its plain source, in one line, if they do. A name
    that neither the source nor its context holds is no swap."""
    mine, yours = _deeds(claim), _deeds(source)
    written = {name.roots[-1]: name.words[-1] for name in names(f"{source} . {claim}")}
    for who, verb, whom in mine.deeds:
        if (whom, verb, who) in yours.deeds and (who, verb, whom) not in yours.deeds:
            return _INSTEAD.format(written[whom], written[who])
    held = {one for name in names(f"{context} . {source}") for one in name.roots}
    called = {name.roots[-1]: {*name.roots} for name in names(claim)}
    for who, verb in mine.doers:
        others = {doer for doer, done in yours.doers if done == verb}
        if others and who in held and others.isdisjoint(called.get(who, {who})):
            return _INSTEAD.format(written[min(others)], written[who])
    return None


_INSTEAD = "in the cited text it is {} who does this, not {}"
