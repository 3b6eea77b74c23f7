"""Results -> one HTML page to read case by case, failures first, and the same as JSON.

The page needs nothing from elsewhere. Everything that comes from articles, questions or a model is escaped, and a
content security policy that allows only the page's own script stands behind it.
"""

import json
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any

from evals.cases import Case, Evidence, Span
from evals.judge import Judgement
from evals.metrics import Outcome, first_citation_right, holds, is_right, refused
from evals.run import SYSTEM, Result
from evals.scores import Scores, failures
from evals.statistics import Rate
from evals.table import table
from rag.types import Answer, Citation, Claim

TEMPLATE = Path(__file__).parent / "report.html"


def page(name: str, results: Sequence[Result], scores: Scores) -> str:
    """The HTML page."""
    template = TEMPLATE.read_text("utf-8")
    script = re.search(r"<script>(.*?)</script>", template, re.DOTALL)
    assert script
    labels = Counter(label for result in results for label in failures(result))
    types = Counter(result.case.type for result in results)
    parts = {
        "name": escape(name),
        "script hash": "sha256-" + b64encode(sha256(script[1].encode()).digest()).decode(),
        "table": escape(table(name, scores)),
        "types": _options(types),
        "failures": _options(labels),
        "cases": "\n".join(_case(result) for result in sorted(results, key=lambda result: not failures(result))),
    }
    # One pass over the template: a marker inside an article is text.
    return re.sub("@@(.+?)@@", lambda marker: parts[marker[1]], template)


def _options(counts: Mapping[str, int]) -> str:
    return "".join(f'<option value="{escape(key)}">{escape(key)} ({count})</option>' for key, count in counts.items())


def _case(result: Result) -> str:
    case, outcome, failed = result.case, result.outcomes[SYSTEM], failures(result)
    tags = "".join(f' <span class="tag bad">{escape(label)}</span>' for label in failed)
    lines = [
        f'<article class="{"failed" if failed else "passed"}" data-type="{escape(case.type)}" '
        f'data-failures="{escape(json.dumps(failed))}">',
        f'<h2>{escape(case.question)}</h2><p><span class="tag">{escape(case.id)}</span> '
        f'<span class="tag">{escape(case.type)}</span>{tags} <span class="where">{result.seconds:.3f} s</span></p>',
        *(_labelled("before", f"{turn.question} - {turn.answer}") for turn in case.history),
        _labelled("expected", " | ".join(case.answers) if case.answerable else "not in these articles"),
        *(_labelled("a side", " | ".join(group)) for group in case.answer_groups),
        _labelled("answer", outcome.answer.text or "(none)"),
        *_written(outcome.answer),
        *_judgement(result.judgement),
        *_answer(case, outcome.answer),
        *_evidence(case, outcome),
        *_baselines(result),
        *(_labelled("NOT EXACT", fault) for fault in result.faults),
        "</article>",
    ]
    return "\n".join(lines)


def _written(answer: Answer) -> Iterator[str]:
    """Why no model wrote it, or each of its claims with the verdict, and what it cost."""
    if answer.notice:
        yield _labelled("notice", answer.notice)
    if answer.searched:
        yield _labelled("searched for", " | ".join(answer.searched))
    if answer.mode == "model":
        yield _list("claims", map(_claim, answer.claims))
    if answer.usage:
        told = {"in": answer.usage.input_tokens, "out": answer.usage.output_tokens, "dollars": answer.usage.dollars}
        known = [f"{count:,} {name}" for name, count in told.items() if count is not None]
        yield _labelled(f"tokens of {answer.usage.model}", ", ".join(known) or "not told")


def _claim(claim: Claim) -> str:
    right = {"supported": True, "partly": None}.get(claim.verdict, False)
    text = claim.text + "".join(f" [{number}]" for number in claim.citations)
    return _item(right, text, f"{claim.verdict}{': ' if claim.reason else ''}{claim.reason or ''}")


def _judgement(judgement: Judgement | None) -> Iterator[str]:
    if judgement and judgement.correct is None:
        yield _labelled("judge", f"no verdict: {judgement.reason}")
    elif judgement:
        verdicts = {"correct": judgement.correct, "faithful": judgement.faithful}
        said = ", ".join(name if verdict else f"not {name}" for name, verdict in verdicts.items())
        yield _labelled("judge", f"{said}: {judgement.reason}")


def _answer(case: Case, answer: Answer) -> Iterator[str]:
    """Short answer, disagreements, and the citations marked right or wrong."""
    if answer.short_answer:
        yield _labelled("short answer", answer.short_answer)
    for disagreement in answer.disagreements:
        sides = "; ".join(f"{side.says} {list(side.citations)}" for side in disagreement.sides)
        yield _labelled(f"disagreement about {disagreement.about}", sides)
    if answer.citations:
        yield _list("citations", (_citation(citation, case) for citation in answer.citations))
    if answer.closest:
        yield _list("closest, offered with the refusal", (_citation(citation, case) for citation in answer.closest))


def _citation(citation: Citation, case: Case) -> str:
    where = f"{citation.file}, sentence {citation.sentence}"
    known = ", ".join(part for part in (citation.publisher, citation.date) if part)
    return _item(is_right(citation, case), f"[{citation.number}] {citation.text}", f"{where}{known and ', '}{known}")


def _evidence(case: Case, outcome: Outcome) -> Iterator[str]:
    """The hand-marked evidence: whether it is cited, and at which rank it was retrieved."""
    if case.evidence:
        cited = [] if refused(outcome.answer) else list(outcome.answer.citations)
        spans = [Span(citation.file, citation.start, citation.end) for citation in cited]
        yield _list("evidence (✓ cited)", (_piece(piece, spans, outcome) for piece in case.evidence))


def _piece(piece: Evidence, cited: Sequence[Span], outcome: Outcome) -> str:
    rank = next((rank for rank, span in enumerate(outcome.passages, 1) if holds(span, piece)), None)
    files = ", ".join(dict.fromkeys(place.file for place in piece.places))
    found = f"passage {rank} of the search" if rank else "not in the top 10 of the search"
    return _item(any(holds(span, piece) for span in cited) or None, piece.text, f"{files}, {found}")


def _baselines(result: Result) -> Iterator[str]:
    """What the baselines cite, when the case has evidence."""
    others = {name: outcome for name, outcome in result.outcomes.items() if name != SYSTEM}
    if result.case.answerable:
        yield _list("baselines", (_baseline(name, result.case, outcome) for name, outcome in others.items()))


def _baseline(name: str, case: Case, outcome: Outcome) -> str:
    return _item(bool(first_citation_right(case, outcome)), outcome.answer.text or "(none)", name)


def _list(label: str, items: Iterable[str]) -> str:
    return f'<p class="label">{escape(label)}</p><ul>{"".join(items)}</ul>'


def _item(right: bool | None, text: str, where: str) -> str:
    """A line marked right, wrong, or (None) neither: one of several pieces of evidence need not be cited."""
    mark = {True: "good", False: "bad", None: "none"}[right]
    return (
        f'<li class="{mark}"><span class="text">{escape(text)}</span> <span class="where">{escape(where)}</span></li>'
    )


def _labelled(label: str, text: str) -> str:
    return f'<p><span class="label">{escape(label)}:</span> <span class="text">{escape(text)}</span></p>'


def to_json(name: str, results: Sequence[Result], scores: Scores) -> str:
    """Scores and cases as JSON. `exact` holds the number of citations checked and the faults found."""
    content = {
        "set": name,
        "cases": scores.cases,
        "mode": scores.mode,
        "exact": {"checked": scores.citations, "faults": list(scores.faults)},
        "seconds": _percentiles(scores.seconds),
        "seconds_to_first": _percentiles(scores.first),
        "written": scores.written and asdict(scores.written),
        "judged": scores.judged and asdict(scores.judged),
        "systems": {system: _rates(rates) for system, rates in scores.systems.items()},
        "types": {kind: {"cases": count, "metrics": _rates(rates)} for kind, (count, rates) in scores.types.items()},
        "rows": [_row(result) for result in results],
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _percentiles(seconds: tuple[float, float]) -> dict[str, float]:
    return {"p50": round(seconds[0], 4), "p95": round(seconds[1], 4)}


def _rates(rates: Mapping[str, Rate]) -> dict[str, Any]:
    return {key: {"value": rate.value, "n": rate.n, "interval": list(rate.interval)} for key, rate in rates.items()}


def _row(result: Result) -> dict[str, Any]:
    return {
        "id": result.case.id,
        "type": result.case.type,
        "failures": list(failures(result)),
        "seconds": round(result.seconds, 4),
        "seconds_to_first": round(result.first, 4),
        "answer": result.outcomes[SYSTEM].answer.to_dict(),
        "judgement": result.judgement and asdict(result.judgement),
        "passages": [[span.file, span.start, span.end] for span in result.outcomes[SYSTEM].passages],
        "baselines": {
            name: [[citation.file, citation.sentence] for citation in outcome.answer.citations]
            for name, outcome in result.outcomes.items()
            if name != SYSTEM
        },
    }
