"""The public question sets as documents, questions and a keyword search for wrong passages.

A document is kept as one run of tokens with sentence and paragraph boundaries: examples.py cuts passages from it.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from index.embed import embed

MAX_QUESTION = 40  # tokens
NEAR = 12  # paragraphs
THREADS = 2
REWRITES = Path(__file__).parent / "rewrites.jsonl"  # questions of SQuAD in other words, and others left unanswered
# Few, and like what people ask: in other words than the text (rewrites), without the text in view (the others).
TIMES = {"rewrites": 3, "qed_nq": 2, "selqa": 2}
# Encyclopaedia prose; news has its own splitter, index/sentences.py.
_BOUNDARY = re.compile(r"(?<=[.!?])[\"'”’)\]]*\s+(?=[\"'“‘(\[]*[A-Z0-9])|\n+")
_NAMED = re.compile(r"\d|(?<=.)\b[A-Z]")  # a question without a name or number makes sense beside its article only
_ABBREVIATION = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|St|Jr|Sr|vs|No|Gen|Col|Lt|Sen|Rep|Prof|c|ca|[A-Z])\.)$")


@dataclass(frozen=True)
class Document:
    """Neighbouring paragraphs in order. `bounds` has one more entry than there are sentences."""

    title: str
    ids: np.ndarray  # (tokens,) int32
    bounds: np.ndarray  # (sentences + 1,) token positions
    paragraph: np.ndarray  # (sentences,) paragraph number of each sentence
    first_row: int  # number of the first paragraph in the keyword index


@dataclass(frozen=True)
class Question:
    ids: list[int]
    document: int
    paragraph: int
    span: tuple[int, int] | None  # first and last token of the answer in the document
    evidence: tuple[int, ...]  # sentence numbers in the document
    answers: tuple[str, ...]  # token strings " 12 34 ", to keep them out of wrong passages
    times: int = 1  # how often an epoch asks it
    near: tuple[int, ...] = ()  # rows of the keyword index: other paragraphs that are near it in meaning


def read_rows(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Offsets of the sentences of a paragraph (encyclopaedia prose; news has its own splitter)."""
    spans, start = [], 0
    for match in _BOUNDARY.finditer(text):
        if "\n" not in match.group() and _ABBREVIATION.search(text, max(0, match.start() - 6), match.start()):
            continue
        if text[start : match.start()].strip():
            spans.append((start, match.end()))
            start = match.end()
    if text[start:].strip():
        spans.append((start, len(text)))
    return spans


def held_out(title: str) -> bool:
    """One article in 25 is never trained on: thresholds are calibrated on these."""
    return zlib.crc32(title.encode()) % 25 == 0


class Library:
    """All documents, and keyword search over their paragraphs (BM25 on word pieces)."""

    def __init__(self, tokenizer: Tokenizer, groups: list[tuple[str, list[str]]]) -> None:
        self.documents: list[Document] = []
        self.offsets: list[np.ndarray] = []  # first token of every paragraph, and the end
        self.chars: list[list[tuple[int, int]]] = []  # per document: (start, end) character of each token
        terms, rows = [], []
        encoded = iter(tokenizer.encode_batch([t for _, texts in groups for t in texts], add_special_tokens=False))
        row = 0
        for title, texts in groups:
            ids: list[int] = []
            bounds, paragraph, starts, chars = [0], [], [0], []
            for number, text in enumerate(texts):
                one = next(encoded)
                ends = np.array([end for _, end in one.offsets], int)
                for _, stop in sentence_spans(text):
                    edge = len(ids) + int(np.searchsorted(ends, stop, "right"))
                    if edge > bounds[-1]:
                        bounds.append(edge)
                        paragraph.append(number)
                ids += one.ids
                chars += one.offsets
                starts.append(len(ids))
                terms.append(np.array(one.ids, np.int32))
                rows.append(np.full(len(one.ids), row + number, np.int32))
            self.documents.append(Document(title, np.array(ids, np.int32), np.array(bounds), np.array(paragraph), row))
            self.offsets.append(np.array(starts))
            self.chars.append(chars)
            row += len(texts)
        self.first_rows = np.array([d.first_row for d in self.documents])
        self._index(np.concatenate(terms), np.concatenate(rows), row, tokenizer.get_vocab_size())

    def _index(self, terms: np.ndarray, rows: np.ndarray, count: int, vocabulary: int) -> None:
        """BM25 (Robertson and Zaragoza 2009), k1 0.9, b 0.4."""
        key, tf = np.unique(terms.astype(np.int64) * count + rows, return_counts=True)
        term, self._row = key // count, key % count
        length = np.bincount(rows, minlength=count)
        first = np.searchsorted(term, np.arange(vocabulary + 1))
        frequency = np.diff(first)
        idf = np.log1p((count - frequency + 0.5) / (frequency + 0.5))
        weight = tf * 1.9 / (tf + 0.9 * (0.6 + 0.4 * length[self._row] / length.mean()))
        self._first, self._weight, self._count = first, (weight * idf[term]).astype(np.float32), count

    def scores(self, ids: list[int]) -> np.ndarray:
        """(paragraphs,) BM25 of a question against every paragraph of every document."""
        total = np.zeros(self._count, np.float32)
        for term in set(ids):
            part = slice(self._first[term], self._first[term + 1])
            total[self._row[part]] += self._weight[part]
        return total


def _question(row: dict[str, Any], ids: list[int], where: tuple[int, int], text: str, library: Library) -> Question:
    number, paragraph = where
    document, chars = library.documents[number], library.chars[number]
    first, last = library.offsets[number][paragraph : paragraph + 2]
    starts = [s for s, _ in chars[first:last]]
    ends = [e for _, e in chars[first:last]]

    def tokens(start: int, stop: int) -> tuple[int, int]:
        left = int(np.searchsorted(ends, start, "right"))
        right = int(np.searchsorted(starts, stop, "left")) - 1
        return int(first) + left, int(first) + max(left, right)

    span, marked = None, []
    if row["spans"]:
        best = row["spans"][0]
        span = tokens(best["start"], best["start"] + len(best["text"]))
        marked = [span]
    elif row["evidence"]:
        places = [(text.find(e), len(e)) for e in row["evidence"]]
        marked = [tokens(at + 1, at + size - 1) for at, size in places if at >= 0]
    evidence = {
        int(s)
        for a, b in marked
        for s in range(*(np.searchsorted(document.bounds, [a, b], "right") - 1 + np.array([0, 1])))
    }
    answers = tuple(f" {' '.join(map(str, document.ids[a : b + 1]))} " for a, b in marked)
    return Question(ids, number, paragraph, span, tuple(sorted(evidence)), answers, TIMES.get(row["set"], 1))


def rewrites(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of REWRITES: `of` is the question with the same answer, `about` a passage that does not answer."""
    known = {row["id"]: row for row in rows}
    nothing = {"evidence": [], "spans": []}
    found = []
    for new in map(json.loads, REWRITES.read_text("utf-8").splitlines()):
        old = known[new["of"]] if "of" in new else nothing | {"doc_id": new["about"]}
        found.append(old | {"question": new["question"], "set": "rewrites"})
    return found


def nearest(questions: list[str], paragraphs: list[str], kept: Path) -> list[tuple[int, ...]]:
    """Of each question the paragraphs nearest in meaning, by the embedding model. The vectors of the paragraphs, some
    minutes' work, stay in the file `kept`."""
    if not kept.exists():
        part = kept.with_suffix(".part.npy")
        np.save(part, embed(paragraphs, THREADS).astype(np.float16))
        part.replace(kept)
    vectors = np.load(kept).astype(np.float32)
    if len(vectors) != len(paragraphs):
        raise ValueError(f"{kept} is of other articles: delete it")
    found = []
    for at in range(0, len(questions), 512):
        cosines = embed(questions[at : at + 512], THREADS) @ vectors.T
        found += map(tuple, np.argpartition(-cosines, NEAR)[:, :NEAR].tolist())
    return found


def load(folder: Path, tokenizer: Tokenizer, kept: Path) -> tuple[Library, list[Question]]:
    """The library of all articles, and the questions about those that are trained on. `kept`: see `nearest`."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for name in ("squad1_train", "qed_nq", "selqa"):
        for row in read_rows(folder / f"{name}.passages.jsonl.gz"):
            row["text"] = row["text"].replace("``", ' "').replace("''", '" ')
            groups.setdefault(row["title"] if name == "squad1_train" else row["id"], []).append(row)
    documents = list(groups.values())
    library = Library(tokenizer, [(d[0]["title"], [p["text"] for p in d]) for d in documents])
    where = {p["id"]: (n, k) for n, d in enumerate(documents) for k, p in enumerate(d)}
    rows = [
        row | {"set": name}
        for name in ("squad1_train", "squad2_unanswerable", "qed_nq", "selqa")
        for row in read_rows(folder / f"{name}.questions.jsonl.gz")
    ]
    rows += rewrites(rows)
    rows = [row for row in rows if not held_out(documents[where[row["doc_id"]][0]][0]["title"])]
    encoded = tokenizer.encode_batch([row["question"] for row in rows], add_special_tokens=False)
    questions = []
    for row, one in zip(rows, encoded, strict=True):
        number, paragraph = where[row["doc_id"]]
        text = documents[number][paragraph]["text"]
        row["evidence"] = [e.replace("``", ' "').replace("''", '" ') for e in row["evidence"]]
        questions.append(_question(row, one.ids[:MAX_QUESTION], (number, paragraph), text, library))
    own = [row["set"] == "rewrites" and row["spans"] and _NAMED.search(row["question"]) for row in rows]
    asked = [at for at, wanted in enumerate(own) if wanted]
    texts = [paragraph["text"] for document in documents for paragraph in document]
    for at, near in zip(asked, nearest([rows[at]["question"] for at in asked], texts, kept), strict=True):
        questions[at] = replace(questions[at], near=near)
    library.chars.clear()  # 1 GB, needed for loading only
    return library, questions
