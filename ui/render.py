"""Answer -> HTML. Pure functions; everything from outside goes through `escape`.

The page shows these strings in Gradio's Markdown and Chatbot components, which never evaluate a value (gr.HTML
does). Each string is one line that starts with a block tag, so Markdown takes it as one block of raw HTML.
"""

import string
from collections.abc import Collection, Sequence

from index.dates import in_words
from index.passages import Source
from index.read import printable
from rag.llm import Model
from rag.types import Answer, Citation, Claim, Disagreement, Usage

# Every ASCII punctuation mark as a numeric reference: nothing is left that HTML, Markdown, LaTeX or a template
# could take for syntax. Line breaks too, because a blank line would end the block of raw HTML.
_INERT = {ord(mark): f"&#{ord(mark)};" for mark in string.punctuation + "\n\r"}
_BADGES = {
    "partly": ("partly supported", "The source supports only a part of this sentence."),
    "unsupported": ("not supported", "The source does not say this. Do not use it."),
    "uncited": ("no source", "This sentence names no source."),
}
_SHOWN_QUESTION = 600  # characters of an over-long question that is refused


def escape(text: str) -> str:
    """Text that is shown as it is, wherever it stands in HTML or Markdown."""
    return text.translate(_INERT)


def header(name: str, sources: Sequence[Source], model: Model | None = None) -> str:
    """Name, promise, what is being asked, and who else gets to read the questions."""
    days = sorted(source.metadata.date for source in sources if source.metadata.date)
    span = ", " + _span(days[0], days[-1]) if days else ""
    count = f"{len(sources):,} article{'s' * (len(sources) != 1)}"
    return (
        '<div class="masthead"><h1>Pincite</h1>'
        '<p class="promise">Answers from your articles. Every sentence shows where it comes from.</p>'
        f'<p class="asked-of"><a href="#articles">{count}{escape(span)}</a>'
        f' <span class="folder">{escape(printable(name))}</span></p>{_written_by(model)}</div>'
    )


def _written_by(model: Model | None) -> str:
    if model is None:
        return ""
    text = f"Answers are written by {model.name} at {model.host}, which is sent your question and the sentences found."
    return f'<p class="written-by">{escape(printable(text))}</p>'


def _span(first: str, last: str) -> str:
    start, end = in_words(first), in_words(last)
    if start == end:
        return end
    if start[-5:] == end[-5:]:  # the same year
        start = start[:-5]
    return f"{start} to {end}"


def invitation() -> str:
    """What the empty conversation says."""
    return '<div class="invitation"><h2>What do you want to know?</h2><p>Try one of these:</p></div>'


def question(text: str) -> str:
    """What the reader asked."""
    shown = text if len(text) <= _SHOWN_QUESTION else text[:_SHOWN_QUESTION] + " …"
    return f'<div class="question">{escape(shown)}</div>'


def notice(text: str) -> str:
    """One line from Pincite itself: a problem, or that an answer was stopped."""
    return f'<div class="notice" role="status">{escape(text)}</div>'


def waiting(text: str) -> str:
    """What is being done, until the first sentence of an answer stands."""
    return f'<div class="notice waiting" role="status">{escape(text)}</div>'


def answer(given: Answer, turn: int, done: bool) -> str:
    """An answer with its sources. `turn` is its place in the conversation, from 0; `done` when it will not grow."""
    if given.status == "not_in_articles":
        parts = [_searched(given), _refusal(given, turn)]
    else:
        parts = [
            _searched(given),
            _short(given),
            _claims(given, turn),
            *(_disagreement(given, d, turn) for d in given.disagreements),
        ]
        parts.append(_sources(given.citations, f"cite-{turn}", "Sources"))
    if done:
        parts += [notice(given.notice)] if given.notice else []
        parts.append(_foot(given, turn))
    return f'<div class="answer {given.mode}">{"".join(parts)}</div>'


def _searched(given: Answer) -> str:
    """What a model made of the question, so that the reader can tell when it was misunderstood."""
    searched = " · ".join(escape(text) for text in given.searched)
    return f'<p class="searched">Searched for: {searched}</p>' if searched else ""


def _short(given: Answer) -> str:
    return f'<p class="short"><strong>{escape(given.short_answer)}</strong></p>' if given.short_answer else ""


def _claims(given: Answer, turn: int) -> str:
    return f'<div class="claims">{"".join(_claim(claim, given, turn) for claim in given.claims)}</div>'


def _claim(claim: Claim, given: Answer, turn: int) -> str:
    text = f"<span>{escape(claim.text)}</span>"
    if claim.verdict == "unsupported":
        text = f"<s>{text}</s>"
    marks = _marks(claim.citations, given, turn)
    badge = ""
    if claim.verdict in _BADGES:
        label, why = _BADGES[claim.verdict]
        badge = f' <span class="badge {claim.verdict}" title="{escape(why)}">{label}</span>'
    reason = f' <span class="reason">{escape(claim.reason)}</span>' if claim.reason else ""
    return f'<p class="claim {claim.verdict}">{text}{marks}{badge}{reason}</p>'


def _marks(numbers: Sequence[int], given: Answer, turn: int) -> str:
    cited = {citation.number: citation for citation in given.citations}
    return "".join(  # a no-break space keeps a number on the line of its sentence
        f'\u00a0<a class="cite" href="#cite-{turn}-{number}" title="{escape(cited[number].text)}"'
        f' aria-label="Source {number}, {_place(cited[number])}: open the article">&#91;{number}&#93;</a>'
        for number in numbers
        if number in cited
    )


def _place(citation: Citation) -> str:
    return f"{escape(printable(citation.file))}, sentence {citation.sentence}"


def _disagreement(given: Answer, found: Disagreement, turn: int) -> str:
    sides = "".join(
        f'<li><p class="says">{escape(side.says)}{_marks(side.citations, given, turn)}</p>'
        f'<p class="who">{_who(given, side.citations)}</p></li>'
        for side in found.sides
    )
    heading = f"The articles differ: {escape(found.about)}" if found.about else "The articles differ"
    return f'<div class="disagreement"><h3>{heading}</h3><ul>{sides}</ul></div>'


def _who(given: Answer, numbers: Collection[int]) -> str:
    sources = [_source_line(citation) for citation in given.citations if citation.number in numbers]
    return escape("; ".join(dict.fromkeys(sources)))


def _source_line(citation: Citation) -> str:
    name = citation.publisher or citation.title or printable(citation.file)
    return ", ".join(filter(None, (name, in_words(citation.date))))


def _sources(citations: Sequence[Citation], link: str, heading: str) -> str:
    if not citations:
        return ""
    rows = "".join(
        f'<li><a href="#{link}-{citation.number}"><span class="number">{citation.number}</span>'
        f'<span class="where"><span class="file">{escape(printable(citation.file))}</span>'
        f" · sentence {citation.sentence}{credit(citation.publisher, citation.date)}</span>"
        f'<span class="sentence">{escape(citation.text)}</span></a></li>'
        for citation in citations
    )
    return f'<div class="sources"><h3>{heading}</h3><ol>{rows}</ol></div>'


def credit(publisher: str | None, iso: str | None) -> str:
    """Publisher and date to put behind a file name, as far as they are known."""
    return "".join(f" · {escape(part)}" for part in (publisher, in_words(iso)) if part)


def _refusal(given: Answer, turn: int) -> str:
    closest = _sources(given.closest, f"near-{turn}", "The closest sentences, which do not answer it")
    return f'<p class="refusal"><strong>Not in these articles.</strong></p>{closest}'


def _foot(given: Answer, turn: int) -> str:
    if given.status == "not_in_articles":
        how = "No article answers this"
    elif given.mode == "quotes":
        how = "Quoted word for word, no language model involved"
    else:
        how = f"Written by {escape(given.usage.model)}" if given.usage else "Written by a model"
        how += ", each sentence checked against its source" + _cost(given.usage)
    copied = escape(plain(given))
    return (
        f'<div class="foot"><span>{how} · {given.seconds:.2f} s</span> '
        f'<a class="copy" href="#copy-{turn}">Copy with sources</a><span class="plain">{copied}</span></div>'
    )


def _cost(usage: Usage | None) -> str:
    if usage is None or usage.input_tokens is None or usage.output_tokens is None:
        return ""
    dollars = f", ${usage.dollars:.4f}" if usage.dollars is not None else ""
    return escape(f" · {usage.input_tokens:,} + {usage.output_tokens:,} tokens{dollars}")


def plain(given: Answer) -> str:
    """An answer and its sources as plain text, to paste into notes."""
    cited = given.citations or given.closest
    lines = [given.question, "", given.text, ""]
    lines += ["Sources" if given.citations else "Closest sentences"] if cited else []
    for citation in cited:
        place = f"{printable(citation.file)}, sentence {citation.sentence}"
        known = ", ".join(filter(None, (place, citation.publisher, in_words(citation.date))))
        lines.append(f"[{citation.number}] {known}: “{citation.text}”")
    return "\n".join(lines).strip()
