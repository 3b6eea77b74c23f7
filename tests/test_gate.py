"""The gate: a drop beyond noise fails, one within passes, in both directions and for every kind of damage."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from evals import gate
from evals.cases import CaseError
from evals.gate import Accepted
from evals.model import written
from evals.run import SYSTEM
from evals.scores import Scores
from evals.statistics import Rate


def scores(rates: Mapping[str, Rate], cases: int = 100, model: str | None = None) -> Scores:
    by_model = written((), model) if model else None
    return Scores(cases, {SYSTEM: rates, "keywords": {}}, {}, 10, (), (0.1, 0.2), (0.1, 0.2), by_model)


@pytest.mark.parametrize(
    ("before", "allowed"),
    [
        (Rate(0.8, 100), 0.04),  # sqrt(0.8 * 0.2 / 100)
        (Rate(1.0, 50), 0.02),  # no variance: one case
        (Rate(0.0, 50), 0.02),
        (Rate(0.5, 4), 0.25),
    ],
)
def test_allowed_change_is_a_standard_error_and_at_least_one_case(before: Rate, allowed: float) -> None:
    assert gate.allowed_change(before) == pytest.approx(allowed)


@pytest.mark.parametrize(
    ("key", "now", "falls"),
    [
        ("first_citation", 0.80, False),
        ("first_citation", 0.76, False),  # exactly the noise
        ("first_citation", 0.75, True),
        ("first_citation", 0.99, False),  # better
        ("false_refusal", 0.84, False),  # lower is better: a rise within the noise
        ("false_refusal", 0.85, True),
        ("false_refusal", 0.10, False),
    ],
)
def test_only_a_change_for_the_worse_beyond_noise_falls(key: str, now: float, falls: bool) -> None:
    before = Accepted(100, {key: Rate(0.8, 100)})
    assert bool(gate.fallen(before, scores({key: Rate(now, 100)}))) is falls


def test_a_drop_is_told_with_both_numbers() -> None:
    (line,) = gate.fallen(Accepted(100, {"refusal": Rate(0.8, 100)}), scores({"refusal": Rate(0.7, 100)}))
    assert line == "refusal of unanswerable: 80.0% before, 70.0% now (allowed change 4.0%)"


def test_a_metric_that_is_gone_and_fewer_cases_fall() -> None:
    before = Accepted(100, {"refusal": Rate(0.8, 20), "first_citation": Rate(0.8, 80)})
    lines = gate.fallen(before, scores({"first_citation": Rate(0.8, 80)}, cases=80))
    assert lines == ["cases: 100 before, 80 now", "refusal of unanswerable: 80.0% before, not measured now"]


def test_a_new_metric_and_more_cases_do_not_fall() -> None:
    before = Accepted(100, {"refusal": Rate(0.8, 20)})
    assert gate.fallen(before, scores({"refusal": Rate(0.8, 20), "first_citation": Rate(0.1, 90)}, cases=110)) == []


def test_accepted_scores_pass_their_own_gate_and_keep_other_sets(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    thirds = scores({"first_citation": Rate(2 / 3, 3), "refusal": Rate(1.0, 2)}, cases=5)
    gate.accept("default", thirds, file)
    gate.accept("other", scores({"refusal": Rate(0.5, 2)}), file)
    assert gate.fallen(gate.accepted("default", file), thirds) == []
    assert gate.accepted("default", file).cases == 5
    assert set(json.loads(file.read_text("utf-8"))) == {"default", "other"}


def test_answers_of_a_model_are_compared_with_its_own_only() -> None:
    assert gate.name_of("default", scores({})) == "default"
    assert gate.name_of("default", scores({}, model="gpt-5-mini")) == "default+gpt-5-mini"
    # it is the name of files too
    assert gate.name_of("default", scores({}, model="../org/llama3:8b")) == "default+.._org_llama3_8b"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "does not exist"),
        ("{", "cannot be read"),
        ("[]", "not a JSON object"),
        ("{}", 'no accepted result of "default"'),
        ('{"default": {"cases": 3}}', "malformed"),
        ('{"default": {"cases": 3, "metrics": {"refusal": {"value": 0.5, "n": 0}}}}', "malformed"),
        ('{"default": {"cases": 3, "metrics": {"refusal": {"value": "x", "n": 1}}}}', "malformed"),
    ],
)
def test_a_result_that_cannot_be_used_is_one_line(tmp_path: Path, content: str | None, says: str) -> None:
    file = tmp_path / "results.json"
    if content is not None:
        file.write_text(content, "utf-8")
    with pytest.raises(CaseError, match=says) as error:
        gate.accepted("default", file)
    assert "\n" not in str(error.value)
