"""Fit how the reader's scores are combined, on articles of the training sets that were never trained on.

    python -m rag.models.calibrate --data ../shared/data --model rag/models/reader-minilm-l6-v1

Writes calibration.json into the model's folder. `paragraph`: the paragraph is given (what evaluate.py measures).
`retrieved`: the question meets the eight nearest paragraphs of all held-out articles, once with the right one among
them and once with it taken away, which is what "not in these articles" means in use.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from index.embed import embed
from rag.models.evaluate import auc, cosines, f1, features, hit
from rag.models.reading import Forward, Row, Scores, onnx_forward, read, rows_of

NEAREST = 8
SPAN, COSINE, PASSAGE = (0.0, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0), (0.0, 1.0, 2.0, 4.0, 6.0, 9.0), (0.0, 0.5, 1.0, 2.0)


@dataclass(frozen=True)
class Search:
    """One question and its nearest paragraphs, best first; `right` is the place of its own one, or -1."""

    question: Row
    rows: tuple[Row, ...]
    scores: tuple[Scores, ...]
    cosine: tuple[np.ndarray, ...]
    right: int


def fit_logistic(x: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """Weights and, last, bias: Newton's method with a small ridge."""
    x = np.hstack([x, np.ones((len(x), 1))])
    weights = np.zeros(x.shape[1])
    for _ in range(30):
        p = 1 / (1 + np.exp(-(x @ weights)))
        hessian = (x * (p * (1 - p))[:, None]).T @ x + 1e-3 * np.eye(x.shape[1])
        weights += np.linalg.solve(hessian, x.T @ (positive - p) - 1e-3 * weights)
    return weights


def fit_sentences(rows: Sequence[Row], found: Sequence[Scores], cosine: Sequence[np.ndarray]) -> tuple[float, float]:
    """Weights of span score and cosine beside the evidence logit that put the right sentence first most often."""

    def score(w: tuple[float, float]) -> float:
        return hit(rows, [s.evidence + w[0] * s.span + w[1] * c for s, c in zip(found, cosine, strict=True)])

    return max(itertools.product(SPAN, COSINE), key=score)


def searches(forward: Forward, tokenizer: Tokenizer, rows: Sequence[Row], every: int) -> list[Search]:
    """`rows` asked over all their paragraphs; one more than NEAREST, so that the right one can be taken away."""
    paragraphs = list({row.text: row for row in rows}.values())
    vectors = embed([f"{row.title}\n{row.text}" for row in paragraphs])
    asked = list(rows[::every])
    order = np.argsort(-embed([row.question for row in asked]) @ vectors.T, axis=1)[:, : NEAREST + 1]
    pairs = [
        Row(
            row.question,
            near.title,
            near.text,
            near.sentences,
            row.gold if near.text == row.text else np.zeros(0),
            (),
            False,
        )
        for row, places in zip(asked, order, strict=True)
        for near in (paragraphs[place] for place in places)
    ]
    found, cosine = read(forward, pairs, tokenizer), cosines(pairs)
    result = []
    for number, row in enumerate(asked):
        part = slice(number * (NEAREST + 1), (number + 1) * (NEAREST + 1))
        texts = [pair.text for pair in pairs[part]]
        right = texts.index(row.text) if row.text in texts else -1
        result.append(Search(row, tuple(pairs[part]), tuple(found[part]), tuple(cosine[part]), right))
    return result


def right_first(found: Sequence[Search], span: float, cosine: float, passage: float) -> float:
    """Share of answerable questions whose best sentence over all retrieved paragraphs is the right one."""
    hits = 0
    for one in found:
        best = [
            (s.evidence + span * s.span + cosine * c + passage * s.answerable)
            for s, c in zip(one.scores[:NEAREST], one.cosine[:NEAREST], strict=True)
        ]
        place = int(np.argmax([b.max() for b in best]))
        hits += place == one.right and bool(one.question.gold[int(best[place].argmax())])
    return hits / len(found)


def short_answer(found: Sequence[Search], weights: tuple[float, float, float], span: float) -> float:
    """Mean F1 of the best span over all retrieved paragraphs; `span` weighs it against its best sentence's score."""
    total = 0.0
    for one in found:
        pairs = zip(one.scores[:NEAREST], one.cosine[:NEAREST], strict=True)
        best = max(
            (span * s.span.max() + (s.evidence + weights[1] * c + weights[2] * s.answerable)[s.span.argmax()], s.text)
            for s, c in pairs
        )
        total += f1(best[1], one.question.answers)
    return total / len(found)


def best_features(one: Search, without_right: bool) -> np.ndarray:
    """(4,) the largest of each feature over the NEAREST paragraphs, with or without the right one."""
    keep = [n for n in range(NEAREST + 1) if not (without_right and n == one.right)][:NEAREST]
    return features([one.scores[n] for n in keep], [one.cosine[n] for n in keep]).max(0)


def fit_refusal(answerable: Sequence[Search], unanswerable: Sequence[Search]) -> dict[str, Any]:
    """Logistic weights over `best_features`, and what each share of false refusals buys."""
    present = [best_features(one, False) for one in answerable if 0 <= one.right < NEAREST]
    absent = [best_features(one, True) for one in (*answerable, *unanswerable)]
    x = np.array([*present, *absent])
    yes = np.arange(len(x)) < len(present)
    weights = fit_logistic(x, yes).round(4)
    logit = x @ weights[:-1] + weights[-1]
    thresholds = {}
    for share in (0.05, 0.1, 0.15, 0.2):
        cut = float(np.quantile(logit[yes], share))
        thresholds[str(share)] = {"logit": round(cut, 3), "refused": round(float((logit[~yes] < cut).mean()), 3)}
    return {"weights": weights.tolist(), "auc": round(auc(logit, yes), 4), "false_refusal": thresholds}


def calibrate(forward: Forward, tokenizer: Tokenizer, data: Path, every: int) -> dict[str, Any]:
    yes = rows_of(data / "train", "squad1_train", "squad1_train", held=True)
    no = rows_of(data / "train", "squad2_unanswerable", "squad1_train", held=True)
    rows = yes[::2] + no
    found, cosine = read(forward, rows, tokenizer), cosines(rows)
    answerable = np.array([row.answerable for row in rows])
    paragraph = {
        "sentence": fit_sentences(rows, found, cosine),
        "answerable": fit_logistic(features(found, cosine), answerable).round(4).tolist(),
    }
    asked, trap = searches(forward, tokenizer, yes, every), searches(forward, tokenizer, yes + no, every)
    trap = [one for one in trap if not one.question.answerable]
    reached = [one for one in asked if 0 <= one.right < NEAREST]
    sentence = max(itertools.product(SPAN, COSINE, PASSAGE), key=lambda w: right_first(reached, *w))
    span = max((0.25, 0.5, 1.0, 2.0, 4.0), key=lambda w: short_answer(reached, sentence, w))
    retrieved = {
        "sentence": sentence,
        "right_first": round(right_first(reached, *sentence), 4),
        "right_first_cosine": round(right_first(reached, 0, 1e6, 0), 4),
        "span": span,
        "short_answer_f1": round(short_answer(reached, sentence, span), 4),
        "refusal": fit_refusal(asked, trap),
    }
    return {"rows": len(rows), "searches": len(asked), "paragraph": paragraph, "retrieved": retrieved}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with train/")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--every", type=int, default=7, help="search with every n-th held-out question")
    arguments = parser.parse_args()
    tokenizer = Tokenizer.from_file(str(arguments.model / "tokenizer.json"))
    found = calibrate(onnx_forward(arguments.model), tokenizer, arguments.data, arguments.every)
    text = json.dumps(found, indent=1)
    (arguments.model / "calibration.json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
