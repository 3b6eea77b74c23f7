"""python -m evals: score the answers to the reference questions, beside simple baselines.

Exit codes: 0 scored (and the gate, if asked, passed), 1 a citation is not exact or the gate found a drop,
2 something to fix: one line on stderr says what and where.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from evals import gate
from evals.cases import Articles, CaseError, load
from evals.report import page, to_json
from evals.run import Result, run
from evals.scores import score
from evals.table import summary, table
from index import PinciteError
from index.home import CORPUS
from index.read import printable
from rag import open_archive

QUESTIONS = Path(__file__).parent / "questions.jsonl"
OUT = Path("out") / "evals"


def main(arguments: Sequence[str] | None = None, accepted: Path = gate.RESULTS) -> int:
    """Run the command; returns the exit code. `accepted` is the file that --gate reads and --accept writes."""
    options = _parser().parse_args(arguments)
    try:
        return _evaluate(options, accepted)
    except PinciteError as error:
        print(str(error).replace("\n", " "), file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of our output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m evals", description="Score the answers to reference questions.")
    parser.add_argument("--articles", type=Path, metavar="DIR", help="folder of articles (default: those that ship)")
    parser.add_argument("--questions", type=Path, metavar="FILE", help="reference questions about these articles")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N questions")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write numbers and answers")
    parser.add_argument("--html", type=Path, metavar="FILE", help="where to write the page to read case by case")
    parser.add_argument("--gate", action="store_true", help="exit with 1 when a number fell since the accepted result")
    parser.add_argument("--accept", action="store_true", help="make this result the accepted one")
    return parser


def _evaluate(options: argparse.Namespace, accepted: Path) -> int:
    if (options.articles is None) != (options.questions is None):
        raise CaseError("--articles and --questions go together: name a folder and the questions about it")
    if options.limit is not None and (options.limit < 1 or options.gate or options.accept):
        raise CaseError("--limit takes a number from 1, and neither --gate nor --accept: a part is not the set")
    name, results = _run(options)
    scores = score(results)
    name = gate.name_of(name, scores)
    print(table(name, scores))
    _write(options.html or OUT / f"{name}.html", page(name, results, scores))
    _write(options.json or OUT / f"{name}.json", to_json(name, results, scores))
    fell = gate.fallen(gate.accepted(name, accepted), scores) if options.gate else None
    for line in fell or ():
        print(f"FELL  {line}")
    if options.accept:
        if scores.faults:
            raise CaseError(f"not accepted: {len(scores.faults)} citations are not exact")
        gate.accept(name, scores, accepted)
        print(f'accepted as "{name}" in {accepted.name}')
    print(summary(name, scores, None if fell is None else len(fell)))
    return int(bool(scores.faults or fell))


def _run(options: argparse.Namespace) -> tuple[str, list[Result]]:
    """Name of the set, and its results. The default set is called "default", another by the folder of its questions."""
    questions = options.questions or QUESTIONS
    articles = Articles(options.articles or CORPUS)
    cases = load(questions, articles, options.limit)
    with tqdm(unit=" passages", desc="index", disable=None, delay=1) as bar:
        archive = open_archive(articles.folder, _shown_on(bar))
    results = list(tqdm(run(cases, archive, articles), desc="ask", total=len(cases), unit="", disable=None))
    return "default" if options.questions is None else questions.resolve().parent.name, results


def _shown_on(bar: "tqdm[Any]") -> Callable[[int, int], None]:
    def progress(done: int, total: int) -> None:
        bar.total = total
        bar.update(done - bar.n)

    return progress


def _write(file: Path, content: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, "utf-8")
    except OSError as error:
        raise CaseError(f"{printable(str(file))} cannot be written ({error.strerror})") from None
    print(f"wrote {file}")


if __name__ == "__main__":
    sys.exit(main())
