"""Text -> sentences: exact slices, numbered from 1. Rules over offsets, no library.

A line break always ends a sentence: headlines, captions, list items and menu lines are lines of their own in
news pages, and libraries glue them to their neighbours (boundary F1 on the five default articles: NLTK punkt
0.87, pysbd 0.96, blingfire 0.87; these rules: `python -m evals.sentences`).
"""

import re
from dataclasses import dataclass

from index.metadata import byline_span

MAX_LENGTH = 2000  # characters; a longer "sentence" is cut at a space: it is a table, code or noise
MAX_HEADLINE = 300  # characters; a longer line is not a headline


@dataclass(frozen=True)
class Sentence:
    """`text == article.text[start:end]`, in code points. Boilerplate is shown but is never evidence."""

    number: int
    start: int
    end: int
    text: str
    boilerplate: bool = False


# A full stop after these does not end a sentence.
_TITLES = (
    "Mr Mrs Ms Mx Dr Prof Rev Fr Sr Jr St Gen Lt Col Maj Capt Cmdr Adm Sgt Cpl Pvt Gov Sen Rep Hon Pres Amb Supt Insp"
)
_NEVER_LAST = (
    "vs v e.g i.e cf viz a.k.a approx dept est al Mt Ft No Nos p pp ed eds Sec Art Fig "
    "Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec"
)
_NEVER_FINAL = frozenset(word.lower() for word in (_TITLES + " " + _NEVER_LAST).split())
# After these it does only if what follows looks like the start of a sentence.
_MAYBE_FINAL = frozenset("inc corp co ltd llc plc bros etc a.m p.m u.s u.k u.n e.u d.c ph.d m.d b.a m.a jr sr".split())
_STARTERS = frozenset(
    "the a an he she it they we i you his her its their our my this that these those there here but and or so in on at "
    "by for from with as if when while after before since until however meanwhile still yet also according what who "
    "why how where no not one two some many most all both each last next".split()
)

# Possessive, and only from the start of a run: a line of a million full stops must not take a million squared steps.
_STOP = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’»)\]]*+(?=\s)")
_OPENING = "\"'“‘«([¿¡—–-"
_BEFORE_STOP = re.compile(r"[^\s\"“”‘’'(\[«]+\Z")
_LINE = re.compile(r"[^\r\n\u2028\u2029\x0b\x0c\x85]+")


def split(text: str) -> tuple[Sentence, ...]:
    """All sentences of a text in order. They do not overlap, and between them stands only white space."""
    byline = byline_span(text)
    sentences: list[Sentence] = []
    for line in _LINE.finditer(text):
        whole_line = is_boilerplate(line.group().strip())
        for start, end in _split_line(text, line.start(), line.end()):
            boilerplate = whole_line or (start, end) == byline or is_boilerplate(text[start:end])
            sentences.append(Sentence(len(sentences) + 1, start, end, text[start:end], boilerplate))
    return tuple(sentences)


def _split_line(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Trimmed, non-empty (start, end) spans of one line."""
    title_case = end - start <= MAX_HEADLINE and _is_title_case(text[start:end])
    stops = _STOP.finditer(text, start, end)
    cuts = [stop.end() for stop in stops if _ends_sentence(text, stop, start, end, title_case)]
    spans = []
    for left, right in zip([start, *cuts], [*cuts, end], strict=True):
        spans += _cut_long(text, left, right)
    return spans


def _cut_long(text: str, start: int, end: int) -> list[tuple[int, int]]:
    spans = []
    while True:
        start, end = _trim(text, start, end)
        if end - start <= MAX_LENGTH:
            return [*spans, (start, end)] if start < end else spans
        space = text.rfind(" ", start + 1, start + MAX_LENGTH)
        cut = space if space > start else start + MAX_LENGTH
        spans.append(_trim(text, start, cut))
        start = cut


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without the white space and byte order marks at its ends."""
    while start < end and (text[start].isspace() or text[start] == "\ufeff"):
        start += 1
    while start < end and (text[end - 1].isspace() or text[end - 1] == "\ufeff"):
        end -= 1
    return start, end


def _ends_sentence(text: str, stop: re.Match[str], line_start: int, line_end: int, title_case: bool) -> bool:
    mark = stop.group()
    follows = text[stop.end() : min(line_end, stop.end() + 80)].lstrip()
    if not follows:
        return False
    word = follows.lstrip(_OPENING)[:40]
    if not word or word[0].islower():
        # "Yahoo! said", "why?" he asked, "e.g. this"; but "iPhone sales fell" may open a sentence
        return bool(re.match(r"[a-z][A-Z]", word)) and mark[0] in ".!?"
    if mark[0] != "." or mark.startswith(".."):
        return True
    so_far = text[max(line_start, stop.start() - 40) : stop.start()]
    before = _BEFORE_STOP.search(so_far)
    written = before.group() if before else ""
    if len(mark) > 1:  # a closing quote or bracket stands between: the stop belongs to what it closes
        return written.lower() not in _NEVER_FINAL or mark[1] in "\"'”’»"
    if written.isdigit() and so_far.strip(" •-*\t") == written:  # "1. First item": a list mark
        return False
    next_word = re.match(r"[\w’']*", word)
    return _full_stop_ends(written, next_word.group().lower() if next_word else "", title_case)


def _full_stop_ends(written: str, next_word: str, title_case: bool) -> bool:
    """Whether a plain full stop after the word `written` ends a sentence, given the word that follows."""
    last = written.lower()
    starts = next_word in _STARTERS and not title_case
    if last in _NEVER_FINAL:
        # "No." and "St." can also end one: "He said no. The talks ended."
        return last in ("no", "art", "ed", "fig", "al") and written.islower() and starts
    if last in _MAYBE_FINAL or re.fullmatch(r"(?:[a-z]\.)+[a-z]", last):
        return starts
    # an initial: "J. K. Rowling"; "plan B. The" ends
    return not re.fullmatch(r"[a-z]", last) or written.islower() or starts


def _is_title_case(line: str) -> bool:
    """A headline such as "U.S. Joins E.U. In Sanctioning Spokesman": its capitals do not mark sentence starts."""
    words = re.findall(r"[^\W\d_]{3,}", line)
    return len(words) >= 5 and sum(word[0].isupper() for word in words) >= 0.8 * len(words)


# Lines of a page that are not part of its story. Whole-line patterns: a sentence of the story never matches.
_BOILERPLATE = re.compile(
    r"""^[\s•·*▪–-]*(?:
      (?:you\s?tube|facebook|twitter|instagram|linkedin|whatsapp|telegram|tiktok|reddit|pinterest|e-?mail)
    | (?:print|copy\ link)
    | (?:share|follow|tweet|save|comments?|subscribe|sign\ (?:in|up)|log\ ?in|menu|search|home|advertisement|sponsored)
    | share\ (?:this|on|via)\b.{0,60}
    | follow\ us\b.{0,60}
    | @\w{2,30}
    | (?:load|read|show|see|view)\ more\W*
    | (?:also\ read|read\ (?:also|more|next)|see\ also|more\ from|more:|recommended|just\ watched|most\ read).{0,160}
    | (?:related(?:\ (?:news|articles?|stories|topics|links?))?|trending(?:\ now)?).{0,160}
    | (?:english|latest|breaking|top|world|local)\ news
    | (?:©|\(c\)|copyright\b).{0,200}
    | .{0,80}\ball\ rights\ reserved\b.{0,100}
    | (?:photo|image|picture)\ (?:by|credit|courtesy|via)\b.{0,80}
    | (?:contributing|reporting\ by|editing\ by)\b:?.{0,160}
    | [a-z0-9]+(?:-[a-z0-9]+)+-unsplash
    | [^.:]{3,80}/\ ?(?:unsplash|shutterstock|pexels|alamy|istock|getty(?:\ images)?)\.?
    | (?:click|tap)\ here\b.{0,80}
    | (?:accept|manage)\ (?:all\ )?cookies.{0,60}
    | skip\ to\ (?:main\ )?content
    )\s*$""",
    re.VERBOSE | re.IGNORECASE,
)
_SLUG = re.compile(r"[A-Z]{3,}(?:-[A-Z]{3,})+")  # UKRAINE-RUSSIA-CONFLICT
_ICON = re.compile(r"icon ", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]")


def is_boilerplate(line: str) -> bool:
    """Menus, share buttons, "Load more", "Also Read: …", copyright lines, image slugs, and "***": a line of no word."""
    if len(_ICON.findall(line)) >= 5 or not _WORD.search(line):
        return True
    return len(line) <= 240 and bool(_BOILERPLATE.match(line) or _SLUG.fullmatch(line))


_STATEMENT = re.compile(r"[.!…][\"'”’»)\]]*$")


def is_statement(text: str) -> bool:
    """Whether a sentence ends like a statement. Headlines, captions and questions name much and say little."""
    return _STATEMENT.search(text) is not None
