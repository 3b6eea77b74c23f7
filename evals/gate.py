"""Scores against the accepted ones in results.json: which metric fell by more than its noise?

results.json is committed: {"set name": {"cases": n, "metrics": {key: {"value": 0..1, "n": cases}}}}. The name of a set
whose answers a model wrote ends in "+" and the name of the model, so that they are compared with their own only.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any

from evals.cases import CaseError
from evals.run import SYSTEM
from evals.scores import METRICS, Metric, Rate, Scores

RESULTS = Path(__file__).parent / "results.json"


@dataclass(frozen=True)
class Accepted:
    """The accepted result of a set: its number of cases, and the rates by metric key."""

    cases: int
    rates: Mapping[str, Rate]


def name_of(set_name: str, scores: Scores) -> str:
    """The name that a run has in results.json, and that its files have."""
    return set_name + "+" + re.sub(r"[^\w.-]", "_", scores.written.model) if scores.written else set_name


def allowed_change(accepted: Rate) -> float:
    """The noise of a rate: one binomial standard error, at least one case.

    The standard error of the difference of two runs over the same cases would be the exact one, but only the rate
    is kept. It is usually smaller, so the gate is a little lenient.
    """
    error = sqrt(accepted.value * (1 - accepted.value) / accepted.n)
    return max(1 / accepted.n, error)


def fallen(accepted: Accepted, scores: Scores) -> list[str]:
    """One line for each thing that is worse than accepted by more than its noise, in the order of the table."""
    now = scores.systems[SYSTEM]
    known = [metric for metric in METRICS if metric.key in accepted.rates]
    found = [_drop(metric, accepted.rates[metric.key], now.get(metric.key)) for metric in known]
    fewer = [f"cases: {accepted.cases} before, {scores.cases} now"] if scores.cases < accepted.cases else []
    return fewer + [drop for drop in found if drop]


def _drop(metric: Metric, before: Rate, now: Rate | None) -> str | None:
    allowed = allowed_change(before)
    if now is None:
        return f"{metric.label}: {before.value:.1%} before, not measured now"
    worse = now.value - before.value if metric.lower_is_better else before.value - now.value
    if worse <= allowed + 1e-6:  # the file holds rounded values
        return None
    return f"{metric.label}: {before.value:.1%} before, {now.value:.1%} now (allowed change {allowed:.1%})"


def accepted(name: str, file: Path = RESULTS) -> Accepted:
    """The accepted result of a set. Raises CaseError when there is none, or the file cannot be read."""
    entry = _read(file).get(name)
    if entry is None:
        raise CaseError(f'{file.name} holds no accepted result of "{name}": run once with --accept')
    try:
        rates = {key: Rate(float(rate["value"]), int(rate["n"])) for key, rate in entry["metrics"].items()}
        if any(rate.n < 1 or not 0 <= rate.value <= 1 for rate in rates.values()):
            raise ValueError
        return Accepted(int(entry["cases"]), rates)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise CaseError(f'{file.name}: the result of "{name}" is malformed: run once with --accept') from None


def accept(name: str, scores: Scores, file: Path = RESULTS) -> None:
    """Make the scores the accepted ones of their set; the other sets in the file stay. Raises CaseError."""
    kept = _read(file) if file.exists() else {}
    rates = scores.systems[SYSTEM]
    metrics = {key: {"value": round(rate.value, 6), "n": rate.n} for key, rate in rates.items()}
    entries = kept | {name: {"cases": scores.cases, "metrics": metrics}}
    try:
        file.write_text(json.dumps(entries, indent=1, sort_keys=True) + "\n", "utf-8")
    except OSError as error:
        raise CaseError(f"{file.name} cannot be written ({error.strerror})") from None


def _read(file: Path) -> dict[str, Any]:
    try:
        entries = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise CaseError(f"{file.name} does not exist: run once with --accept") from None
    except (OSError, ValueError) as error:
        raise CaseError(f"{file.name} cannot be read ({error})") from None
    if not isinstance(entries, dict):
        raise CaseError(f"{file.name} is not a JSON object: run once with --accept after deleting it")
    return entries
