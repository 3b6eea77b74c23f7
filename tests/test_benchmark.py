"""The benchmark's arithmetic and report on made-up measurements, and its errors. No times are checked."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from evals import benchmark
from evals.comparison import Figures, disk_use, figures, missed, ratio, report, to_json
from evals.peer import share


def _measured() -> Figures:
    """Pincite at the goals exactly but for the build, which takes 0.75 of the peer's CPU seconds."""
    peer = {
        **{"cold_cpu": [4.0, 5.0, 3.0], "cold_wall": [8.0], "cold_resident": [700.0], "cold_peak": [700.0]},
        **{"build_cpu": [200.0], "build_wall": [220.0], "build_peak": [900.0], "build_share": [100.0]},
        **{"query_cpu": [12.0], "query_p50": [13.0], "query_p95": [20.0]},
    }
    shares = {"cold": 0.25, "build": 0.75, "query": 0.25}
    own = {name: [shares[name.split("_")[0]] * value for value in values] for name, values in peer.items()}
    default = {name: values for name, values in peer.items() if name.startswith("build_")}
    return {"pincite": own, "peer": peer, "peer_default": default | {"build_share": [51.0]}}


def _environments(folder: Path) -> dict[str, dict[str, Any]]:
    (folder / "package" / "__pycache__").mkdir(parents=True)
    (folder / "package" / "code.py").write_bytes(b"x" * 500_000)
    (folder / "package" / "__pycache__" / "code.pyc").write_bytes(b"x" * 1_000_000)
    found = {"folder": str(folder), "missing": [], "versions": {"numpy": "2.0"}}
    return {"pincite": found, "peer": found | {"versions": {"torch": "2.13.0"}}}


def test_seconds_become_figures_per_thousand_articles_and_per_query() -> None:
    built = figures("build", {"cpu": 4.0, "wall": 8.0, "peak": 300.0, "share": 0.5}, articles=200)
    assert built == {"build_cpu": 20.0, "build_wall": 40.0, "build_peak": 300.0, "build_share": 50.0}
    asked = figures("query", {"cpus": [0.004, 0.002, 0.003], "walls": [0.010, 0.020, 0.030]}, articles=200)
    assert asked == {"query_cpu": pytest.approx(3.0), "query_p50": pytest.approx(20), "query_p95": pytest.approx(30)}


def test_ratio_takes_medians_and_a_goal_is_reached_at_its_limit() -> None:
    measured = _measured()
    assert ratio(measured, "cold_cpu") == pytest.approx(0.25)  # 1.0 of 4.0, whatever the order of the rounds
    assert missed(measured) == ["build, CPU s per 1,000 articles"]


def test_report_names_the_missed_goal_and_what_the_default_embeds(tmp_path: Path) -> None:
    text = report(_measured(), {"cpu": "made up"}, _environments(tmp_path))
    lines = {line.split("  ")[0].strip(): line for line in text.splitlines() if line.strip()}
    assert "MISSED" in lines["build, CPU s per 1,000 articles"]
    assert "reached" in lines["warm query, CPU ms"]
    assert next(line for line in text.splitlines() if "text embedded" in line).split()[-1] == "51.0"
    assert "goals: 4 of 5 reached; MISSED build, CPU s per 1,000 articles" in text
    assert "no torch" in text
    assert "torch 2.13.0" in text


def test_json_keeps_every_round(tmp_path: Path) -> None:
    content = json.loads(to_json(_measured(), {"cpu": "made up"}, _environments(tmp_path)))
    assert content["rounds"]["peer"]["cold_cpu"] == [4.0, 5.0, 3.0]
    assert content["medians"]["peer"]["cold_cpu"] == 4.0
    assert content["goals"]["build_cpu"] == {"ratio": 0.75, "goal": 0.6}


def test_size_is_told_with_and_without_caches(tmp_path: Path) -> None:
    _environments(tmp_path)
    both, compact = disk_use(tmp_path)
    assert both == pytest.approx(1.5, abs=0.05)
    assert compact == pytest.approx(0.5, abs=0.05)


def test_share_of_text_counts_overlaps_once_and_no_white_space() -> None:
    texts = [("a", "one two  "), ("b", "three")]
    assert share(texts, [("a", 0, 3), ("a", 0, 3), ("b", 0, 99)]) == pytest.approx(8 / 11)
    assert share(texts, [("a", 0, 9), ("b", 0, 5)]) == 1.0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux pins a process to a core")
def test_each_side_runs_on_one_core() -> None:
    code = "import json, os; print(json.dumps({'cores': len(os.sched_getaffinity(0))}))"
    before = os.sched_getaffinity(0)
    assert benchmark._run([sys.executable, "-c", code], {"stage": "query"}) == {"cores": 1}
    assert os.sched_getaffinity(0) == before


def test_without_a_peer_one_line_says_how_to_make_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert benchmark.main(["--peer", str(tmp_path / "python")]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert "--peer" in shown.err
    assert "pip install torch==2.13.0" in shown.err


def test_a_peer_without_its_packages_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert benchmark.main(["--peer", sys.executable]) == 2  # Pincite's own environment has no torch
    shown = capsys.readouterr().err
    assert "has no torch" in shown
    assert shown.count("\n") == 1


def test_generated_articles_are_the_same_at_every_run() -> None:
    first = list(benchmark.generated(3))
    assert first == list(benchmark.generated(3))
    assert len(set(first)) == 3


@pytest.mark.parametrize("content", [b"", b"not gzip"])
def test_a_corpus_that_cannot_be_read_is_one_line(content: bytes, tmp_path: Path) -> None:
    corpus = tmp_path / "news.jsonl.gz"
    corpus.write_bytes(content)
    with pytest.raises(benchmark.BenchmarkError, match=r"news\.jsonl\.gz"):
        benchmark.rows_of(corpus)
