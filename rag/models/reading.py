"""Read questions with a given paragraph: what the model says about every sentence, span and paragraph.

Numpy only; `Forward` is the shipped model or a training run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from index.sentences import split
from rag.models.library import MAX_QUESTION, held_out, read_rows

# (ids, mask, types), each (batch, length) int64 -> tokens (batch, length, 3): start, end, evidence; passage (batch,);
# claim (batch, 3): supported, refuted, neither
Forward = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]
MAX_TOKENS, MAX_PREFIX, MAX_SPAN = 224, 24, 30


@dataclass(frozen=True)
class Row:
    question: str
    title: str
    text: str
    sentences: tuple[tuple[int, int], ...]  # offsets in the text
    gold: np.ndarray  # (sentences,) bool
    answers: tuple[str, ...]
    answerable: bool


@dataclass(frozen=True)
class Window:
    """One input of the model: consecutive sentences of a row's paragraph."""

    row: int
    ids: list[int]
    types: list[int]
    first: int  # number of the first sentence
    bounds: tuple[tuple[int, int], ...]  # token positions of each sentence
    offsets: tuple[tuple[int, int], ...]  # characters of each token, (0, 0) before the passage


@dataclass(frozen=True)
class Scores:
    """Of one row, all logits. A span's score is start + end minus the same of [CLS], "no answer"."""

    evidence: np.ndarray  # (sentences,)
    span: np.ndarray  # (sentences,)
    answerable: float
    text: str  # the best span
    claim: tuple[float, ...] = ()  # supported, refuted, neither, of the first window, when the question is a claim


def rows_of(folder: Path, questions: str, passages: str, held: bool = False) -> list[Row]:
    """Rows of a development set, or (`held`) of the training articles that are never trained on."""
    paragraphs = {p["id"]: p for p in read_rows(folder / f"{passages}.passages.jsonl.gz")}
    cache: dict[str, tuple[tuple[int, int], ...]] = {}
    rows = []
    for q in read_rows(folder / f"{questions}.questions.jsonl.gz"):
        paragraph = paragraphs[q["doc_id"]]
        if held and not held_out(paragraph["title"]):
            continue
        text = paragraph["text"]
        spans = cache.setdefault(q["doc_id"], tuple((s.start, s.end) for s in split(text)))
        rows.append(
            Row(
                q["question"],
                paragraph["title"],
                text,
                spans,
                _gold(q, text, spans),
                tuple(q["answers"]),
                q["answerable"],
            )
        )
    return rows


def _gold(q: dict[str, Any], text: str, spans: Sequence[tuple[int, int]]) -> np.ndarray:
    """A sentence is gold when it and an evidence text share more than half of the shorter of the two."""
    gold = np.zeros(len(spans), bool)
    for evidence in q["evidence"]:
        at = text.find(evidence)
        if at < 0:
            continue
        for number, (start, end) in enumerate(spans):
            shared = min(end, at + len(evidence)) - max(start, at)
            gold[number] |= shared > min(end - start, len(evidence)) / 2
    return gold


def windows_of(rows: Sequence[Row], tokenizer: Tokenizer) -> list[Window]:
    """Whole paragraphs where they fit, else runs of sentences that overlap by one."""
    cls, sep = (tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]"))
    windows = []
    for number, row in enumerate(rows):
        question = tokenizer.encode(row.question, add_special_tokens=False).ids[:MAX_QUESTION]
        prefix = tokenizer.encode(row.title, add_special_tokens=False).ids[:MAX_PREFIX]
        pieces = [tokenizer.encode(row.text[a:b], add_special_tokens=False) for a, b in row.sentences]
        head = [cls, *question, sep, *prefix, sep]
        room, first = MAX_TOKENS - len(head) - 1, 0
        while first < len(pieces):
            ids, offsets, bounds, last = list(head), [(0, 0)] * len(head), [], first
            while last < len(pieces) and (last == first or len(ids) + len(pieces[last].ids) < MAX_TOKENS):
                at = row.sentences[last][0]
                bounds.append((len(ids), len(ids) + min(room, len(pieces[last].ids))))
                ids += pieces[last].ids[:room]
                offsets += [(at + a, at + b) for a, b in pieces[last].offsets[:room]]
                last += 1
            types = [0] * (len(question) + 2) + [1] * (len(ids) + 1 - len(question) - 2)
            windows.append(Window(number, [*ids, sep], types, first, tuple(bounds), tuple(offsets)))
            first = last if last == len(pieces) else max(last - 1, first + 1)
    return windows


def batches(windows: Sequence[Window], tokens: int = 4096) -> Iterator[list[int]]:
    batch: list[int] = []
    for place in sorted(range(len(windows)), key=lambda at: len(windows[at].ids)):
        if batch and (len(batch) + 1) * len(windows[place].ids) > tokens:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def read(forward: Forward, rows: Sequence[Row], tokenizer: Tokenizer) -> list[Scores]:
    windows = windows_of(rows, tokenizer)
    evidence = [np.full(len(row.sentences), -99.0) for row in rows]
    span = [np.full(len(row.sentences), -99.0) for row in rows]
    answerable, best, text = np.full(len(rows), -99.0), np.full(len(rows), -99.0), [""] * len(rows)
    claims = np.zeros((len(rows), 3))
    for places in batches(windows):
        width = max(len(windows[at].ids) for at in places)
        ids, mask, types = (np.zeros((len(places), width), np.int64) for _ in range(3))
        for line, at in enumerate(places):
            size = len(windows[at].ids)
            ids[line, :size], mask[line, :size], types[line, :size] = windows[at].ids, 1, windows[at].types
        tokens, passage, claim = forward(ids, mask, types)
        for line, at in enumerate(places):
            w, logits = windows[at], tokens[line]
            answerable[w.row] = max(answerable[w.row], passage[line])
            if w.first == 0:
                claims[w.row] = claim[line]
            for number, (a, b) in enumerate(w.bounds, w.first):
                if a == b:
                    continue
                score, start, end = best_span(logits[a:b, 0], logits[a:b, 1])
                score -= logits[0, 0] + logits[0, 1]
                evidence[w.row][number] = max(evidence[w.row][number], logits[a:b, 2].mean())
                span[w.row][number] = max(span[w.row][number], score)
                if score > best[w.row]:
                    best[w.row] = score
                    text[w.row] = rows[w.row].text[w.offsets[a + start][0] : w.offsets[a + end][1]]
    told = map(tuple, claims.tolist())
    return [Scores(*five) for five in zip(evidence, span, answerable.tolist(), text, told, strict=True)]


def best_span(start: np.ndarray, end: np.ndarray) -> tuple[float, int, int]:
    """(score, first, last) with first <= last < first + MAX_SPAN of one sentence's start and end logits."""
    total = start[:, None] + end[None, :]
    total[np.tri(len(start), k=-1, dtype=bool) | np.tri(len(start), k=-MAX_SPAN, dtype=bool).T] = -1e9
    at = int(total.argmax())
    return float(total.flat[at]), at // len(start), at % len(start)


def onnx_forward(folder: Path) -> Forward:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(folder / "model.onnx", options, providers=["CPUExecutionProvider"])

    def forward(ids: np.ndarray, mask: np.ndarray, types: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        found = session.run(["tokens", "passage", "claim"], {"ids": ids, "mask": mask, "types": types})
        tokens, passage, claim = map(np.asarray, found)
        return tokens, passage, claim

    return forward
