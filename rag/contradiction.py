"""Two texts -> why they cannot both hold: one denies what the other affirms, or their words exclude each other."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from rag.words import folded, lemma

_DENIALS = (
    "not never no none nobody nothing neither nor without cannot refuse deny decline fail reject unable lack unlikely "
    "dispute rule stop prevent avoid hardly impossible"
)
_DENIAL_LEMMAS = frozenset(map(lemma, _DENIALS.split()))
_NO_DENIALS = re.compile(
    r"\bnot (?:only|just|least|merely|necessarily)\b|\bno (?:doubt|matter|more than|fewer than|less than|\d)|"
    r"\brul(?:e|ed|ing|es)\b(?! out)|\bno\.",
    re.IGNORECASE,
)
_SMALL = frozenset(
    "a an the to of in on at by for with from as and or but that which who whom it he she they we you i his "
    "her its their our be have do will would could should can may might must any some there this these those "
    "yet out up so been able also ever very than about into over all one short still even then anything "
    "anyone either whatsoever".split()
)
_STOPS = frozenset(';:.!?(),-"') | {"but", "because", "although", "while", "whereas", "leaving"}
_SCOPE = 3  # words that a denial reaches
_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)?|[;:.!?(),\"-]")


@dataclass(frozen=True)
class _Said:
    """The words of a text that are somewhere affirmed, and those somewhere denied."""

    affirmed: frozenset[str]
    denied: frozenset[str]
    forms: Mapping[str, str]  # of each stem, as it is written
    heads: tuple[tuple[str, str], ...]  # (stem, as written with the denial) of the first word that each denial reaches

    @property
    def words(self) -> frozenset[str]:
        return self.affirmed | self.denied


def _said(text: str) -> _Said:
    text = _NO_DENIALS.sub(lambda found: " " * len(found.group()), text)
    affirmed, denied, heads, forms = set(), set(), [], {}
    reach: list[int] = []  # words that each denial so far still reaches
    opened: int | None = None  # where a denial stands that has reached no word yet
    for found in _TOKEN.finditer(text):
        token = folded(found.group())
        if token in _STOPS:
            reach, opened = [], None
            continue
        stem = lemma(token.removesuffix("'s"))
        negative = token.endswith("n't") or stem in _DENIAL_LEMMAS
        if not negative and (token in _SMALL or stem in _SMALL):
            continue
        if not (token.endswith("n't") or token in ("not", "no", "never")):
            (denied if len(reach) % 2 else affirmed).add(stem)
            forms[stem] = token
            if opened is not None and not negative:
                heads.append((stem, text[opened : found.end()]))
                opened = None
        reach = [left - 1 for left in reach if left > 1]
        if negative:
            reach.append(_SCOPE)
            opened = found.start() if opened is None else opened
    return _Said(frozenset(affirmed), frozenset(denied), forms, tuple(heads))


def contradiction(claim: str, source: str) -> str | None:
    """Why a plain claim and its plain source cannot both hold, in one line; None when words alone do not tell."""
    mine, yours = _said(claim), _said(source)
    for stem, written in yours.heads:
        if stem in yours.denied - yours.affirmed and stem in mine.affirmed - mine.denied:
            return f'the cited text says "{written}", the claim does not'
    for stem, written in mine.heads:
        if stem in mine.denied - mine.affirmed and stem in yours.affirmed - yours.denied:
            return f'the claim says "{written}", the cited text does not'
    return _opposite(mine, yours)


# Words that news uses of the same thing from either side. What is rarer is left to the model.
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
        "begin start open launch|end finish close halt cease",
        "arrive enter join|leave quit exit depart",
        "raise|cut lower reduce",
        "guilty convict|innocent acquit",
        "arrest detain jail|release free",
        "alive survive|dead die kill",
        "succeed success|fail failure",
        "sign|veto",
        "favour favor|against",
        "above|below",
        "north northern|south southern",
        "east eastern|west western",
        "young younger|old older",
        "male man men|female woman women",
        "best|worst",
        "largest biggest highest|smallest lowest",
        "public|private",
    )
)
_REVERSING = ("un", "in", "im", "dis", "il", "ir")


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
