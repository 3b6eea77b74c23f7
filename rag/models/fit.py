"""Fit how the reader's signals are weighed, through the whole pipeline, on articles that were never trained on.

    python -m rag.models.fit --data ../shared/data --news ../shared/corpora/basil.jsonl.gz

Two folders of articles are searched and read as any other: the held-out articles of SQuAD with their questions, and
126 news articles with questions of our own (news.py). Printed are the weights SENTENCE of rag/reader.py, which rank
the sentences (conditional logit), and READING, which tell questions that the articles answer from those that they do
not (logistic regression): questions written to be unanswerable, and answerable ones with the passages of their
evidence taken away. "Fitted" weights are measured on questions that they were not fitted on (five folds), the shipped
ones on what they were fitted on and rounded.
"""

import argparse
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from index.archive import Archive
from index.search import Hit, search
from index.sync import open_archive
from rag.evidence import PASSAGES
from rag.models import news
from rag.models.evaluate import auc, fit_logistic
from rag.models.library import held_out, read_rows
from rag.reader import READING, READING_SIGNALS, SENTENCE, SENTENCE_SIGNALS, ReadSentence, read

SEED = 20221
FOLDS = 5
REFUSED = 0.07  # of the answerable news questions: where READING's bias is set


@dataclass(frozen=True)
class Question:
    """`is_right` tells the sentences that answer; an unanswerable question has none."""

    text: str
    answerable: bool
    is_right: Callable[[ReadSentence], bool]


@dataclass
class Measured:
    """Signals of a set of questions: per question whose evidence was found the sentences (n, 8) with which are right
    (n,), and per reading (10,) whether the question, with the articles that were searched, has an answer."""

    ranking: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    readings: list[np.ndarray] = field(default_factory=list)
    answerable: list[bool] = field(default_factory=list)
    fold: list[int] = field(default_factory=list)  # of each reading: both readings of a question are in one


def squad_questions(data: Path, folder: Path, count: int) -> list[Question]:
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
            chosen.append(Question(row["question"], bool(row["evidence"]), _holds(file, row["evidence"])))
    return chosen


def _name(title: str) -> str:
    return "".join(character if character.isalnum() else "_" for character in title)


def _holds(file: str, evidence: Sequence[str]) -> Callable[[ReadSentence], bool]:
    def is_right(item: ReadSentence) -> bool:
        text = item.sentence.text
        return item.source.file == file and any(text in one or one in text for one in evidence)

    return is_right


def news_questions(corpus: Path, folder: Path) -> list[Question]:
    """Write the news articles into `folder`; return the questions about them."""
    news.articles(corpus, folder)

    def among(places: frozenset[tuple[str, int]]) -> Callable[[ReadSentence], bool]:
        return lambda item: (item.source.file, item.sentence.number) in places

    return [Question(row.question, row.answerable, among(frozenset(row.evidence))) for row in news.questions(folder)]


def measure(archive: Archive, asked: Sequence[Question]) -> Measured:
    """Search and read every question; the answerable ones a second time without what answers them."""
    found = Measured()
    for number, question in enumerate(asked):
        hits = search(archive, question.text, PASSAGES)
        reading = read(question.text, hits)
        found.readings.append(reading.signals)
        found.answerable.append(question.answerable)
        right = np.array([question.is_right(sentence) for sentence in reading.sentences])
        if right.any():
            found.ranking.append((np.array([sentence.signals for sentence in reading.sentences]), right))
            evidence = {item.sentence.text for item, good in zip(reading.sentences, right, strict=True) if good}
            found.readings.append(read(question.text, without(hits, evidence)).signals)
            found.answerable.append(False)
        found.fold += [number % FOLDS] * (len(found.readings) - len(found.fold))
    return found


def without(hits: Sequence[Hit], evidence: set[str]) -> list[Hit]:
    """The passages that hold none of the sentences."""
    return [hit for hit in hits if not any(text in hit.passage.text for text in evidence)]


def fit_ranking(cases: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Conditional logit: weights that make the probability of a right sentence (softmax over all) largest.

    `cases`: signals (n, 8) of the sentences of a question and which are right (n,) bool. Newton's method.
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


def first_right(cases: Sequence[tuple[np.ndarray, np.ndarray]], weights: np.ndarray) -> float:
    return float(np.mean([right[(x @ weights).argmax()] for x, right in cases]))


def report_ranking(name: str, own: Measured, other: Measured) -> None:
    """Share of the questions whose right sentence comes first: by the shipped weights, and by weights fitted on the
    other folds of this set and all of the other one."""
    folds = [own.ranking[at::FOLDS] for at in range(FOLDS)]
    fitted = [
        first_right(fold, fit_ranking([*other.ranking, *(c for f in folds if f is not fold for c in f)]))
        for fold in folds
    ]
    print(f"{name}: right sentence first, of {len(own.ranking)} questions whose evidence was retrieved:")
    print(f"  shipped weights {first_right(own.ranking, np.array(SENTENCE)):.3f}, fitted {np.mean(fitted):.3f}")
    for place, signal in enumerate(SENTENCE_SIGNALS[:3]):
        print(f"  {signal} alone {np.mean([right[x[:, place].argmax()] for x, right in own.ranking]):.3f}")


def report_reading(name: str, own: Measured, other: Measured) -> None:
    """How well answerable questions are told from others."""
    x, yes, fold = np.array(own.readings)[:, :-1], np.array(own.answerable), np.array(own.fold)
    fitted = np.zeros(len(x))
    for at in range(FOLDS):
        keep = fold != at
        both = np.vstack([x[keep], np.array(other.readings)[:, :-1]])
        weights = fit_logistic(both, np.concatenate([yes[keep], other.answerable]))
        fitted[~keep] = x[~keep] @ weights[:-1] + weights[-1]
    for how, logit in (("shipped weights", np.array(own.readings) @ READING), ("fitted", fitted)):
        cuts = [np.quantile(logit[yes], share) for share in (0.05, REFUSED, 0.15)]
        shares = ", ".join(f"{np.mean(logit[~yes] < cut):.1%}" for cut in cuts)
        print(f"{name}, {how}: AUC {auc(logit, yes):.3f}; refusal at 5, 7, 15 % false refusal {shares}; at 0: ", end="")
        print(f"{np.mean(logit[~yes] < 0):.1%} and {np.mean(logit[yes] < 0):.1%} false")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with train/")
    parser.add_argument("--news", type=Path, required=True, help="basil.jsonl.gz")
    parser.add_argument("--count", type=int, default=300, help="questions of each kind from SQuAD")
    given = parser.parse_args()
    sets: dict[str, Measured] = {}
    with tempfile.TemporaryDirectory() as place:
        for name in ("squad", "news"):
            folder = Path(place) / name
            folder.mkdir()
            if name == "squad":
                asked = squad_questions(given.data, folder, given.count)
            else:
                asked = news_questions(given.news, folder)
            sets[name] = measure(open_archive(folder, Path(place) / "home"), asked)
    squad, on_news = sets["squad"], sets["news"]
    for name, own, other in (("squad", squad, on_news), ("news", on_news, squad)):
        report_ranking(name, own, other)
        report_reading(name, own, other)
    weights = fit_ranking([*squad.ranking, *on_news.ranking])
    print("SENTENCE", dict(zip(SENTENCE_SIGNALS, weights.round(2).tolist(), strict=True)))
    x = np.array([*squad.readings, *on_news.readings])[:, :-1]
    reading = fit_logistic(x, np.array([*squad.answerable, *on_news.answerable]))
    logit = np.array(on_news.readings)[:, :-1] @ reading[:-1]
    reading[-1] = -np.quantile(logit[np.array(on_news.answerable)], REFUSED)
    shipped = np.array(on_news.readings)[:, :-1] @ READING[:-1]
    print(f"'one' of the shipped READING: {-np.quantile(shipped[np.array(on_news.answerable)], REFUSED):.2f}")
    print("READING", dict(zip(READING_SIGNALS, reading.round(2).tolist(), strict=True)))


if __name__ == "__main__":
    main()
