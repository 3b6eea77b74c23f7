"""How well `rag.verify` tells supported claims from others.

    python -m evals.verdicts [--claims FILE] [--fever FILE] [--json FILE] [--verbose]

claims.jsonl holds claims about the default articles: true ones, and each again altered in one way, so that its cited
sentences no longer support it. What counts is only the verdict "supported"; "partly" is a no. With --fever the same
on FEVER (Thorne et al. 2018): the pages that the reader was not trained on, SUPPORTS against REFUTES.
Exit codes: 0 scored, 1 the reader of its output went away, 2 something to fix: one line on stderr says what and where.
"""

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from pathlib import Path
from typing import Any

from tqdm import tqdm

from evals.cases import CaseError
from evals.claims import WAYS, Labelled, load, load_fever
from evals.scores import Rate, mean
from evals.table import percent
from index import PinciteError
from index.home import CORPUS
from index.read import printable
from rag import open_archive
from rag.verify import Checked, Grounds, check

CLAIMS = Path(__file__).parent / "claims.jsonl"


@dataclass(frozen=True)
class Outcome:
    """What the verifier made of a claim."""

    row: Labelled
    checked: Checked

    @property
    def accepted(self) -> bool:
        """Whether the verdict is "supported"."""
        return self.checked.verdict == "supported"

    @property
    def right(self) -> bool:
        """Whether it is what the label says."""
        return self.accepted == self.row.supported


@dataclass(frozen=True)
class Scores:
    """The numbers of a run. `precision` is None when no claim was called supported."""

    precision: Rate | None
    recall: Rate  # share of the true claims called supported
    rejection: Rate  # share of the false claims called anything else
    ways: dict[str, Rate]  # rejection by way of alteration

    @property
    def balanced(self) -> float:
        """Balanced accuracy: the mean of recall and rejection."""
        return (self.recall.value + self.rejection.value) / 2

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of it, from the Wilson intervals of the two (square-and-add: Newcombe 1998; Zou, Donner 2008).

        Claims made from the same true one are taken as independent, which makes it somewhat narrow.
        """
        ends = [
            (rate.value - rate.interval[0], rate.interval[1] - rate.value) for rate in (self.recall, self.rejection)
        ]
        below, above = (sqrt(one**2 + other**2) / 2 for one, other in zip(*ends, strict=True))
        return self.balanced - below, self.balanced + above


def main(arguments: Sequence[str] | None = None, judge: Callable[[str, Sequence[Grounds]], Checked] = check) -> int:
    """Run the command; returns the exit code. `judge` gives the verdicts."""
    parser = argparse.ArgumentParser("python -m evals.verdicts", description="Score the verdicts on labelled claims.")
    parser.add_argument("--claims", type=Path, metavar="FILE", default=CLAIMS, help="(default: claims.jsonl)")
    parser.add_argument("--fever", type=Path, metavar="FILE", help="fever_claims.jsonl.gz, scored as well")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the numbers and every verdict")
    parser.add_argument("--verbose", action="store_true", help="list the claims that it gets wrong, with its reason")
    options = parser.parse_args(arguments)
    try:
        sets = {"claims": load(options.claims, open_archive(CORPUS))}
        if options.fever:
            sets["fever"] = load_fever(options.fever)
        told = {
            name: [Outcome(row, judge(row.claim, row.cited)) for row in tqdm(rows, desc="check", disable=None)]
            for name, rows in sets.items()
        }
        for name, some in told.items():
            print(*report(name, some, options.verbose), sep="\n")
        if options.json:
            _write(options.json, {name: content(some) for name, some in told.items()})
    except PinciteError as error:
        print(str(error).replace("\n", " "), file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of our output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def score(told: Sequence[Outcome]) -> Scores:
    """The numbers of outcomes on true and on false claims. Raises ValueError when either are missing."""
    true, false = ([one for one in told if one.row.supported is label] for label in (True, False))
    recall, rejection = (mean(one.right for one in some) for some in (true, false))
    if recall is None or rejection is None:
        raise ValueError("true and false claims are needed")
    caught = {way: mean(one.right for one in false if one.row.altered == way) for way in WAYS}
    return Scores(
        precision=mean(one.row.supported for one in told if one.accepted),
        recall=recall,
        rejection=rejection,
        ways={way: rate for way, rate in caught.items() if rate},
    )


def report(name: str, told: Sequence[Outcome], verbose: bool) -> Iterator[str]:
    """The lines to print about one set."""
    scores = score(told)
    low, high = scores.interval
    yield f"{name}: {scores.recall.n} supported claims, {scores.rejection.n} others"
    yield f"  balanced accuracy           {scores.balanced:>6.1%}   95% interval {low:.1%} - {high:.1%}"
    for label, rate in {
        'precision of "supported"': scores.precision,
        'recall of "supported"': scores.recall,
        "others not let through": scores.rejection,
        **{f"  {way}": rate for way, rate in scores.ways.items()},
    }.items():
        yield f"  {label:27} {percent(rate):>6}   of {rate.n if rate else 0}"
    for label in (True, False):
        verdicts = Counter(one.checked.verdict for one in told if one.row.supported is label)
        counts = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())
        yield f"  verdicts on {'the supported' if label else 'the others'}: {counts}"
    for one in told if verbose else ():
        if not one.right:
            kind = one.row.altered or ("supported" if one.row.supported else "refuted")
            yield f"  {one.row.id} ({kind}) is {one.checked.verdict}: {one.checked.reason or 'no reason'}"
            yield f"      {printable(one.row.claim)}"


def content(told: Sequence[Outcome]) -> dict[str, Any]:
    """The numbers and every verdict, for --json."""
    scores = score(told)
    rows = [{"id": one.row.id, "supported": one.row.supported, **asdict(one.checked)} for one in told]
    return {"balanced": scores.balanced, "interval": scores.interval, **asdict(scores), "rows": rows}


def _write(file: Path, value: dict[str, Any]) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", "utf-8")
    except OSError as error:
        raise CaseError(f"{printable(str(file))} cannot be written ({error.strerror})") from None


if __name__ == "__main__":
    sys.exit(main())
