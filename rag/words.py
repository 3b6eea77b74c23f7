"""Text -> the form in which it is compared: plain, in folded words, by their lemmas; and what of it is quoted.

A quotation keeps its words and may change its typography.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

_MARKS = str.maketrans(
    {**dict.fromkeys("“”„‟«»″", '"'), **dict.fromkeys("‘’‚‛′`", "'"), **dict.fromkeys("‐‑‒–—―−", "-")}
)
_INITIALS = re.compile(r"\b(?:[A-Z]\.){2,}")
WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


# Two words that are one name, and no part of it another: "the United Nations" is not united with nations.
_LONG_FORMS = (
    (re.compile(r"\bUnited States(?: of America)?\b"), "USA"),
    (re.compile(r"\b(?:United Kingdom|Great Britain)\b"), "UK"),
    (re.compile(r"\bEuropean Union\b"), "EU"),
    (re.compile(r"\bUnited Nations\b"), "UN"),
)


def plain(text: str) -> str:
    """A text with one kind of quotation mark, apostrophe and dash, U.N. and United Nations as UN, and neither control
    characters nor markup."""
    text = unicodedata.normalize("NFKC", text).translate(_MARKS)
    kept = (" " if (kind := unicodedata.category(mark)) in ("Cc", "Cs", "Zl", "Zp") else "" if kind == "Cf" else mark
            for mark in text)  # fmt: skip
    text = " ".join("".join(kept).replace("*", "").split())
    text = _INITIALS.sub(lambda found: found.group().replace(".", ""), text)
    for pattern, short in _LONG_FORMS:
        text = pattern.sub(short, text)
    return text


def folded(text: str) -> str:
    """Lower-case letters without their accents."""
    return "".join(mark for mark in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(mark))


def words(text: str) -> list[str]:
    """The words of a plain text, folded, apostrophes kept."""
    return WORD.findall(folded(text))


# Two words or more in single marks: one alone is an apostrophe too often.
_QUOTED = re.compile(r'"([^"]{1,1500})"|(?<![\w"])\'([^"\']{2,300} [^"\']{1,300})\'(?!\w)')
_LEFT_OUT = re.compile(r"\[[^\]]{0,80}\]|\([^)]{0,80}\)|\.{2,}|…")


def quotations(text: str) -> Iterator[str]:
    """The quoted words of a plain text, without their marks."""
    for found in _QUOTED.finditer(text):
        if WORD.search(found.group()):
            yield found.group(1) or found.group(2)


def find_quotation(quotation: str, text: str) -> int:
    """Where, in words, the end of a quotation stands in a plain text; -1 when it does not.

    What the quotation leaves out ("…") or puts in ("[he]") may be anything, but the parts stand in their order.
    """
    held = f" {' '.join(words(text))} "
    place = end = 0
    for part in _LEFT_OUT.split(quotation):
        if sought := " ".join(words(part)):
            place = held.find(f" {sought} ", place)
            if place < 0:
                return -1
            place += len(sought) + 1
            end = place
    return held.count(" ", 0, end)


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
LEMMAS = {form: group.split()[0] for group in _IRREGULAR.split("|") for form in group.split()}


@lru_cache(8192)
def lemma(word: str) -> str:
    """A rough stem of a folded word: denies, denied, denying -> deni."""
    if word in LEMMAS:
        return LEMMAS[word]
    for ending in ("ing", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            word = word.removesuffix(ending)
            if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "ls":
                word = word[:-1]
            break
    return word[:-1] + "i" if word.endswith("y") and len(word) > 3 else word
