"""Fit when a claim counts as supported, on claims that the reference set does not hold.

    python -m rag.models.fit_support --data ../shared/data --news ../shared/corpora/basil.jsonl.gz

Claims of FEVER that the reading model was trained on, and hand-written ones on other news (news_claims.jsonl), each
once with its evidence and, where it is true, once with a neighbouring sentence instead. Only claims in which
`rag.verify` finds nothing wrong by itself are left to the weights printed here (logistic regression, the four groups of
true and false claims of both sets weighing alike). Shares are of claims that the weights were not fitted on.
"""

import argparse
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from index.sync import open_archive
from rag.models import news
from rag.models.claims import held_back, page_title, readable
from rag.models.evaluate import fit_logistic
from rag.models.library import read_rows
from rag.support import SIGNALS, signals
from rag.verify import Grounds, check, grounds

FOLDS = 8
CONTEXT = 3  # sentences before a cited one
Labelled = tuple[str, Grounds, bool]


def fever(data: Path, count: int) -> Iterator[Labelled]:
    """Claims whose evidence is one sentence."""
    rng = np.random.default_rng(3)
    rows = [row for row in read_rows(data / "train/fever_claims.jsonl.gz") if not held_back(row["passage"])]
    for place in rng.permutation(len(rows))[:count]:
        row, sentences = rows[place], rows[place]["passage"].split("\n")
        evidence = [n for n, text in enumerate(sentences) if text in row["evidence"]]
        rest = [n for n in range(len(sentences)) if n not in evidence]
        if len(evidence) != 1:
            continue
        true = row["label"] == "SUPPORTS"
        cited = [(evidence[0], true)] + ([(int(rng.choice(rest)), False)] if true and rest else [])
        for number, label in cited:
            before = readable(" ".join(sentences[max(0, number - CONTEXT) : number]))
            yield row["claim"], Grounds(readable(sentences[number]), page_title(row["passage"]), None, before), label


def on_news(corpus: Path, folder: Path) -> Iterator[Labelled]:
    news.articles(corpus, folder, every=True)
    archive = open_archive(folder, folder.parent / "home")
    for claim, file, number, true in news.claims(folder):
        yield claim, grounds(archive, file, number), true
        if true and number > 1:
            yield claim, grounds(archive, file, number - 1), False


def left_over(found: Iterator[Labelled]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Signals (n, 5), labels (n,) and folds (n,) of the claims that the rules leave, and the labels of those that they
    do not pass. A claim is in one fold with whatever it is held against."""
    kept: list[tuple[tuple[float, ...], bool, int]] = []
    stopped = []
    for claim, cited, true in found:
        if check(claim, [cited], judge=lambda *_: 1.0).verdict == "supported":
            kept.append((signals(claim, cited.heading, cited.text), true, zlib.crc32(claim.encode()) % FOLDS))
        else:
            stopped.append(true)
    x, y, folds = (np.array(column, float) for column in zip(*kept, strict=True))
    return x, y, folds, np.array(stopped, bool)


def balanced(y: np.ndarray, of_news: np.ndarray) -> np.ndarray:
    """Weights (n,) that make the four groups of true and false claims of both sets count alike."""
    weight = np.zeros(len(y))
    for group in (0, 1):
        for label in (0, 1):
            among = (of_news == group) & (y == label)
            weight[among] = 100 / max(1, among.sum())
    return weight


def report(x: np.ndarray, y: np.ndarray, folds: np.ndarray, of_news: np.ndarray, stopped: Sequence[np.ndarray]) -> None:
    held = np.zeros(len(y))
    for fold in range(FOLDS):
        out = folds == fold
        weights = fit_logistic(x[~out][:, :-1], y[~out], balanced(y, of_news)[~out])
        held[out] = x[out] @ weights
    for group, name in enumerate(("fever", "news")):
        among, others = of_news == group, stopped[group]
        yes, no = among & (y == 1), among & (y == 0)
        print(f"{name}: {yes.sum()} true and {no.sum()} false claims are left to the weights; with the rules, right:")
        for least in (0.2, 0.3, 0.4, 0.5, 0.6):
            cut = np.log(least / (1 - least))
            kept = (held[yes] > cut).sum() / (yes.sum() + others.sum())
            barred = ((held[no] <= cut).sum() + (~others).sum()) / (no.sum() + (~others).sum())
            print(f"  from {least}: {kept:.1%} and {barred:.1%}, balanced {(kept + barred) / 2:.1%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with train/")
    parser.add_argument("--news", type=Path, required=True, help="basil.jsonl.gz")
    parser.add_argument("--count", type=int, default=600, help="claims of FEVER")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        sets = [left_over(fever(given.data, given.count)), left_over(on_news(given.news, Path(place) / "articles"))]
    x, y, folds = (np.concatenate([one[part] for one in sets]) for part in (0, 1, 2))
    of_news = np.concatenate([np.full(len(one[1]), place) for place, one in enumerate(sets)])
    report(x, y, folds, of_news, [one[3] for one in sets])
    weights = fit_logistic(x[:, :-1], y, balanced(y, of_news))  # which adds the ones itself
    print("WEIGHTS", dict(zip(SIGNALS, weights.round(2).tolist(), strict=True)))


if __name__ == "__main__":
    main()
