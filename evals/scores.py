"""Results -> scores: every metric of every system with its number of cases and its interval."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from evals import metrics
from evals.cases import Case
from evals.metrics import Outcome
from evals.model import Judged, Written, judged, written
from evals.run import SYSTEM, Result
from evals.statistics import Rate, mean, percentile
from rag.types import Answer


@dataclass(frozen=True)
class Metric:
    """A row of the table: a number between 0 and 1 per case, or None where it does not apply."""

    key: str
    label: str
    measure: Callable[[Case, Outcome], float | None]
    lower_is_better: bool = False


METRICS = (
    Metric("evidence_recall_5", "evidence recall@5 (any)", partial(metrics.evidence_recall_at, 5)),
    Metric("evidence_recall_10", "evidence recall@10 (any)", partial(metrics.evidence_recall_at, 10)),
    Metric("evidence_share_5", "evidence found in top 5", partial(metrics.evidence_share_at, 5)),
    Metric("evidence_share_10", "evidence found in top 10", partial(metrics.evidence_share_at, 10)),
    Metric("first_citation", "first citation right", metrics.first_citation_right),
    Metric("best_sentence", "best sentence right", metrics.best_sentence_right),
    Metric("citation_precision", "citation precision", metrics.citation_precision),
    Metric("citation_recall", "citation recall", metrics.citation_recall),
    Metric("answer_right", "answer holds accepted string", metrics.answer_right),
    Metric("short_given", "short answer given", metrics.short_answer_given),
    Metric("short_exact", "short answer exact", metrics.short_answer_exact),
    Metric("short_f1", "short answer token F1", metrics.short_answer_f1),
    Metric("sides_cited", "sides of disagreement cited", metrics.sides_cited),
    Metric("disagreement_shown", "disagreement shown as one", metrics.disagreement_shown),
    Metric("claims_supported", "claims supported", metrics.claims_supported),
    Metric("refusal", "refusal of unanswerable", metrics.refusal),
    Metric("false_refusal", "false refusal (low is good)", metrics.false_refusal, lower_is_better=True),
)


@dataclass(frozen=True)
class Scores:
    """The numbers of a run. Rates are by metric key; a metric that applies to no case is not there."""

    cases: int
    systems: Mapping[str, Mapping[str, Rate]]
    types: Mapping[str, tuple[int, Mapping[str, Rate]]]  # question type -> (cases, the system's own rates)
    citations: int  # checked, the offered closest sentences included
    faults: tuple[str, ...]  # "case id: what is wrong"; none on a healthy run
    seconds: tuple[float, float]  # p50 and p95 of a warm answer
    first: tuple[float, float]  # the same, to its first sentence
    written: Written | None = None  # None: no model was to write
    judged: Judged | None = None  # None: there was no judge

    @property
    def mode(self) -> str:
        """What was to answer: "model" or "quotes"."""
        return "model" if self.written else "quotes"


def score(results: Sequence[Result], model: str | None = None, judge: str | None = None) -> Scores:
    """The scores of at least one result; `model` was to write the answers, `judge` judged them."""
    answers = [result.outcomes[SYSTEM].answer for result in results]
    times = sorted(result.seconds for result in results)
    firsts = sorted(result.first for result in results)
    by_type: dict[str, list[Result]] = {}
    for result in results:
        by_type.setdefault(result.case.type, []).append(result)
    return Scores(
        cases=len(results),
        systems={name: rates(results, name) for name in results[0].outcomes},
        types={name: (len(some), rates(some, SYSTEM)) for name, some in by_type.items()},
        citations=sum(len(answer.citations) + len(answer.closest) for answer in answers),
        faults=tuple(f"{result.case.id}: {fault}" for result in results for fault in result.faults),
        seconds=(percentile(times, 50), percentile(times, 95)),
        first=(percentile(firsts, 50), percentile(firsts, 95)),
        written=written(results, model) if model else None,
        judged=judged(results, judge) if judge else None,
    )


def rates(results: Iterable[Result], system: str) -> dict[str, Rate]:
    """Metric key -> mean over the cases that it applies to."""
    pairs = [(result.case, result.outcomes[system]) for result in results]
    found = {metric.key: mean(metric.measure(case, outcome) for case, outcome in pairs) for metric in METRICS}
    return {key: rate for key, rate in found.items() if rate}


# Why a case counts as failed: label -> whether it did. The order is that of the steps, earliest first.
FAILURES: Mapping[str, Callable[[Result], bool]] = {
    "citation not exact": lambda result: bool(result.faults),
    "evidence not in top 10": lambda result: _is(0, result, partial(metrics.evidence_recall_at, 10)),
    "refused, though answerable": lambda result: _is(1, result, metrics.false_refusal),
    "answered, though not in the articles": lambda result: _is(0, result, metrics.refusal),
    "first citation wrong": lambda result: _answered(result) and _is(0, result, metrics.first_citation_right),
    "no accepted string": lambda result: _answered(result) and _is(0, result, metrics.answer_right),
    "fell back to quotes": lambda result: bool(_answer(result).mode == "quotes" and _answer(result).notice),
    "a claim not supported": lambda result: (
        metrics.claims_supported(result.case, result.outcomes[SYSTEM]) not in (None, 1.0)
    ),
    "judged not correct": lambda result: bool(result.judgement and result.judgement.correct is False),
    "judged not faithful": lambda result: bool(result.judgement and result.judgement.faithful is False),
}


def failures(result: Result) -> tuple[str, ...]:
    """The labels of what went wrong in a case; empty when all is right."""
    return tuple(label for label, failed in FAILURES.items() if failed(result))


def _answer(result: Result) -> Answer:
    return result.outcomes[SYSTEM].answer


def _answered(result: Result) -> bool:
    return not metrics.refused(_answer(result))


def _is(value: float, result: Result, measure: Callable[[Case, Outcome], float | None]) -> bool:
    return measure(result.case, result.outcomes[SYSTEM]) == value
