"""What the benchmark measured -> figures, their medians and ratios beside the goals, as a table and as JSON."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from evals.statistics import percentile

Figures = dict[str, dict[str, list[float]]]  # side -> figure -> its value in each round
Environments = Mapping[str, Mapping[str, Any]]  # side -> what `evals.peer.environment` found

SHOWN = ("onnxruntime", "torch", "transformers", "sentence-transformers", "llama-index-core", "chromadb", "numpy")


@dataclass(frozen=True)
class Line:
    """A figure of the table. `goal`: the most that Pincite's may be of the peer's."""

    figure: str
    label: str
    digits: int
    goal: float | None = None


LINES = (
    Line("cold_cpu", "cold start to first retrieval, CPU s", 2, 1 / 4),
    Line("cold_wall", "cold start to first retrieval, wall s", 2, 1 / 4),
    Line("cold_resident", "resident memory after it, MB", 0, 1 / 2),
    Line("cold_peak", "  peak, MB", 0),
    Line("build_cpu", "build, CPU s per 1,000 articles", 1, 0.6),
    Line("build_wall", "  wall s per 1,000 articles", 1),
    Line("build_peak", "  peak memory, MB", 0),
    Line("build_share", "  text embedded, %", 1),
    Line("query_cpu", "warm query, CPU ms", 1, 1 / 3),
    Line("query_p50", "  wall p50, ms", 1),
    Line("query_p95", "  wall p95, ms", 1),
)


def figures(stage: str, measured: Mapping[str, Any], articles: int) -> dict[str, float]:
    """The figures of one process: seconds and MB, a build's seconds per 1,000 articles, a query's in milliseconds."""
    if stage == "query":
        walls = [1000 * wall for wall in measured["walls"]]
        cpu = median(measured["cpus"]) * 1000
        return {
            "query_cpu": cpu,
            "query_p50": percentile(sorted(walls), 50),
            "query_p95": percentile(sorted(walls), 95),
        }
    if stage == "cold":
        return {f"cold_{name}": measured[name] for name in ("cpu", "wall", "resident", "peak")}
    times = {f"build_{name}": measured[name] / articles * 1000 for name in ("cpu", "wall")}
    return times | {"build_peak": measured["peak"], "build_share": 100 * measured["share"]}


def ratio(measured: Figures, figure: str) -> float:
    """Median of Pincite's rounds over the median of the peer's."""
    return median(measured["pincite"][figure]) / median(measured["peer"][figure])


def missed(measured: Figures) -> list[str]:
    """Labels of the goals that are not reached."""
    return [line.label.strip() for line in LINES if line.goal and ratio(measured, line.figure) > line.goal]


def report(measured: Figures, facts: Mapping[str, Any], environments: Environments) -> str:
    """The table, with what was measured and where."""
    lines = [f"{name}: {value}" for name, value in facts.items()]
    lines += [f"{side}: {_versions(found)}" for side, found in environments.items()]
    lines += ["", *_table(measured), "", *_installed(environments)]
    failed = missed(measured)
    goals = sum(line.goal is not None for line in LINES)
    lines += ["", f"goals: {goals - len(failed)} of {goals} reached" + "".join(f"; MISSED {label}" for label in failed)]
    return "\n".join(lines)


def _table(measured: Figures) -> Iterator[str]:
    yield f"{'':40}{'pincite':>10}{'peer':>10}{'ratio':>8}   {'goal':17}{'peer, default':>14}"
    yield f"{'nodes of tokens / overlap':40}{'-':>10}{'160 / 20':>10}{'':8}   {'':17}{'1,024 / 200':>14}"
    for line in LINES:
        cells = [f"{median(measured[side][line.figure]):,.{line.digits}f}" for side in ("pincite", "peer")]
        found, goal = ratio(measured, line.figure), ""
        if line.goal:
            goal = f"<= {line.goal:.2f} " + ("reached" if found <= line.goal else "MISSED")
        default = measured["peer_default"].get(line.figure)
        last = f"{median(default):,.{line.digits}f}" if default else "-"
        yield f"{line.label:40}{cells[0]:>10}{cells[1]:>10}{found:>8.2f}   {goal:17}{last:>14}"


def _versions(found: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {found['versions'][name]}" for name in SHOWN if name in found["versions"])


def _installed(environments: Environments) -> Iterator[str]:
    for side, found in environments.items():
        size, compact = disk_use(Path(found["folder"]))
        versions = found["versions"]
        torch = f"torch {versions['torch']}" if "torch" in versions else "no torch"
        tools = "; with tools for tests and lint, so an ordinary install is smaller" if "pytest" in versions else ""
        yield (
            f"installed, {side}: {size:,.0f} MB, {compact:,.0f} without __pycache__, {len(versions)} packages, "
            f"{torch}{tools}"
        )


def disk_use(folder: Path) -> tuple[float, float]:
    """MB that a folder takes on disk: with and without its __pycache__ folders."""
    sizes = {True: 0, False: 0}
    for path, _, files in os.walk(folder):
        blocks = sum(os.lstat(os.path.join(path, file)).st_blocks for file in files)  # noqa: PTH118 50,000 files
        sizes[Path(path).name == "__pycache__"] += 512 * blocks
    return (sizes[True] + sizes[False]) / 1e6, sizes[False] / 1e6


def to_json(measured: Figures, facts: Mapping[str, Any], environments: Environments) -> str:
    """Everything: each round, medians, ratios and goals, installed sizes in MB."""
    content = {
        "facts": facts,
        "packages": {side: found["versions"] for side, found in environments.items()},
        "installed_mb": {side: disk_use(Path(found["folder"])) for side, found in environments.items()},
        "rounds": measured,
        "medians": {side: {name: median(rounds) for name, rounds in of.items()} for side, of in measured.items()},
        "goals": {
            line.figure: {"ratio": ratio(measured, line.figure), "goal": line.goal} for line in LINES if line.goal
        },
    }
    return json.dumps(content, indent=1) + "\n"
