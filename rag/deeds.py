"""Who does what to whom in a sentence, as far as the order of its words tells."""

import re
from collections.abc import Iterator, Set
from dataclasses import dataclass

from rag.details import Name, names
from rag.senses import LEMMAS, lemma

# Verbs of calling are one: "phoned", "dialled", and who initiated or requested a call made it.
_CALLING = {lemma(word): "call" for word in "call phone telephone dial ring contact initiate request".split()}
_NO_VERBS = frozenset("be have do".split())
# Words before a name that do not say what it has to do with the sentence.
_NO_PLACES = frozenset(
    "and but the that than with from for when where while after before said says who which not was were are "
    "has had have will would could since until also then because according into over about between president "
    "minister senator former rep sen gov late including like though although chief leader later again once "
    "personally a an his her its their my our your".split()
)
_IRREGULAR_VERBS = frozenset(LEMMAS.values())
_GAP = r"(?: (?:has|had|have|also|again|then|once|later|personally|[a-z]+ly))*"
_BESIDES = r"(?:, [^,.;:\"]{3,80},)?"  # "Mark Warner, top Democrat on the committee, offered"
_DOES = re.compile(
    rf"{_BESIDES}{_GAP} (?P<verb>[a-z]{{3,20}})\b(?P<to>(?: (?:on|at|to|with|the|out|up|former|a))* (?=[A-Z]))?"
)
_IS_DONE = re.compile(
    r"(?: (?:was|were|is|are|been|being|had|has|got))+ (?:[a-z]+ly )?(?P<verb>[a-z]{3,20}) by (?:the )?(?=[A-Z])"
)
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
    """What stands in the order "A called B", "B was called by A", "a call initiated by A" or "…, said A"."""
    last = {name.end: name.roots[-1] for name in names(text)}  # "French President Emmanuel Macron" -> macron
    blocks = [(found.start(), found.end(), last.get(found.end())) for found in _BLOCK.finditer(text)]
    starts = {start: who for start, _, who in blocks}
    doers = {(starts.get(found.end()), _verb(found)) for by in (_BY, _SAID) for found in by.finditer(text)}
    deeds = set()
    for start, end, one in blocks:
        if found := _IS_DONE.match(text, end, end + 80):
            deeds.add((starts.get(found.end()), _verb(found), one))
            continue
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
    known = (form.endswith("ed") or verb in _IRREGULAR_VERBS or verb in _CALLING) and verb not in _NO_VERBS
    return _CALLING.get(verb, verb) if known else None


def swapped(claim: str, source: str, context: str = "") -> str | None:
    """Why the names of a plain claim act in another way than in its plain source, in one line, if they do. A name
    that neither the source nor its context holds is no swap."""
    mine, yours = _deeds(claim), _deeds(source)
    written = {name.roots[-1]: name.words[-1] for name in names(f"{source} . {claim}")}
    for who, verb, whom in mine.deeds:
        if (whom, verb, who) in yours.deeds and (who, verb, whom) not in yours.deeds:
            return _INSTEAD.format(written[whom], written[who])
    held = _roots(f"{context} . {source}")
    called = {name.roots[-1]: {*name.roots} for name in names(claim)}
    for who, verb in mine.doers:
        others = {doer for doer, done in yours.doers if done == verb}
        if others and who in held and others.isdisjoint(called.get(who, {who})):
            return _INSTEAD.format(written[min(others)], written[who])
    return _misplaced(claim, source, held) or _exchanged(claim, source, held)


_INSTEAD = "in the cited text it is {} who does this, not {}"


def _exchanged(claim: str, source: str, held: Set[str]) -> str | None:
    """A name of the context before a word that has another name before it in the source: "Trump voters" for "Clinton
    voters"."""
    own, there = _roots(source), dict(_followed(source))
    for word, name in _followed(claim):
        if word in there and own.isdisjoint(name.roots) and not held.isdisjoint(name.roots):
            return f'the claim says "{name.text} {word}", the cited text "{there[word].text} {word}"'
    return None


def _followed(text: str) -> Iterator[tuple[str, Name]]:
    for name in names(text):
        after = re.match(r" ([a-z]{4,20})\b", text[name.end : name.end + 24])
        if after and after[1] not in _NO_PLACES:
            yield after[1], name


_PLACE = re.compile(
    r"\b(?P<word>[a-z]{3,20})(?P<by> (?:of|for|in|to|from|with|against|by|on|at))?(?: the)? (?=[A-Z])", re.ASCII
)


_TIMES = 5  # that one place is looked at in a source
_LIST = 60  # characters after a place in which all names may belong to it: "of Jason Lee, Amy Adams and …"


def _misplaced(claim: str, source: str, held: Set[str]) -> str | None:
    """A name of a claim in a place where its source has other ones: "the nomination of Rice" for "of Nuland"."""
    wanted = {place: claim[found.start() : found.end() + _LIST] for place, found in _places(claim)}
    there: dict[tuple[str, str], list[str]] = {place: [] for place in wanted}
    for place, found in _places(source):
        if place in wanted and len(there[place]) < _TIMES:
            there[place].append(source[found.start() : found.end() + _LIST])
    for place, written in wanted.items():
        mine, others = _roots(_first(written)), [_roots(text) for text in there[place]]
        if mine and mine <= held and others and all(other and other.isdisjoint(mine) for other in others):
            return f'the claim says "{_first(written)}", the cited text "{_first(there[place][0])}"'
    return None


def _places(text: str) -> Iterator[tuple[tuple[str, str], re.Match[str]]]:
    """Where a name follows a word, with its preposition if any: ("nomination", "of")."""
    for found in _PLACE.finditer(text):
        if found["word"] not in _NO_PLACES:
            yield (lemma(found["word"]), found["by"] or ""), found


def _roots(text: str) -> set[str]:
    return {one for name in names(f"- {text}") for one in name.roots}


def _first(text: str) -> str:
    """A text up to the end of its first row of capitalised words."""
    found = _BLOCK.search(text)
    return text[: found.end()] if found else text
