"""The names of a plain text, and whether another text holds them.

A name may come as Russia or Russian, Élysée or Elysee, Emmanuel Macron or Macron.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from index.dates import MONTHS
from index.search import STOP_WORDS
from rag.words import WORD, folded

WEEKDAYS: Sequence[str] = "monday tuesday wednesday thursday friday saturday sunday".split()

# Other words for the same: countries whose people are called otherwise, and what governments are called after.
_SAME = (
    "france french paris elysee|russia russian moscow kremlin russland russie|us usa america american washington"
    "|uk britain british london briton|china chinese beijing|germany german berlin|ukraine kyiv kiev"
    "|spain spanish madrid|eu europe european brussels|poland polish warsaw|turkey turkish ankara turkiye"
    "|sweden swedish|denmark danish|greece greek athens|norway norwegian|ireland irish dublin|scotland scottish"
    "|wales welsh|netherlands dutch|switzerland swiss|afghanistan afghan|israel israeli|gop republican"
    "|democrat democratic|iran iranian tehran|japan japanese tokyo|india indian delhi|indiana|tv television"
    "|nigeria nigerian|peru peruvian"
)
_ENDINGS = ("ian", "ic", "ean", "an", "ese", "ish", "um", "s", "i", "a", "e", "y", "o")


def _stripped(name: str) -> str:
    while ending := next((one for one in _ENDINGS if name.endswith(one) and len(name) - len(one) >= 3), ""):
        name = name.removesuffix(ending)
    return name


_CANONICAL = {word: group.split()[0] for group in _SAME.split("|") for word in group.split()}
_CANONICAL |= {short: first for word, first in _CANONICAL.items() if (short := _stripped(word)) not in _CANONICAL}


@lru_cache(8192)
def root(name: str) -> str:
    """What forms of a name have in common: Canada, Canadian -> canad. Austria and Australia stay apart."""
    name = folded(name).removesuffix("'s").replace("'", "")
    short = _stripped(name)
    return _CANONICAL.get(name) or _CANONICAL.get(short, short)


@dataclass(frozen=True)
class Name:
    """Capitalised words in a row, titles apart. `end`: where in the text it ends."""

    words: tuple[str, ...]
    end: int

    @property
    def text(self) -> str:
        return " ".join(self.words)

    @property
    def roots(self) -> tuple[str, ...]:
        return tuple(map(root, self.words))


_TITLES = frozenset(
    "president vice prime minister chancellor secretary senator sen representative rep governor gov mayor general gen "
    "colonel captain lieutenant sergeant king queen prince princess pope bishop archbishop judge justice professor "
    "prof doctor dr mr mrs ms miss sir lord lady dame mp congressman congresswoman foreign defense defence interior "
    "finance premier chairman chairwoman chief executive ceo director attorney ambassador spokesman spokeswoman "
    "speaker leader deputy former i".split()
) | {*MONTHS, *WEEKDAYS, "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec"}
# Words that open sentences and name nobody.
_OPENERS = STOP_WORDS | frozenset(
    "without since despite although though yet none every many several another one two three four five six seven "
    "eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty "
    "fifty sixty seventy eighty ninety hundreds thousands millions dozens whether however meanwhile moreover still "
    "thus therefore instead among against amid following unlike like nobody nothing someone everyone anyone today "
    "yesterday tomorrow earlier later last next even never neither either off across per via within upon given half "
    "much little less".split()
)
_ORDINARY = re.compile(r".*(?:s|ing|ed|ly|tion|sion|ment|ness|ity|ism|ance|ence|ship|age|ure)", re.IGNORECASE)
_ACTS = re.compile(
    r" (?:(?:also|later|then|first) )?(?:said|says|told|was|is|has|had|will|would|did|does|can|could|may|met|spoke|"
    r"went|won|lost|made|took|gave|came|left|held|became|began|wrote|sent|[a-z]+ed)\b"
)
_STOPPED = re.compile(r"[.!?:\"(\[]\s*$")


def names(text: str) -> Iterator[Name]:
    """The names in a plain text. A word that opens a sentence counts when it looks like one: another capitalised word
    or a verb follows, and it is no ordinary word as far as its form tells."""
    run: list[str] = []
    before = 0
    for found in WORD.finditer(text):
        word, gap = found.group().removesuffix("'s"), text[before : found.start()]
        initial = bool(run) and gap == ". " and len(run[-1]) == 1
        joined = initial or (gap in (" ", "-", " & ", "&") and text[before - 2 : before] != "'s")
        named = word[0].isupper() and folded(word) not in _TITLES and (initial or not _opens(text, found, word))
        if run and not (joined and named):
            yield Name(tuple(run), before)
            run = []
        if named:
            run.append(word)
        before = found.end()
    if run:
        yield Name(tuple(run), before)


def _opens(text: str, found: re.Match[str], word: str) -> bool:
    """Whether a capital is owed to the start of a sentence or quotation only."""
    start = found.start()
    if start and not _STOPPED.search(text[max(0, start - 4) : start]):
        return False
    if folded(word) in _OPENERS:
        return True
    after = text[found.end() : found.end() + 40]
    if re.match(r"(?: |-|\. )[A-Z]", after) or word[1:2].isupper() or found.group().endswith("'s"):
        return False
    return bool(_ORDINARY.fullmatch(word)) or not _ACTS.match(after)


class Known:
    """The names of a text in which others are looked up."""

    def __init__(self, text: str) -> None:
        self.names = tuple(names(text))
        found = [word for word in WORD.findall(text) if word[0].isupper() or len(word) > 3]
        self.roots = {root(word) for word in found}
        self.roots |= {"".join(word[0] for word in name.words).lower() for name in self.names if len(name.words) > 1}

    def holds(self, name: Name) -> bool:
        """Whether all of a name stands here, or its last word (a surname) and no other first name before it."""
        *first, last = name.roots
        if len(name.words) > 1 and "".join(word[0] for word in name.words).lower() in self.roots:
            return True
        if last not in self.roots:
            return False
        if all(one in self.roots for one in first):
            return True
        others = [known.roots[:-1] for known in self.names if len(known.words) > 1 and known.roots[-1] == last]
        # Joe for Joseph; "Prosecutor Tom" for Tom
        return not others or any(one[0] == first[0][0] or one in first for other in others for one in other)
