"""What a sentence affirms and denies, and who does what to whom in it, as far as words and their order tell."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from rag.details import folded, names

_IRREGULAR = (
    "say said|tell told|meet met|speak spoke spoken|win won|lose lost|make made|take took taken|give gave given"
    "|hear heard|go went gone|come came|become became|begin began begun|rise rose risen|fall fell fallen|hold held"
    "|leave left|find found|get got|know knew known|think thought|pay paid|send sent|buy bought|sell sold|run ran"
    "|break broke broken|choose chose chosen|write wrote written|see saw seen|lead led|keep kept|build built"
    "|fight fought|bear born|shrink shrank shrunk|grow grew|be is are was were been being am|have has had"
    "|do does did done|mean meant|feel felt|bring brought|stand stood|show shown|draw drew drawn|fly flew flown"
    "|strike struck|steal stole stolen|wear wore worn|hide hid hidden|catch caught|understand understood"
    "|withdraw withdrew withdrawn|overcome overcame|forget forgot forgotten|freeze froze frozen"
)
_LEMMAS = {form: group.split()[0] for group in _IRREGULAR.split("|") for form in group.split()}


@lru_cache(8192)
def lemma(word: str) -> str:
    """A rough stem of a folded word: denies, denied, denying -> deni."""
    if word in _LEMMAS:
        return _LEMMAS[word]
    for ending in ("ing", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            word = word.removesuffix(ending)
            if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "ls":
                word = word[:-1]
            break
    return word[:-1] + "i" if word.endswith("y") and len(word) > 3 else word


_DENIALS = frozenset(
    "not never no none nobody nothing neither nor without cannot refuse deny decline fail reject unable lack unlikely "
    "rule stop prevent avoid nor hardly impossible".split()
)
_DENIAL_LEMMAS = frozenset(map(lemma, _DENIALS))
_NO_DENIALS = re.compile(
    r"\bnot (?:only|just|least|merely|necessarily)\b|\bno (?:doubt|one else|more than|fewer than|less than|matter|\d)|"
    r"\bnothing but\b|\bwhether or not\b|\bstop(?:ped|s)? (?:in|at|by)\b|\brul(?:e|ed|ing|es)\b(?! out)|\bno\.",
    re.IGNORECASE,
)
_SMALL = frozenset(
    "a an the to of in on at by for with from as and or but that which who whom it he she they we you i his "
    "her its their our be have do will would could should can may might must any some there this these those "
    "yet out up so been able also ever very than about into over all one still even then anything "
    "anyone either whatsoever".split()
)
_LIGHT = frozenset(
    map(lemma, "say make take get want know think comment give go come need see use tell find show".split())
)
_STOPS = frozenset(';:.!?(),-"') | {"but", "because", "although", "while", "whereas", "leaving"}
_COMPASS = frozenset("north south east west northern southern eastern western".split())
_SCOPE = 3  # words that a denial reaches
_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)?|[;:.!?(),\"-]")


@dataclass(frozen=True)
class _Said:
    """The words of a text that are somewhere affirmed, and those somewhere denied."""

    affirmed: frozenset[str]
    denied: frozenset[str]
    forms: Mapping[str, str]  # of each stem, as it is written
    heads: tuple[tuple[str, str], ...]  # (stem, as written with the denial) of the first word that each denial reaches
    open_ended: bool  # a denial reaches no word: "but has not"

    @property
    def words(self) -> frozenset[str]:
        return self.affirmed | self.denied


def _said(text: str) -> _Said:
    text = _NO_DENIALS.sub(lambda found: " " * len(found.group()), text)
    affirmed, denied, heads, forms = set(), set(), [], {}
    reach: list[int] = []  # words that each denial so far still reaches
    open_ended = False
    opened: int | None = None  # where a denial stands that has reached no word yet
    for found in _TOKEN.finditer(text):
        token = folded(found.group())
        if token in _STOPS:
            open_ended = open_ended or opened is not None
            reach, opened = [], None
            continue
        stem = lemma(token.removesuffix("'s"))
        negative = token.endswith("n't") or stem in _DENIAL_LEMMAS
        if not negative and (token in _SMALL or stem in _SMALL):
            continue
        named = token in _COMPASS and found.group()[0].isupper()  # "North Korea" lies in no direction
        if not (named or token.endswith("n't") or token in ("not", "no", "never")):
            (denied if len(reach) % 2 else affirmed).add(stem)
            forms[stem] = token
            if opened is not None and stem not in _LIGHT and not negative:
                heads.append((stem, text[opened : found.end()]))
                opened = None
        reach = [left - 1 for left in reach if left > 1]
        if negative:
            reach.append(_SCOPE)
            opened = found.start() if opened is None else opened
    return _Said(frozenset(affirmed), frozenset(denied), forms, tuple(heads), open_ended or opened is not None)


def contradiction(claim: str, source: str) -> str | None:
    """Why a plain claim and its plain source cannot both hold, in one line; None when words alone do not tell."""
    mine, yours = _said(claim), _said(source)
    for stem, written in yours.heads:
        if stem in yours.denied - yours.affirmed and stem in mine.affirmed - mine.denied:
            return f'the cited text says "{written}", the claim does not'
    for stem, written in () if yours.open_ended else mine.heads:
        if stem in mine.denied - mine.affirmed and stem in yours.affirmed - yours.denied:
            return f'the claim says "{written}", the cited text does not'
    claimed, held = ({found[2]: found[1] for found in _ORDER.finditer(text.lower())} for text in (claim, source))
    for event in claimed.keys() & held.keys():
        if claimed[event] != held[event]:
            return f'the claim says "{claimed[event]} {event}", the cited text "{held[event]} {event}"'
    return _opposite(mine, yours)


_OPPOSITES = tuple(
    tuple(frozenset(map(lemma, side.split())) for side in pair.split("|"))
    for pair in (
        "rise increase grow gain climb jump surge soar higher improve|"
        "fall drop decrease decline shrink lose plunge slump lower tumble slip sink suffer",
        "more|less fewer",
        "most majority|minority least fewest",
        "accept approve agree welcome back endorse support supporter|"
        "reject refuse oppose opposition opponent disagree condemn veto block",
        "win victory beat|lose defeat loss",
        "allow permit legalise legalize|ban forbid prohibit outlaw",
        "begin start open launch|end finish close halt cease",
        "arrive enter join|leave quit exit depart",
        "buy purchase acquire|sell",
        "confirm admit acknowledge|deny dispute",
        "strengthen tighten|weaken loosen ease",
        "raise|cut lower reduce",
        "guilty convict|innocent acquit",
        "alive survive|dead die kill",
        "succeed success|fail failure",
        "hire appoint|fire dismiss sack",
        "praise defend|criticise criticize condemn castigate blast slam hammer attack",
        "eager keen willing|reluctant unwilling",
        "first|last",
        "import|export",
        "public|private",
        "north northern|south southern",
        "east eastern|west western",
        "male man men|female woman women",
        "best|worst",
        "better|worse",
        "largest biggest highest|smallest lowest",
    )
)


_REVERSING = ("un", "in", "im", "dis", "il", "ir")
_ORDER = re.compile(
    r"\b(before|after) (?:(?:the|a|an|his|her|its|their|it|he|she|they) )?([a-z]{3,20})\b", re.IGNORECASE
)


def _opposite(mine: _Said, yours: _Said) -> str | None:
    """Two words that exclude each other, where neither text has the other's word."""
    for pair in _OPPOSITES:
        for here, there in (pair, pair[::-1]):
            claimed, held = mine.affirmed & here, yours.affirmed & there
            if claimed and held and not mine.words & there and not yours.words & here:
                says, said = mine.forms[min(claimed)], yours.forms[min(held)]
                return f'the claim says "{says}", the cited text "{said}"'
    for one, other in ((mine, yours), (yours, mine)):
        for stem in one.affirmed - other.words:
            if found := {prefix + stem for prefix in _REVERSING} & other.affirmed - one.words:
                return f'"{one.forms[stem]}" and "{other.forms[min(found)]}" cannot both be true'
    return None


# Verbs of calling are one: "phoned", "dialled", and who initiated or requested a call made it.
_CALLING = {lemma(word): "call" for word in "call phone telephone dial ring contact initiate request".split()}
_NO_VERBS = frozenset("be have do".split())
_IRREGULAR_VERBS = frozenset(_LEMMAS.values())
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
    """Why the names of a claim act in another way than in its source, in one line, if they do. A name that neither
    the source nor its context holds is no swap."""
    mine, yours = _deeds(claim), _deeds(source)
    for who, verb, whom in mine.deeds:
        if (whom, verb, who) in yours.deeds and (who, verb, whom) not in yours.deeds:
            return f"in the cited text it is {whom.capitalize()} who does this, not {who.capitalize()}"
    held = {one for name in names(f"{context} . {source}") for one in name.roots}
    for who, verb in mine.doers:
        others = {doer for doer, done in yours.doers if done == verb}
        if others and who not in others and who in held:
            return f"in the cited text it is {min(others).capitalize()} who does this, not {who.capitalize()}"
    return None
