"""Boundary F1 of `index.sentences.split` against the hand-marked sentences, beside baselines.

    python -m evals.sentences

A boundary is the end of a sentence, as an offset into the text; precision and recall are over these offsets. "Exact"
is the share of the marked sentences of which both ends are found. Punkt (Kiss and Strunk 2006) is the splitter
of NLTK and, untrained, LlamaIndex's default; its rows are left out where NLTK is not installed.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from typing import Any

from evals.cases import Articles, CaseError
from index import PinciteError
from index.home import CORPUS
from index.sentences import split

MARKED = Path(__file__).parent.parent / "tests" / "data" / "sentences"

Spans = list[tuple[int, int]]


@dataclass(frozen=True)
class Marked:
    """An article with its hand-marked sentences: (start, end) -> whether it is boilerplate."""

    file: str
    text: str
    sentences: Mapping[tuple[int, int], bool]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 2 when the marked sentences are missing."""
    argparse.ArgumentParser(prog="python -m evals.sentences", description=__doc__).parse_args(arguments)
    try:
        marked, hard = load()
    except PinciteError as error:
        print(error, file=sys.stderr)
        return 2
    splitters = {"index.sentences": rules, "one a line": lines, **punkt()}
    print(f"{'file':26}" + "".join(f"{name:>18}" for name in splitters))
    for article in marked:
        print(f"{article.file:26}" + "".join(_cell([article], splitter) for splitter in splitters.values()))
    print(f"{'all (boundary F1, exact)':26}" + "".join(_cell(marked, splitter) for splitter in splitters.values()))
    whole = [sum(_is_right(line, splitter) for line in hard) for splitter in splitters.values()]
    print(f"{'hard lines all right':26}" + "".join(f"{f'{count} of {len(hard)}':>18}" for count in whole))
    agree, both, ours, theirs = boilerplate(marked)
    print(f"boilerplate flag: same on {agree} of {both} sentences; only ours {ours}, only marked {theirs}")
    return 0


def load() -> tuple[list[Marked], list[Mapping[str, Any]]]:
    """The marked default articles, and the hard lines. Raises CaseError when they are not in the checkout."""
    try:
        boundaries = json.loads((MARKED / "boundaries.json").read_text("utf-8"))
        hard = json.loads((MARKED / "hard.json").read_text("utf-8"))
    except OSError as error:
        raise CaseError(f"{error.filename} cannot be read ({error.strerror}): run in a checkout of Pincite") from None
    articles = Articles(CORPUS)
    marked = []
    for file, sentences in boundaries.items():
        article = articles.article(file)
        if article is None:
            raise CaseError(f"{CORPUS} holds no readable article {file}")
        spans = {(sentence["start"], sentence["end"]): sentence["boilerplate"] for sentence in sentences}
        marked.append(Marked(file, article.text, spans))
    return marked, hard


def rules(text: str) -> Spans:
    """Our own splitter."""
    return [(sentence.start, sentence.end) for sentence in split(text)]


def lines(text: str) -> Spans:
    """Baseline: each line is one sentence."""
    spans, start = [], 0
    for line in text.splitlines(keepends=True):
        if stripped := line.strip():
            first = start + line.index(stripped)
            spans.append((first, first + len(stripped)))
        start += len(line)
    return spans


def punkt() -> dict[str, Callable[[str], Spans]]:
    """Punkt untrained, as LlamaIndex uses it, and with the English model in LlamaIndex's files, also line by line."""
    package = util.find_spec("llama_index.core")
    if package is None or package.origin is None or util.find_spec("nltk") is None:
        return {}
    from nltk import data
    from nltk.tokenize.punkt import PunktSentenceTokenizer, PunktTokenizer

    untrained = PunktSentenceTokenizer()
    found: dict[str, Callable[[str], Spans]] = {"LlamaIndex punkt": lambda text: list(untrained.span_tokenize(text))}
    files = Path(package.origin).parent / "_static" / "nltk_cache"
    if (files / "tokenizers" / "punkt_tab" / "english").is_dir():
        data.path.append(str(files))
        english = PunktTokenizer("english")
        found["punkt English"] = lambda text: list(english.span_tokenize(text))
        found["punkt by line"] = lambda text: [
            (first + start, first + end)
            for first, last in lines(text)
            for start, end in english.span_tokenize(text[first:last])
        ]
    return found


def boundary_f1(marked: Iterable[Marked], splitter: Callable[[str], Spans]) -> float:
    """2 x shared / (found + marked) over the sentence ends of all articles."""
    shared = total = 0
    for article in marked:
        found = {end for _, end in splitter(article.text)}
        ends = {end for _, end in article.sentences}
        shared += len(found & ends)
        total += len(found) + len(ends)
    return 2 * shared / total


def exact_share(marked: Iterable[Marked], splitter: Callable[[str], Spans]) -> float:
    """Share of the marked sentences that are found with both ends."""
    counts = [(len(set(splitter(m.text)) & m.sentences.keys()), len(m.sentences)) for m in marked]
    return sum(found for found, _ in counts) / sum(total for _, total in counts)


def boilerplate(marked: Iterable[Marked]) -> tuple[int, int, int, int]:
    """Sentences found with both ends: (same flag, all of them, flagged only by us, flagged only by hand)."""
    pairs = [
        (sentence.boilerplate, article.sentences[sentence.start, sentence.end])
        for article in marked
        for sentence in split(article.text)
        if (sentence.start, sentence.end) in article.sentences
    ]
    return sum(a == b for a, b in pairs), len(pairs), pairs.count((True, False)), pairs.count((False, True))


def _is_right(line: Mapping[str, Any], splitter: Callable[[str], Spans]) -> bool:
    return [line["text"][start:end] for start, end in splitter(line["text"])] == line["sentences"]


def _cell(marked: list[Marked], splitter: Callable[[str], Spans]) -> str:
    return f"{boundary_f1(marked, splitter):10.3f}{exact_share(marked, splitter):7.1%} "


if __name__ == "__main__":
    sys.exit(main())
