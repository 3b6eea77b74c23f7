"""`python -m index [DIR]`: bring the archive of a folder up to date, and say what it holds and what was skipped."""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from index.build import Progress
from index.errors import PinciteError
from index.home import ARTICLES, default_articles, default_home, expanded
from index.read import Skipped, printable
from index.sync import Report, archive_home, sync

WAIT = 2.0  # seconds for the lock of the archive: a window holds it for a moment at every question
NAMES_SHOWN = 10  # file names of one reason


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Returns the exit code: 0, 2 for something to mend, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m index", description=__doc__)
    parser.add_argument("dir", nargs="?", type=Path, help=ARTICLES)
    options = parser.parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] # file names on a terminal of ASCII
    try:
        folder = expanded(options.dir) if options.dir else default_articles(os.environ)
        home = default_home(os.environ)
        with _progress() as progress:
            report = sync(folder, home, progress, WAIT)
    except PinciteError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted: nothing is lost, run again to go on", file=sys.stderr)
        return 130
    print("\n".join(_lines(report, archive_home(folder, home))))
    return 0


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar on a terminal, one line elsewhere; nothing at all until something is embedded."""
    bar: tqdm | None = None

    def show(done: int, total: int) -> None:
        nonlocal bar
        if bar is None and not sys.stderr.isatty():
            print(f"embedding {total:,} passages", file=sys.stderr)
        if bar is None:
            bar = tqdm(total=total, unit=" passages", desc="embedding", disable=not sys.stderr.isatty())
        bar.update(done - bar.n)

    try:
        yield show
    finally:
        if bar is not None:
            bar.close()


def _lines(report: Report, place: Path) -> Iterator[str]:
    counts = report.counts
    yield ", ".join(_count(number, noun) for noun, number in vars(counts).items())
    done = {name: getattr(report, name) for name in ("added", "changed", "removed", "renamed")}
    yield ", ".join(f"{name} {number:,}" for name, number in done.items() if number) or "nothing changed"
    if report.skipped:
        yield f"skipped {_count(len(report.skipped), 'files')}:"
        yield from _reasons(report.skipped)
    yield f"archive: {printable(str(place))}"
    yield f"{report.seconds:.1f} s"


def _reasons(skipped: Sequence[Skipped]) -> Iterator[str]:
    files: dict[str, list[str]] = {}
    for one in skipped:
        files.setdefault(one.reason, []).append(one.file)
    for reason, names in files.items():
        more = len(names) - NAMES_SHOWN
        shown = ", ".join(names[:NAMES_SHOWN]) + (f", and {more:,} more" if more > 0 else "")
        yield f"  {reason}: {shown}"


def _count(number: int, plural: str) -> str:
    return f"{number:,} {plural if number != 1 else plural.removesuffix('s')}"


if __name__ == "__main__":
    sys.exit(main())
