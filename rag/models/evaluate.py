"""Measure a reader on questions with a given paragraph, beside the embedding's cosine and BM25 on the same rows.

    python -m rag.models.evaluate --data ../shared/data                   # the shipped model
    python -m rag.models.evaluate --data ../shared/data --checkpoint final.pt --start WEIGHTS   # a training run

How scores are combined was fitted on held-out articles of the training sets (`--fit`), never on these rows. In use
there are more signals than in a lone paragraph: fit.py weighs those.
"""

from __future__ import annotations

import argparse
import itertools
import math
import re
import string
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from rag.models.reading import Forward, Row, Scores, onnx_forward, read, rows_of

# Fitted by --fit. A sentence's rank: evidence logit + these times its span score and its cosine to the question.
SENTENCE = (0.35, 9.0)
ANSWERABLE = (0.771, -0.037, -0.109, 1.744, -1.547)  # passage logit; best span, evidence, cosine; bias
SPANS, COSINES = (0.0, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0), (0.0, 1.0, 2.0, 4.0, 6.0, 9.0)  # searched for SENTENCE
MODEL = Path(__file__).parent / "reader-minilm-l10-v3"


def f1(text: str, answers: Sequence[str]) -> float:
    """Word overlap with the best accepted answer, as SQuAD counts it (Rajpurkar et al. 2016)."""

    def words(value: str) -> Counter[str]:
        value = "".join(c for c in value.lower() if c not in string.punctuation)
        return Counter(re.sub(r"\b(a|an|the)\b", " ", value).split())

    found = words(text)
    scores = [0.0]
    for gold in map(words, answers):
        same = (found & gold).total()
        scores.append(2 * same / (found.total() + gold.total()) if same else 0.0)
    return max(scores)


def auc(scores: np.ndarray, positive: np.ndarray) -> float:
    """Chance that a positive outranks a negative, ties counted half."""
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    yes, no = positive.sum(), (~positive).sum()
    return float((ranks[positive].sum() - yes * (yes + 1) / 2) / (yes * no))


def hit(rows: Sequence[Row], scores: Sequence[np.ndarray]) -> float:
    """Share of answerable rows whose best sentence is gold."""
    judged = [bool(row.gold[int(s.argmax())]) for row, s in zip(rows, scores, strict=True) if row.gold.any()]
    return sum(judged) / len(judged)


def quick(forward: Forward, rows: Sequence[Row], tokenizer: Tokenizer) -> dict[str, float]:
    """The few numbers that a training log needs."""
    found = read(forward, rows, tokenizer)
    yes = np.array([row.answerable for row in rows])
    return {
        "f1": float(np.mean([f1(s.text, row.answers) for s, row in zip(found, rows, strict=True) if row.answerable])),
        "hit_evidence": hit(rows, [s.evidence for s in found]),
        "hit_span": hit(rows, [s.span for s in found]),
        "hit_both": hit(rows, [s.evidence + 0.5 * s.span for s in found]),
        "auc_passage": auc(np.array([s.answerable for s in found]), yes),
        "auc_span": auc(np.array([s.span.max() for s in found]), yes),
        "auc_evidence": auc(np.array([s.evidence.max() for s in found]), yes),
    }


def cosines(rows: Sequence[Row]) -> list[np.ndarray]:
    """Baseline: the shipped embedder's cosine of the question with each sentence."""
    from index.embed import embed

    texts = {row.text[a:b] for row in rows for a, b in row.sentences} | {row.question for row in rows}
    place = {text: number for number, text in enumerate(texts)}
    vectors = embed(list(texts))
    return [vectors[[place[row.text[a:b]] for a, b in row.sentences]] @ vectors[place[row.question]] for row in rows]


def bm25(rows: Sequence[Row]) -> list[np.ndarray]:
    """Baseline: BM25 (k1 1.2, b 0.75) of each sentence, document frequencies over all sentences of the set."""

    def words(text: str) -> list[str]:
        return re.findall(r"\w+", text.lower())

    documents = {(row.text, span): Counter(words(row.text[slice(*span)])) for row in rows for span in row.sentences}
    frequency = Counter(word for bag in documents.values() for word in bag)
    mean = sum(bag.total() for bag in documents.values()) / len(documents)

    def score(question: list[str], bag: Counter[str]) -> float:
        norm = 1.2 * (0.25 + 0.75 * bag.total() / mean)
        idf = {w: math.log1p((len(documents) - frequency[w] + 0.5) / (frequency[w] + 0.5)) for w in set(question)}
        return sum(idf[w] * bag[w] * 2.2 / (bag[w] + norm) for w in idf if bag[w])

    return [np.array([score(words(row.question), documents[row.text, span]) for span in row.sentences]) for row in rows]


def features(found: Sequence[Scores], cosine: Sequence[np.ndarray]) -> np.ndarray:
    """(rows, 4): what decides whether a passage answers."""
    pairs = zip(found, cosine, strict=True)
    return np.array([[s.answerable, s.span.max(), s.evidence.max(), c.max()] for s, c in pairs])


def fit_logistic(x: np.ndarray, positive: np.ndarray, weight: np.ndarray | float = 1.0) -> np.ndarray:
    """Weights and, last, bias: Newton's method with a small ridge. x: (n, signals); positive, weight: (n,)."""
    x = np.hstack([x, np.ones((len(x), 1))])
    weights = np.zeros(x.shape[1])
    for _ in range(30):
        p = 1 / (1 + np.exp(-(x @ weights)))
        hessian = (x * (weight * p * (1 - p) * np.ones(len(x)))[:, None]).T @ x + 1e-3 * np.eye(x.shape[1])
        weights += np.linalg.solve(hessian, x.T @ (weight * (positive - p)) - 1e-3 * weights)
    return weights


def fit_sentences(rows: Sequence[Row], found: Sequence[Scores], cosine: Sequence[np.ndarray]) -> tuple[float, float]:
    """Weights of span score and cosine beside the evidence logit that put the right sentence first most often."""

    def score(w: tuple[float, float]) -> float:
        return hit(rows, [s.evidence + w[0] * s.span + w[1] * c for s, c in zip(found, cosine, strict=True)])

    return max(itertools.product(SPANS, COSINES), key=score)


def fit(forward: Forward, tokenizer: Tokenizer, data: Path) -> None:
    """Print SENTENCE and ANSWERABLE as fitted on the training articles that were never trained on."""
    rows = rows_of(data / "train", "squad1_train", "squad1_train", held=True)[::4]
    rows += rows_of(data / "train", "squad2_unanswerable", "squad1_train", held=True)
    found, cosine = read(forward, rows, tokenizer), cosines(rows)
    answerable = np.array([row.answerable for row in rows])
    print(f"SENTENCE = {fit_sentences(rows, found, cosine)}")
    print(f"ANSWERABLE = {tuple(fit_logistic(features(found, cosine), answerable).round(3).tolist())}")


def report(rows: Sequence[Row], found: Sequence[Scores], short_answers: bool) -> dict[str, float]:
    """Every number of the model card, the baselines beside them."""
    cosine, keyword = cosines(rows), bm25(rows)
    yes = np.array([row.answerable for row in rows])
    numbers = {"rows": len(rows), "answerable": int(yes.sum())}
    if short_answers:
        pairs = zip(found, rows, strict=True)
        numbers["span F1 of answerable"] = float(np.mean([f1(s.text, r.answers) for s, r in pairs if r.answerable]))
    both = [s.evidence + SENTENCE[0] * s.span + SENTENCE[1] * c for s, c in zip(found, cosine, strict=True)]
    for name, scores in (
        ("reader", both),
        ("evidence logit", [s.evidence for s in found]),
        ("span", [s.span for s in found]),
        ("cosine", cosine),
        ("BM25", keyword),
    ):
        numbers[f"hit@1 {name}"] = hit(rows, scores)
    combined = features(found, cosine) @ ANSWERABLE[:-1] + ANSWERABLE[-1]
    best = {
        "reader": combined,
        "answerable logit": np.array([s.answerable for s in found]),
        "cosine": np.array([c.max() for c in cosine]),
        "BM25": np.array([k.max() for k in keyword]),
    }
    for name, scores in best.items():
        numbers[f"AUC {name}"] = auc(scores, yes)
    return numbers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with dev/ and train/")
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--fit", action="store_true", help="fit SENTENCE and ANSWERABLE instead, on held-out articles")
    parser.add_argument("--every", type=int, default=1, help="only every n-th row")
    arguments = parser.parse_args()
    forward = onnx_forward(arguments.model)
    tokenizer = Tokenizer.from_file(str(arguments.model / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    if arguments.fit:
        fit(forward, tokenizer, arguments.data)
        return
    for name, short_answers in (("squad2_dev", True), ("clapnq_dev", False)):  # CLAPNQ's answers are written texts
        rows = rows_of(arguments.data / "dev", name, name)[:: arguments.every]
        for key, value in report(rows, read(forward, rows, tokenizer), short_answers).items():
            print(f"{name:11} {key:24} {value:.3f}" if isinstance(value, float) else f"{name:11} {key:24} {value}")


if __name__ == "__main__":
    main()
