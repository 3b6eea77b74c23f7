"""python -m evals: score the answers to the reference questions, beside simple baselines.

Quotes answer, and no model is called, unless one is named: --model writes the answers, --judge judges them. Where they
are served, and the key, say OPENAI_BASE_URL and OPENAI_API_KEY.
Exit codes: 0 scored (and the gate, if asked, passed), 1 a citation is not exact or the gate found a drop,
2 something to fix: one line on stderr says what and where.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from evals import gate
from evals.cases import Articles, CaseError, load
from evals.replies import Replies
from evals.report import page, to_json
from evals.run import Result, run
from evals.scores import score
from evals.table import summary, table
from index import PinciteError
from index.home import CORPUS
from index.read import printable
from rag import open_archive
from rag.llm import QUOTES, Model, configured

QUESTIONS = Path(__file__).parent / "questions.jsonl"
OUT = Path("out") / "evals"


@dataclass(frozen=True)
class Called:
    """The models that a run calls, and the file that stands between them and the network."""

    model: Model | None  # writes the answers; None: they are quotes
    judge: Model | None
    replies: Replies | None


def main(arguments: Sequence[str] | None = None, accepted: Path = gate.RESULTS) -> int:
    """Run the command; returns the exit code. `accepted` is the file that --gate reads and --accept writes."""
    options = _parser().parse_args(arguments)
    try:
        return _evaluate(options, accepted)
    except PinciteError as error:
        print(str(error).replace("\n", " "), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m evals", description="Score the answers to reference questions.")
    parser.add_argument("--articles", type=Path, metavar="DIR", help="folder of articles (default: those that ship)")
    parser.add_argument("--questions", type=Path, metavar="FILE", help="reference questions about these articles")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N questions")
    parser.add_argument("--model", metavar="NAME", help="language model that writes the answers (default: quotes)")
    parser.add_argument("--judge", metavar="NAME", help="language model that judges the answers")
    replies = parser.add_mutually_exclusive_group()
    replies.add_argument(
        "--record", type=Path, metavar="FILE", help="keep the replies of the models; goes on where it was"
    )
    replies.add_argument("--replay", type=Path, metavar="FILE", help="take them from FILE instead: no key, no network")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write numbers and answers")
    parser.add_argument("--html", type=Path, metavar="FILE", help="where to write the page to read case by case")
    parser.add_argument("--gate", action="store_true", help="exit with 1 when a number fell since the accepted result")
    parser.add_argument("--accept", action="store_true", help="make this result the accepted one")
    return parser


def _evaluate(options: argparse.Namespace, accepted: Path) -> int:
    _check(options)
    called = _called(options)
    name, results = _run(options, called)
    scores = score(results, called.model and called.model.name, called.judge and called.judge.name)
    name = gate.name_of(name, scores)
    print(table(name, scores))
    if called.replies:
        print(called.replies.summary)
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


def _check(options: argparse.Namespace) -> None:
    """Raises CaseError for options that do not go together."""
    if (options.articles is None) != (options.questions is None):
        raise CaseError("--articles and --questions go together: name a folder and the questions about it")
    if options.limit is not None and (options.limit < 1 or options.gate or options.accept):
        raise CaseError("--limit takes a number from 1, and neither --gate nor --accept: a part is not the set")
    if "" in (options.model, options.judge) or options.judge == QUOTES:
        raise CaseError("--model and --judge take the name of a language model")
    if (options.record or options.replay) and options.model in (None, QUOTES) and not options.judge:
        raise CaseError("--record and --replay go with --model or --judge: without them no model is called")


def _called(options: argparse.Namespace) -> Called:
    """Raises CaseError for a file of replies that cannot be used, ModelError for a missing key or address."""
    file = options.record or options.replay
    replies = Replies(file, record=bool(options.record)) if file else None

    def model(name: str | None) -> Model | None:
        if name in (None, QUOTES):
            return None
        if replies and options.replay:
            return Model(name, "none", replies.address, transport=replies)
        found = configured(os.environ, name)
        return replace(found, transport=replies) if found else None

    return Called(model(options.model), model(options.judge), replies)


def _run(options: argparse.Namespace, called: Called) -> tuple[str, list[Result]]:
    """Name of the set, and its results. The default set is called "default", another by the folder of its questions."""
    questions = options.questions or QUESTIONS
    articles = Articles(options.articles or CORPUS)
    cases = load(questions, articles, options.limit)
    with tqdm(unit=" passages", desc="index", disable=None, delay=1) as bar:
        archive = open_archive(articles.folder, _shown_on(bar))
    asked = run(cases, archive, articles, called.model, called.judge)
    results = list(tqdm(_checked(asked, called.replies), desc="ask", total=len(cases), unit="", disable=None))
    return "default" if options.questions is None else questions.resolve().parent.name, results


def _checked(results: Iterator[Result], replies: Replies | None) -> Iterator[Result]:
    """The results, as long as nothing is wrong with the replies. An answer falls back to quotes when its model fails:
    without a look at them, a reply that was never recorded would count as a failure of the model."""
    for result in results:
        if replies:
            replies.check()
        yield result


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
