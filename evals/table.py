"""Scores -> the table on the terminal."""

from collections.abc import Iterator, Mapping

from evals.model import Judged, Spent, Written
from evals.run import SYSTEM
from evals.scores import METRICS, Rate, Scores

# The columns of the table by question type: heading, metric key.
TYPE_COLUMNS = {
    "recall@10": "evidence_recall_10",
    "first right": "first_citation",
    "precision": "citation_precision",
    "recall": "citation_recall",
    "answer": "answer_right",
    "false ref.": "false_refusal",
    "refusal": "refusal",
}


def table(name: str, scores: Scores) -> str:
    """All scores as aligned plain text, a metric a line, the baselines beside the system."""
    return "\n".join([*_metrics(name, scores), "", *_checks(scores), "", *_types(scores)])


def _metrics(name: str, scores: Scores) -> Iterator[str]:
    others = [system for system in scores.systems if system != SYSTEM]
    yield f"{name}: {scores.cases} cases, answers by {scores.written.model if scores.written else scores.mode}"
    yield f"{'':30}{'n':>5}{SYSTEM:>10}   {'95% interval':14}" + "".join(f"{system:>18}" for system in others)
    for metric in METRICS:
        rate = scores.systems[SYSTEM].get(metric.key)
        if rate is None:
            continue
        low, high = rate.interval
        cells = "".join(f"{percent(scores.systems[system].get(metric.key)):>18}" for system in others)
        yield f"{metric.label:30}{rate.n:>5}{percent(rate):>10}   {f'{low:.1%} - {high:.1%}':14}{cells}"


def _checks(scores: Scores) -> Iterator[str]:
    p50, p95 = scores.seconds
    yield f"citations exact (text == decoded[start:end]): {exact(scores)}"
    yield from (f"  {fault}" for fault in scores.faults[:20])
    yield f"seconds of a warm ask: p50 {p50:.3f}, p95 {p95:.3f}"
    if scores.written:
        yield "seconds to the first sentence: p50 {:.3f}, p95 {:.3f}".format(*scores.first)
        yield from _written(scores.written, scores.cases)
    if scores.judged:
        yield from _judged(scores.judged)


def _written(written: Written, cases: int) -> Iterator[str]:
    claims = sum(written.verdicts.values())
    shares = (f"{verdict} {share(count, claims)}" for verdict, count in written.verdicts.items())
    yield f"{claims} claims in {written.answers} answers by {written.model}: {', '.join(shares)}"
    yield f"fell back to quotes: {share(cases - written.answers, cases)}"
    yield from _reasons(written.fell_back)
    yield f"ended early: {share(sum(written.ended_early.values()), written.answers)}"
    yield from _reasons(written.ended_early)
    yield _spent(written.model, written.spent)


def _judged(judged: Judged) -> Iterator[str]:
    rates = {"correct": judged.correct, "faithful": judged.faithful}
    told = (f"{name} {percent(rate)} of {rate.n}" for name, rate in rates.items() if rate)
    yield f"judged by {judged.model}: {', '.join(told) or 'nothing'}; without a verdict {sum(judged.unjudged.values())}"
    yield from _reasons(judged.unjudged)
    if judged.agreement:
        chance = "not defined" if judged.kappa is None else f"{judged.kappa:.2f}"
        agreed = f"{percent(judged.agreement)} of {judged.agreement.n}"
        yield f'judged correct, beside "answer holds accepted string": agree on {agreed}, Cohen\'s kappa {chance}'
    yield _spent(judged.model, judged.spent)


def _reasons(reasons: Mapping[str, int]) -> Iterator[str]:
    return (f"{count:>5}  {reason}" for reason, count in reasons.items())


def _spent(model: str, spent: Spent) -> str:
    cost = (
        f"{spent.dollars:.4f} dollars, {spent.dollars / spent.priced:.6f} a question" if spent.priced else "not known"
    )
    priced = f" ({spent.priced} of {spent.calls} answers)" if 0 < spent.priced < spent.calls else ""
    return (
        f"{model}: tokens {spent.input_tokens:,} in, {spent.output_tokens:,} out "
        f"({spent.counted} of {spent.calls} answers tell), cost {cost}{priced}"
    )


def _types(scores: Scores) -> Iterator[str]:
    yield f"{'by type':20}{'n':>5}" + "".join(f"{heading:>12}" for heading in TYPE_COLUMNS)
    for name, (count, rates) in sorted(scores.types.items(), key=lambda item: (-item[1][0], item[0])):
        yield f"{name:20}{count:>5}" + "".join(f"{percent(rates.get(key)):>12}" for key in TYPE_COLUMNS.values())


def summary(name: str, scores: Scores, fell: int | None) -> str:
    """One line for a build log. `fell` counts what the gate found, None when it was not asked."""
    shown = {"first citation": "first_citation", "recall@10": "evidence_recall_10", "answer": "answer_right"}
    shown |= {"claims supported": "claims_supported", "refusal": "refusal", "false refusal": "false_refusal"}
    rates = scores.systems[SYSTEM]
    parts = [f"{label} {percent(rates[key])}" for label, key in shown.items() if key in rates]
    gate = "" if fell is None else f", gate {'passed' if fell == 0 else f'FAILED ({fell})'}"
    return (
        f"evals {name}: {scores.cases} cases, {', '.join(parts)}, citations exact {exact(scores)}, "
        f"p50 {1000 * scores.seconds[0]:.0f} ms{gate}"
    )


def exact(scores: Scores) -> str:
    """Faults among the citations that were checked."""
    return f"{scores.citations} of {scores.citations}" if not scores.faults else f"{len(scores.faults)} FAULTS"


def share(count: int, total: int) -> str:
    """A part of a whole for people: "80.0% (8)"."""
    return f"{count / total:.1%} ({count})" if total else f"- ({count})"


def percent(rate: Rate | None) -> str:
    """A rate for people, "-" for none."""
    return f"{rate.value:.1%}" if rate else "-"
