"""The numbers of a text, in digits or words, with what they count; and whether one number says what another does."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

_ONES = dict(zip("one two three four five six seven eight nine".split(), range(1, 10), strict=True))
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_SCALES = {"hundred": 1e2, "dozen": 12.0, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_SHORT = {"k": 1e3, "m": 1e6, "mn": 1e6, "mio": 1e6, "bn": 1e9, "b": 1e9, "tn": 1e12, "trn": 1e12, "milliard": 1e9}
_BY = {**_SCALES, **_SHORT}
_VALUES = {"zero": 0, "half": 0.5, **_ONES}
_VALUES |= {word: n for n, word in enumerate(_TEENS, 10)} | {word: 10 * n for n, word in enumerate(_TENS, 2)}
_ORDINALS = {
    word: n
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
_UNITS = {
    "%": "%",
    "percent": "%",
    "per cent": "%",
    "percentage": "%",
    "am": "am",
    "pm": "pm",
    "a.m": "am",
    "p.m": "pm",
}
_UNITS |= {form: unit for unit in _MEASURES for form in (unit, f"{unit}s")} | {"inches": "inch", "centuries": "century"}
_UNITS |= {form: unit for word, unit in _MONEY.items() if word.isalpha() for form in (word, f"{word}s")}


def _one_of(*words: str) -> str:
    return f"(?:{'|'.join(map(re.escape, sorted(words, key=len, reverse=True)))})"


_WORD = rf"(?:{_one_of(*_TENS)}(?:[ -]{_one_of(*_ONES)})?|{_one_of('zero', *_ONES, *_TEENS)})\b"
_SCALED = rf"(?:[ -]?{_one_of(*_BY)}s?\b(?:(?: and)? {_WORD})?)"  # million, hundred and fifty
_MEASURE = rf"{_one_of(*_MEASURES)}s?\b"
_NUMBER = re.compile(
    rf"(?P<sign>[$£€¥₹] ?)?(?P<number>\d+(?:[.,:]\d+)*(?: and a half)?{_SCALED}{{0,6}}"
    rf"|\b(?:{_WORD}(?: and a half)?{_SCALED}{{0,6}}"
    rf"|(?:half )?an?(?= {_one_of(*_SCALES)}){_SCALED}{{1,6}}"
    rf"|half(?=-{_MEASURE}| an? {_MEASURE})(?: an?)?"  # half an hour
    rf"|(?P<article>an?)(?= (?!second\b){_MEASURE}| {_one_of(*_FRACTIONS)} of\b)"
    rf"|(?P<share>half)(?= (?:of|the|its|their)\b)"
    rf"|(?<!per )(?P<ordinal>{_one_of(*_ORDINALS)})\b))"
    rf"(?(ordinal)|(?:(?P<th>st|nd|rd|th)\b|(?P<s>(?<=\d\d0)'?s\b)|(?:[ -]?(?P<part>{_one_of(*_FRACTIONS)})s?\b)?"
    rf"(?:[ -]?(?P<unit>{_one_of(*_UNITS)})(?!\w))?(?P<more> and a half\b)?))"
)
_PART = re.compile(r"\d+(?:[.,:]\d+)*|[ap]\.m|[a-z]+")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
EXACT = 1e-6
CONVERTED = 0.05  # relative: miles given in kilometres
ABOUT, MORE = 0.1, 0.5  # shares: "more than a million" is not said of two million
_LONGEST_QUALIFIER = 24  # characters
_QUALIFIERS = (  # words before a number, and the shares below and above it that they leave open
    (r"\b(?:no more than|up to|less than|fewer than|under|below|at most)", (MORE, 0.0)),
    (r"\b(?:more than|over|at least|above|upwards of|(?:no|not) (?:fewer|less) than)", (0.0, MORE)),
    (r"\b(?:nearly|almost|close to)", (ABOUT, 0.0)),
    (r"\b(?:about|around|some|roughly|approximately|just|(?:an )?estimated)", (ABOUT, ABOUT)),
)
_QUALIFIED = tuple((re.compile(rf"{words}\s+(?:US)?\W?$", re.IGNORECASE), shares) for words, shares in _QUALIFIERS)


@dataclass(frozen=True)
class Quantity:
    """`value` counts `unit`: "" (things), "%", "th" (first, 3rd), "s" (1950s), a currency, a unit of measure.

    `vague`: "a day", "one": a number only beside others of its kind.
    """

    value: float
    unit: str
    text: str
    start: int
    end: int
    vague: bool = False
    shares: tuple[float, float] = (0.0, 0.0)  # of the value, below and above it, that the words before leave open
    qualified: int = 0  # where those words start, or the number

    @property
    def measure(self) -> tuple[str, float]:
        """What is measured and the value in the smallest unit of it; ("", value) for everything else."""
        kind, factor = _MEASURES.get(self.unit, ("", 1))
        return kind, self.value * factor

    @property
    def kind(self) -> str:
        """What can be compared with each other: what is measured, else the unit."""
        return self.measure[0] or self.unit


def quantities(text: str) -> list[Quantity]:
    """The numbers of a plain text in order; then what two of them are together (an hour and 30 minutes, $4 to $5 m)."""
    found = list(_each(text))
    joined = []
    for one, other in pairwise(found):
        gap = text[one.end : other.start].strip()
        kinds = one.measure[0], other.measure[0]
        if gap in ("and", ",", "") and kinds[0] and kinds[0] == kinds[1] and one.measure[1] > other.measure[1]:
            value = one.value + other.measure[1] / _MEASURES[one.unit][1]
            whole = text[one.start : other.end]
            joined.append(replace(one, value=value, text=whole, end=other.end, vague=False))
        if gap in ("to", "-", "and", "or") and one.unit in ("", other.unit):
            scale = next((by for word in _PART.findall(other.text.lower()) if (by := _BY.get(word))), 1.0)
            joined.append(replace(one, value=one.value * (scale if one.value < scale else 1.0), unit=other.unit))
    return found + joined


def _each(text: str) -> Iterator[Quantity]:
    for found in _NUMBER.finditer(text.lower()):
        value, unit = _value(found["number"]) + 0.5 * bool(found["more"]), _UNITS.get(found["unit"] or "", "")
        if found["ordinal"] or found["th"]:
            value, unit = _ORDINALS.get(found["number"], value), "th"
        elif found["s"]:
            unit = "s"
        elif part := "half" if found["share"] else found["part"]:
            value, unit = (1.0 if found["share"] else value) * _FRACTIONS[part], "%"
        elif found["sign"]:
            unit = _MONEY[found["sign"].strip()]
        vague = found["number"] in ("one", "first") or bool(found["article"] and unit != "%" and not found["more"])
        start, end = found.span()
        before = text[max(0, start - _LONGEST_QUALIFIER) : start]
        how = next(((words, shares) for one, shares in _QUALIFIED if (words := one.search(before))), None)
        qualified = start - len(before) + how[0].start() if how else start
        yield Quantity(value, unit, text[start:end], start, end, vague, how[1] if how else (0.0, 0.0), qualified)


def _value(number: str) -> float:
    """ "two hundred and fifty thousand", "1.5m", "half a million", "an" -> 250,000, 1,500,000, 500,000, 1."""
    total = value = 0.0
    words = [word for word in _PART.findall(number) if word not in ("a", "an", "and")] or ["one"]
    for word in words:
        by = _BY.get(word) or _BY.get(word.removesuffix("s"))
        if by is None:
            value += _VALUES.get(word, 0.0) if word[0].isalpha() else _digits(word)
        elif by <= 100:  # hundred, dozen
            value = (value or 1.0) * by
        else:
            total, value = total + (value or 1.0) * by, 0.0
    return total + value


def _digits(word: str) -> float:
    if _THOUSANDS.fullmatch(word):
        return float(word.replace(",", ""))
    whole, _, rest = word.partition(":")[0].replace(",", ".").partition(".")
    return float(f"{whole}.{rest.replace('.', '')}"[:40])


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


def near(one: Quantity, other: Quantity) -> bool:
    """Whether a claim's number follows from a source's: another unit of the same measure, or rounded and said so."""
    mine, yours = one.measure[1], other.measure[1]
    converted = one.kind in ("length", "mass", "area") and one.unit != other.unit
    below, above = (max(share, CONVERTED if converted else EXACT) for share in one.shares)
    return one.kind == other.kind and mine * (1 - below) <= yours <= mine * (1 + above)
