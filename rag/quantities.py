"""The numbers of a text, in digits or words, with what they count; and whether one number says what another does."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
)
_SMALL = {word: float(n) for n, word in enumerate((_UNITS + " eighteen nineteen").split())}
_TENS = {word: 10.0 * n for n, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}
_SCALES = {"hundred": 1e2, "dozen": 12.0, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_SHORT = {"k": 1e3, "m": 1e6, "mn": 1e6, "mio": 1e6, "bn": 1e9, "b": 1e9, "tn": 1e12, "trn": 1e12, "milliard": 1e9}
_BY = {**_SCALES, **_SHORT}
_ORDINAL = {
    word: float(n)
    for n, word in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
        "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth".split(),
        1,
    )
}
_FRACTIONS = {"half": 50.0, "third": 100 / 3, "quarter": 25.0, "fifth": 20.0, "tenth": 10.0}
# unit: (what it measures, how many of the smallest). A month is no number of days.
_MEASURES = {
    **{"second": ("time", 1), "minute": ("time", 60), "hour": ("time", 3600), "day": ("time", 86400)},
    **{"week": ("time", 604800), "month": ("age", 1), "year": ("age", 12), "decade": ("age", 120)},
    **{"century": ("age", 1200), "metre": ("length", 1), "meter": ("length", 1), "kilometre": ("length", 1000)},
    **{"kilometer": ("length", 1000), "km": ("length", 1000), "mile": ("length", 1609.344), "foot": ("length", 0.3048)},
    **{"feet": ("length", 0.3048), "inch": ("length", 0.0254), "kilogram": ("mass", 1), "kilo": ("mass", 1)},
    **{"kg": ("mass", 1), "tonne": ("mass", 1000), "hectare": ("area", 1), "acre": ("area", 0.40469)},
}
_MONEY = {"$": "$", "£": "£", "€": "€", "¥": "¥", "₹": "₹", "dollar": "$", "euro": "€", "pound": "£", "yen": "¥"}
_MONEY |= {"ruble": "rouble", "rouble": "rouble", "rupee": "₹", "yuan": "yuan", "franc": "franc", "cent": "cent"}
_FOLLOWS = {**{"am": "am", "pm": "pm", "a.m": "am", "p.m": "pm"}, **_MONEY}

_TOKEN = re.compile(r"[ap]\.m\b|\d+(?:[.,:]\d+)*|[^\W\d_]+|[^\w\s]")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
EXACT = 1e-6
ROUNDED = 0.05  # relative: "about 500" for 496, and miles given in kilometres
_ABOUT = re.compile(
    r"\b(?:about|around|nearly|almost|roughly|approximately|some|close to|more than|over|at least|up to|under|"
    r"less than|fewer than|just)\s+(?:US)?\W?$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Quantity:
    """`value` counts `unit`: "" (things), "%", "th" (first, 3rd), "s" (1950s), a currency, a unit of measure.

    `vague`: "a day", "one": a number only beside others of its kind. `about`: "nearly", "more than" stands before.
    """

    value: float
    unit: str
    text: str
    start: int
    end: int
    vague: bool = False
    about: bool = False

    @property
    def measure(self) -> tuple[str, float]:
        """What is measured and the value in the smallest unit of it; ("", value) for everything else."""
        kind, factor = _MEASURES.get(self.unit, ("", 1))
        return kind, self.value * factor


def quantities(text: str) -> list[Quantity]:
    """The numbers of a plain text in order; then what two of them are together (an hour and 30 minutes, $4 to $5 m)."""
    found = list(_each(text))
    joined = []
    for one, other in pairwise(found):
        gap = text[one.end : other.start].strip()
        kinds = one.measure[0], other.measure[0]
        if gap in ("and", ",", "") and kinds[0] and kinds[0] == kinds[1] and one.measure[1] > other.measure[1]:
            value = one.value + other.measure[1] / _MEASURES[one.unit][1]
            joined.append(Quantity(value, one.unit, text[one.start : other.end], one.start, other.end))
        if gap in ("to", "-", "and", "or") and one.unit in ("", other.unit):
            scale = next((by for word, by in _BY.items() if word in _TOKEN.findall(other.text.lower())), 1.0)
            joined.append(replace(one, value=one.value * (scale if one.value < scale else 1.0), unit=other.unit))
    return found + joined


def _each(text: str) -> Iterator[Quantity]:
    lower = text.lower()
    tokens = list(_TOKEN.finditer(lower))
    words = [token.group() for token in tokens] + [""] * 4
    place = 0
    while place < len(tokens):
        read = _number(words, place)
        if read is None:
            place += 1
            continue
        value, end, vague = read
        value, unit, end = _unit(words, value, end)
        first = place - 1 if place and words[place - 1] in _MONEY and words[place - 1] in "$£€¥₹" else place
        if first < place:
            unit = _MONEY[words[first]]
        start, stop = tokens[first].start(), tokens[min(end, len(tokens)) - 1].end()
        if not (vague and unit == "" and words[place] != "one"):
            about = _ABOUT.search(text, max(0, start - 20), start) is not None
            yield Quantity(value, unit, text[start:stop], start, stop, vague, about)
        place = end


def _number(words: Sequence[str], place: int) -> tuple[float, int, bool] | None:
    """(value, place after it, vague) of the number that begins at a token; None when none does."""
    word = words[place]
    if word[:1].isdecimal():
        return _scaled(_digits(word), words, place + 1)
    if word in ("a", "an", "half"):
        return _article(words, place)
    if word in _SCALES and word != "hundred" and words[place + 1] not in ("of", "s"):
        return (12.0, place + 1, False) if word == "dozen" else None
    if word in _ORDINAL and not (word == "second" and words[place - 1] in ("a", "per", "one")):
        return _ORDINAL[word], place, word == "first"  # "first aired": seldom a number
    value, end = _under_hundred(words, place)
    if end == place:
        return None
    value, after, _ = _scaled(value, words, end)
    return value, after, word == "one" and after == place + 1


def _under_hundred(words: Sequence[str], place: int) -> tuple[float, int]:
    """Value of "twenty", "five" or "twenty-five" and the place after it; that place is the first one without any."""
    if words[place] in _SMALL:
        return _SMALL[words[place]], place + 1
    if words[place] not in _TENS:
        return 0.0, place
    end = place + 2 if words[place + 1] == "-" and words[place + 2] in _SMALL else place + 1
    return _TENS[words[place]] + _SMALL.get(words[end], 0.0), end + (words[end] in _SMALL)


def _digits(word: str) -> float:
    if _THOUSANDS.fullmatch(word):
        return float(word.replace(",", ""))
    word = re.split("[:]", word)[0].replace(",", ".")
    whole, _, rest = word.partition(".")
    return float(f"{whole}.{rest.replace('.', '')}"[:40])


def _article(words: Sequence[str], place: int) -> tuple[float, int, bool] | None:
    """ "a million", "half a million", "half an hour", "half of", "a third of", "an hour"."""
    word, after = words[place], words[place + 1]
    if word == "half" and words[place - 1] not in _ORDINAL:
        if after in ("a", "an") and (words[place + 2] in _SCALES or words[place + 2] in _MEASURES):
            return _scaled(0.5, words, place + 2)
        if after == "-" and words[place + 2] in _MEASURES:
            return 0.5, place + 1, False
        return (0.5, place, False) if after in ("of", "the", "its", "their") else None
    if after in _SCALES:
        return _scaled(1.0, words, place + 1)
    if after in _FRACTIONS and words[place + 2] == "of":
        return 1.0, place + 1, False
    return (1.0, place + 1, True) if after in _MEASURES else None


def _scaled(value: float, words: Sequence[str], end: int) -> tuple[float, int, bool]:
    """A number with the hundreds and millions that follow it: "two hundred and fifty thousand", "1.5m"."""
    if words[end] == "and" and words[end + 1 : end + 3] == ["a", "half"]:
        value, end = value + 0.5, end + 3
    total = 0.0
    for _ in range(6):
        at = end + 1 if words[end] == "-" and words[end + 1] in _SCALES else end
        word = words[at].removesuffix("s") if words[at][:-1] in _SCALES else words[at]
        by = _BY.get(word)
        if by is None:
            break
        value, total = (value * by, total) if by <= 100 else (0.0, total + (value or 1.0) * by)
        end = at + 1
        if word in _SCALES:  # "hundred and fifty"
            at = end + 1 if words[end] == "and" else end
            more, after = _under_hundred(words, at)
            value, end = value + more, after if after > at else end
    return total + value, end, False


def _unit(words: Sequence[str], value: float, end: int) -> tuple[float, str, int]:
    """(value, unit, place after it) of a number that ends before a token."""
    word = words[end]
    if word == "half":
        return value * 100, "%", end + 1
    if word in _FRACTIONS and value != _ORDINAL.get(word):
        return value * _FRACTIONS[word], "%", end + 1
    if word in _ORDINAL or word in ("st", "nd", "rd", "th"):
        return value, "th", end + 1
    if value > 99 and "s" in (word, words[end + 1] if word == "'" else ""):
        return value, "s", end + 1 + (word == "'")
    at = end + 1 if word == "-" else end
    word = words[at].removesuffix("s") if len(words[at]) > 3 else words[at]
    if word in ("%", "percent", "percentage") or (word == "per" and words[at + 1] == "cent"):
        return value, "%", at + 1 + (word == "per")
    if words[at] in ("thirds", "quarters", "fifths", "tenths") and value < 20:
        return value * _FRACTIONS[word], "%", at + 1
    unit = word if word in _MEASURES else _FOLLOWS.get(word, "")
    if word == "centurie":
        unit = "century"
    if word == "old" or not unit:
        return value, "", end
    if words[at + 1 : at + 4] == ["and", "a", "half"]:
        return value + 0.5, unit, at + 4
    return value, unit, at + 1


def same(one: Quantity, other: Quantity) -> bool:
    """Whether a claim's number is a source's number: equal, and of the same kind as far as both say it."""
    if one.unit == "s" and other.unit in ("s", ""):  # the 1950s
        return one.value // 10 == other.value // 10
    if abs(one.value - other.value) > EXACT * max(1.0, abs(one.value)):
        return False
    if one.unit == other.unit:
        return True
    if "th" in (one.unit, other.unit):  # "the second" is not "the two"; "No. 2" may be
        return "" in (one.unit, other.unit) and one.text[0].isdecimal() | other.text[0].isdecimal()
    return "" in (one.unit, other.unit) and "%" not in (one.unit, other.unit)


def mixed_up(claim: str, source: str) -> tuple[str, str] | None:
    """A number of a claim with the word after it, and the other number that its source has before that word, where
    the source has both numbers: 2,000 civilians died and 350 were injured, instead of the reverse."""
    mine, yours = _counted(claim), _counted(source)
    values = {number.value for number in quantities(source)}
    for word, number in mine.items():
        other = yours.get(word, number)
        if other.value != number.value and number.value in values:
            return f"{number.text} {word}", f"{other.text} {word}"
    return None


_NEXT = re.compile(r" (?:[a-z]+ ){0,3}?(?!(?:more|people|other|have|were|been|million)\b)([a-z]{4,})\b")


def _counted(text: str) -> dict[str, Quantity]:
    """Numbers of things by the word after them, for words that stand in the text once."""
    found = ((number, _NEXT.match(text, number.end)) for number in quantities(text) if not number.unit)
    return {after[1]: number for number, after in found if after and text.count(after[1]) == 1}


def near(one: Quantity, other: Quantity) -> bool:
    """Whether a claim's number follows from a source's: another unit of the same measure, or rounded and said so."""
    (kind, mine), (of, yours) = one.measure, other.measure
    if kind != of or (not kind and one.unit != other.unit) or not yours:
        return False
    converted = kind in ("length", "mass", "area") and one.unit != other.unit
    return abs(mine - yours) / abs(yours) <= (ROUNDED if one.about or converted else EXACT)
