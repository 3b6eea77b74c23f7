"""Fit how the reader's signals are weighed, through the whole pipeline, on articles that were never trained on.

    python -m rag.models.fit --data ../shared/data

The held-out articles of SQuAD become a folder of articles; its questions are searched and read as any other. Printed
are the weights SENTENCE of rag/reader.py, which rank the sentences (conditional logit), and how well READING tells
questions that the articles answer from those that they do not: questions written to be unanswerable, and answerable
ones with the passages of their evidence taken away.
"""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from index.archive import Archive
from index.search import Hit, search
from index.sync import open_archive
from rag.models.library import held_out, read_rows
from rag.reader import READING, SENTENCE_SIGNALS, ReadSentence, read

PASSAGES = 10
SEED = 20221


@dataclass(frozen=True)
class Question:
    text: str
    file: str
    evidence: tuple[str, ...]  # empty: unanswerable


def questions(data: Path, folder: Path, count: int) -> list[Question]:
    """Write the held-out articles into `folder`; return `count` answerable and as many unanswerable questions."""
    paragraphs = {row["id"]: row for row in read_rows(data / "train/squad1_train.passages.jsonl.gz")}
    texts: dict[str, list[str]] = {}
    for row in paragraphs.values():
        if held_out(row["title"]):
            texts.setdefault(row["title"], []).append(row["text"])
    for title, found in texts.items():
        (folder / f"{_name(title)}.txt").write_text("\n\n".join([title.replace("_", " "), *found]), "utf-8")
    rng = np.random.default_rng(SEED)
    chosen: list[Question] = []
    for name in ("squad1_train", "squad2_unanswerable"):
        rows = read_rows(data / f"train/{name}.questions.jsonl.gz")
        rows = [row for row in rows if held_out(paragraphs[row["doc_id"]]["title"])]
        for place in rng.permutation(len(rows))[:count]:
            row = rows[place]
            file = f"{_name(paragraphs[row['doc_id']]['title'])}.txt"
            chosen.append(Question(row["question"], file, tuple(row["evidence"])))
    return chosen


def _name(title: str) -> str:
    return "".join(character if character.isalnum() else "_" for character in title)


def is_evidence(sentence: ReadSentence, question: Question) -> bool:
    text = sentence.sentence.text
    same = any(text in evidence or evidence in text for evidence in question.evidence)
    return same and sentence.source.file == question.file


def without_evidence(hits: Sequence[Hit], question: Question) -> list[Hit]:
    return [hit for hit in hits if not any(evidence in hit.passage.text for evidence in question.evidence)]


def fit_ranking(cases: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Conditional logit: weights that make the probability of a right sentence (softmax over all) largest.

    `cases`: signals (n, 6) of the sentences of a question and which are right (n,) bool. Newton's method.
    """
    width = cases[0][0].shape[1]
    weights = np.zeros(width)
    for _ in range(40):
        slope, curve = -1e-2 * weights, 1e-2 * np.eye(width)
        for x, right in cases:
            scores = np.exp(x @ weights - (x @ weights).max())
            all_, good = scores / scores.sum(), scores * right / (scores * right).sum()
            slope += (good - all_) @ x
            centred = x - all_ @ x
            curve += (all_[:, np.newaxis] * centred).T @ centred
        weights += np.linalg.solve(curve, slope) * 0.7
    return weights


def auc(scores: np.ndarray, positive: np.ndarray) -> float:
    """Area under the ROC curve: how often a positive scores above a negative."""
    order = np.argsort(np.argsort(scores)) + 1.0
    count = positive.sum()
    return float((order[positive].sum() - count * (count + 1) / 2) / (count * (~positive).sum()))


def measure(archive: Archive, asked: Sequence[Question]) -> None:
    """Search and read every question; fit and print."""
    ranking, readings, yes = [], [], []
    for question in asked:
        hits = search(archive, question.text, PASSAGES)
        reading = read(question.text, hits)
        readings.append(reading.signals)
        yes.append(bool(question.evidence))
        right = np.array([is_evidence(sentence, question) for sentence in reading.sentences])
        if right.any():
            ranking.append((np.array([sentence.signals for sentence in reading.sentences]), right))
            readings.append(read(question.text, without_evidence(hits, question)).signals)
            yes.append(False)
    weights = fit_ranking(ranking)
    first = np.mean([right[(x @ weights).argmax()] for x, right in ranking])
    print("SENTENCE", dict(zip(SENTENCE_SIGNALS, weights.round(3).tolist(), strict=True)))
    print(f"right sentence first: {first:.3f} of {len(ranking)} questions whose evidence was retrieved")
    for place, name in enumerate(SENTENCE_SIGNALS[:3]):
        print(f"  by {name} alone: {np.mean([right[x[:, place].argmax()] for x, right in ranking]):.3f}")
    logit, positive = np.array(readings) @ READING, np.array(yes)
    print(
        f"answerable (READING as shipped): AUC {auc(logit, positive):.3f}, {positive.sum()} against {(~positive).sum()}"
    )
    for share in (0.05, 0.1, 0.15, 0.2):
        cut = np.quantile(logit[positive], share)
        print(f"  false refusal {share:.0%}: refusal {np.mean(logit[~positive] < cut):.1%}, logit {cut:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with train/")
    parser.add_argument("--count", type=int, default=700, help="questions of each kind")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "articles"
        folder.mkdir()
        asked = questions(given.data, folder, given.count)
        measure(open_archive(folder, Path(place) / "home"), asked)


if __name__ == "__main__":
    main()
