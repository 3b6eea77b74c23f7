"""Batches for training: questions, claims and stories mixed, examples of like length together."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from rag.models.claims import Altered, claims, facts
from rag.models.examples import Example, examples
from rag.models.library import load
from rag.models.stories import examples_of_stories, read_stories

CLAIMS = 0.2  # per question
STORIES = 0.35


def stream(folder: Path, tokenizer: Tokenizer, tokens: int, first: int, kept: Path) -> Iterator[list[Example]]:
    """Batches of epoch after epoch from number `first` on, each in an order of its own. `kept`: see `nearest`."""
    library, questions = load(folder, tokenizer, kept)
    known, altered = facts(folder, tokenizer), Altered(library, questions, tokenizer)
    for epoch in itertools.count(first):
        rng = np.random.default_rng(epoch)
        found = [
            (CLAIMS, claims(library, known, altered, tokenizer, rng)),
            (STORIES, examples_of_stories(read_stories(), tokenizer, rng)),
        ]
        yield from batches(mixed(examples(library, questions, tokenizer, rng), found, rng), rng, tokens)


def mixed(
    questions: Iterator[Example], others: list[tuple[float, Iterator[Example]]], rng: np.random.Generator
) -> Iterator[Example]:
    """All questions, and after each, with its probability, one of the others."""
    for question in questions:
        yield question
        for often, found in others:
            if rng.random() < often:
                yield next(found)


def batches(found: Iterator[Example], rng: np.random.Generator, tokens: int) -> Iterator[list[Example]]:
    """Examples of like length together, `tokens` tokens with padding, in random order.

    Only some twenty shapes occur: the CPU kernels are compiled and kept per shape.
    """
    waiting: dict[int, list[Example]] = {}
    while pool := list(itertools.islice(found, 2048)):
        full = []
        for one in pool:
            width = padded(len(one.ids))
            waiting.setdefault(width, []).append(one)
            if len(waiting[width]) == tokens // width:
                full.append(waiting.pop(width))
        for at in rng.permutation(len(full)).tolist():
            yield full[at]


def padded(length: int) -> int:
    """The next multiple of 8, 64 at least."""
    return max(64, -(-length // 8) * 8)


def collate(batch: list[Example]) -> dict[str, Tensor]:
    rows, width = len(batch), padded(max(len(e.ids) for e in batch))
    most = max(len(e.evidence) for e in batch)
    ids, mask, types = (np.zeros((rows, width), np.int64) for _ in range(3))
    sentence = np.full((rows, width), -1, np.int64)
    evidence = np.full((rows, most), -1, np.float32)
    span = np.full((rows, 2), -100, np.int64)
    for row, one in enumerate(batch):
        size = len(one.ids)
        ids[row, :size], mask[row, :size], sentence[row, :size] = one.ids, 1, one.sentence
        types[row, one.question_tokens : size] = 1
        evidence[row, : len(one.evidence)] = one.evidence
        if one.span:
            span[row] = one.span
    found = {"ids": ids, "mask": mask, "types": types, "sentence": sentence, "evidence": evidence, "span": span}
    found["label"] = np.array([-100 if one.label is None else one.label for one in batch])
    return {name: torch.from_numpy(value) for name, value in found.items()}
