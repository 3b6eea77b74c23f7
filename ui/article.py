"""Article -> HTML for the right side of the page: the article at a sentence, or the list of articles."""

from collections.abc import Collection, Sequence
from hashlib import sha256

from index.dates import in_words
from index.passages import Source
from index.read import printable
from index.sentences import Sentence
from rag.types import Citation
from ui.render import credit, escape, notice

_LISTED = 60  # articles in the list: more are found by asking
_AROUND = 300  # sentences shown before and after the cited one: a longer page would be slow to draw


def file_link(file: str) -> str:
    """The link that opens an article at its top. A hash, so that no path ever comes back from the page."""
    return "file-" + sha256(file.encode()).hexdigest()[:16]


def at_sentence(
    source: Source, text: str, sentences: Sequence[Sentence], cited: int | None, also: Collection[int]
) -> str:
    """An article with the sentence number `cited` highlighted and the sentences `also` marked more lightly."""
    place = cited or 1
    shown = [sentence for sentence in sentences if abs(sentence.number - place) <= _AROUND]
    before, after = (shown[0].number - 1, len(sentences) - shown[-1].number) if shown else (0, 0)
    parts = [f'<p class="left-out">{before:,} earlier sentences are left out here.</p>'] if before else []
    parts.append("<p>")
    for previous, sentence in zip([None, *shown], shown, strict=False):
        if previous:
            gap = text[previous.end : sentence.start]
            parts.append("</p><p>" if "\n" in gap or "\r" in gap else " ")
        parts.append(_sentence(sentence, cited, also))
    parts.append("</p>")
    if after:
        parts.append(f'<p class="left-out">{after:,} later sentences are left out here.</p>')
    head = _article_head(source, len(sentences), cited)
    return f'<div class="article">{head}<div class="body">{"".join(parts)}</div></div>'


def _sentence(sentence: Sentence, cited: int | None, also: Collection[int]) -> str:
    text = escape(sentence.text)
    if sentence.number == cited:
        return f'<mark id="cited">{text}</mark>'
    if sentence.number in also:
        return f'<mark class="also">{text}</mark>'
    return f'<span class="boilerplate">{text}</span>' if sentence.boilerplate else f"<span>{text}</span>"


def _article_head(source: Source, count: int, cited: int | None) -> str:
    known = source.metadata
    file = escape(printable(source.file))
    title = f"<h2>{escape(known.title)}</h2>" if known.title else f'<h2 class="untitled">{file}</h2>'
    where = f"sentence {cited} of {count:,}" if cited else f"{count:,} sentences"
    note = (
        f"<details><summary>About this date</summary>{escape(known.date_basis)}</details>" if known.date_basis else ""
    )
    return (
        f'<div class="head">{_bar()}{title}'
        f'<p class="credit">{escape(known.publisher or "Publisher not stated")} · '
        f"{escape(in_words(known.date) or 'date not stated')}</p>"
        f'<p class="place"><span class="file">{file}</span> · {where}</p></div><div class="basis">{note}</div>'
    )


def _bar() -> str:
    return '<p class="bar"><a href="#articles">All articles</a> <a class="close" href="#close">Close</a></p>'


def vanished(citation: Citation) -> str:
    """Instead of a highlight that would be wrong: the article is not what it was when the answer was given."""
    return (
        f'<div class="article"><div class="head">{_bar()}<h2 class="untitled">{escape(printable(citation.file))}</h2>'
        f"</div>{notice('This article has changed or is no longer in the folder.')}"
        f'<p class="as-was">When the answer was given, its sentence {citation.sentence} read:</p>'
        f"<blockquote>{escape(citation.text)}</blockquote></div>"
    )


def problem(text: str) -> str:
    """The article side when nothing can be opened."""
    return f'<div class="article"><div class="head">{_bar()}</div>{notice(text)}</div>'


def listing(rows: Sequence[tuple[Source, str]], total: int) -> str:
    """The list of articles, each with its opening words. `rows` may be shorter than `total`."""
    items = "".join(_row(source, opening) for source, opening in rows)
    more = f'<p class="left-out">and {total - len(rows):,} more</p>' if total > len(rows) else ""
    return (
        '<div class="article list"><div class="head"><p class="bar"><a class="close" href="#close">Close</a></p>'
        '<h2>The articles</h2><p class="credit">A number such as &#91;1&#93; in an answer opens the article here, '
        f"at its sentence.</p></div><ol>{items}</ol>{more}</div>"
    )


def _row(source: Source, opening: str) -> str:
    known = source.metadata
    title = f'<span class="title">{escape(known.title)}</span>' if known.title else ""
    return (
        f'<li><a href="#{file_link(source.file)}">{title}<span class="where"><span class="file">'
        f"{escape(printable(source.file))}</span>{credit(known.publisher, known.date)}</span>"
        f'<span class="sentence">{escape(opening)}</span></a></li>'
    )


def shown(sources: Sequence[Source]) -> list[Source]:
    """The articles that the list shows: the newest first, undated ones last."""
    newest = sorted(sources, key=lambda source: source.metadata.date or "", reverse=True)
    return newest[:_LISTED]
