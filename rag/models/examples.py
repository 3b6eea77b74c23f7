"""Training examples for the reader: what it meets in use, cut from the documents of library.py.

An example is like a passage of an article: whole sentences, the answer anywhere or nowhere, a headline and sometimes
a date in front.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from tokenizers import Tokenizer

from rag.models.library import Document, Library, Question, held_out

CLS, SEP = 101, 102
MAX_PREFIX, MAX_TOKENS = 24, 224
_MONTHS = "January February March April May June July August September October November December".split()


@dataclass(frozen=True)
class Example:
    ids: np.ndarray
    question_tokens: int  # with [CLS] and [SEP]; token type 0
    sentence: np.ndarray  # (tokens,) sentence number, -1 outside the passage
    span: tuple[int, int] | None  # (0, 0) is "no answer"; None: unknown, no span loss
    evidence: np.ndarray  # (sentences,) 0 or 1
    label: int | None = None  # of a claim, see claims.py; None for a question


def _prefix(document: Document, tokenizer: Tokenizer, rng: np.random.Generator) -> list[int]:
    """Headline and date as in use; sometimes a sentence of the document as the headline, sometimes none."""
    kind = rng.random()
    headline: list[int] = []
    if kind < 0.75:
        headline = tokenizer.encode(document.title, add_special_tokens=False).ids
    elif kind < 0.9:
        at = int(rng.integers(len(document.bounds) - 1))
        headline = document.ids[document.bounds[at] : document.bounds[at + 1]].tolist()
    return headline[: MAX_PREFIX - 8] + _date(tokenizer, rng)


def dated_prefix(title: str, tokenizer: Tokenizer, rng: np.random.Generator) -> list[int]:
    return tokenizer.encode(title, add_special_tokens=False).ids[: MAX_PREFIX - 8] + _date(tokenizer, rng)


def _date(tokenizer: Tokenizer, rng: np.random.Generator) -> list[int]:
    year, month, day = int(rng.integers(1985, 2026)), int(rng.integers(12)), int(rng.integers(1, 29))
    date = ""
    if rng.random() < 0.5:
        written = (f"{day} {_MONTHS[month]} {year}", f"{year}-{month + 1:02}-{day:02}")[int(rng.random() < 0.5)]
        date = f" · {written}"
    return tokenizer.encode(date, add_special_tokens=False).ids


def window(
    document: Document, anchor: int, room: int, rng: np.random.Generator, cross: bool, without: tuple[int, ...] = ()
) -> tuple[int, int]:
    """First and last sentence of a run of at most `room` tokens around sentence `anchor`."""
    first = last = anchor
    size = document.bounds[anchor + 1] - document.bounds[anchor]
    leftness = rng.random()
    sides = [True, True]
    while any(sides):
        left = sides[0] and (not sides[1] or rng.random() < leftness)
        new = first - 1 if left else last + 1
        fits = 0 <= new < len(document.paragraph) and new not in without
        if fits and (cross or document.paragraph[new] == document.paragraph[anchor]):
            grown = size + document.bounds[new + 1] - document.bounds[new]
            if grown <= room:
                first, last, size = min(first, new), max(last, new), grown
                continue
        sides[0 if left else 1] = False
    return first, last


def assemble(
    question: Question, document: Document, run: tuple[int, int], prefix: list[int], positive: bool
) -> Example | None:
    """[CLS] question [SEP] headline and date [SEP] sentences [SEP]; None when the answer was cut off."""
    start, stop = int(document.bounds[run[0]]), int(document.bounds[run[1] + 1])
    before = 1 + len(question.ids) + 1 + len(prefix) + 1
    stop = min(stop, start + MAX_TOKENS - before - 1)
    ids = [CLS, *question.ids, SEP, *prefix, SEP, *document.ids[start:stop].tolist(), SEP]
    sentence = np.full(len(ids), -1, np.int32)
    for number in range(run[0], run[1] + 1):
        a, b = document.bounds[number], min(int(document.bounds[number + 1]), stop)
        sentence[before + a - start : before + b - start] = number - run[0]
    evidence = np.zeros(int(sentence.max()) + 1, np.float32)
    span: tuple[int, int] | None = (0, 0)
    if positive:
        for number in question.evidence:
            if run[0] <= number < run[0] + len(evidence):
                evidence[number - run[0]] = 1
        span = None
        if question.span:
            if not (start <= question.span[0] and question.span[1] < stop):
                return None
            span = (question.span[0] - start + before, question.span[1] - start + before)
        if not evidence.any():
            return None
    return Example(np.array(ids, np.int32), len(question.ids) + 2, sentence, span, evidence)


def _trap(question: Question, document: Document, sentences: list[int]) -> int:
    """The sentence that shares most word pieces with the question."""
    bounds = document.bounds
    shared = [len(set(question.ids).intersection(document.ids[bounds[s] : bounds[s + 1]].tolist())) for s in sentences]
    return sentences[int(np.argmax(shared))]


def _wrong(
    question: Question, library: Library, rng: np.random.Generator, kind: str
) -> tuple[int, tuple[int, int]] | None:
    """Document and sentences of a passage that reads like the answer's and does not hold it."""
    room = int(rng.integers(70, 171))
    if kind == "cut":  # the same paragraph without the sentence that answers
        document = library.documents[question.document]
        rest = [
            s for s in np.flatnonzero(document.paragraph == question.paragraph).tolist() if s not in question.evidence
        ]
        choices = [(question.document, s, question.evidence) for s in rest]
    else:
        scores = library.scores(question.ids)
        own = library.documents[question.document].first_row
        if kind == "same":
            size = len(library.offsets[question.document]) - 1
            rows = own + np.argsort(-scores[own : own + size])[:6]
        else:
            rows = np.array(question.near) if kind == "near" else np.argpartition(-scores, 8)[:8]
        rows = rows[rows != own + question.paragraph]
        choices = []
        for row in rows.tolist():
            number = int(np.searchsorted(library.first_rows, row, "right")) - 1
            document = library.documents[number]
            inside = np.flatnonzero(document.paragraph == row - document.first_row)
            if len(inside) and not held_out(document.title):
                choices.append((number, _trap(question, document, inside.tolist()), ()))
    if not choices:
        return None
    number, anchor, without = choices[int(rng.integers(len(choices)))]
    document = library.documents[number]
    run = window(document, anchor, room, rng, kind != "cut" and rng.random() < 0.3, without)
    text = f" {' '.join(map(str, document.ids[document.bounds[run[0]] : document.bounds[run[1] + 1]]))} "
    return None if any(answer in text for answer in question.answers) else (number, run)


def examples(
    library: Library, questions: list[Question], tokenizer: Tokenizer, rng: np.random.Generator
) -> Iterator[Example]:
    """One epoch in random order: every question with its passage as often as its `times`, many also with wrong ones.

    In use nine passages of ten are wrong, and what is said about them ranks the right one.
    """
    plan = [(n, "own") for n, q in enumerate(questions) for _ in range(q.times)]
    traps = [n for n, q in enumerate(questions) if not q.evidence and q.times == 1]  # SQuAD's: half of them twice
    plan += [(int(n), "own") for n in rng.choice(traps, len(traps) // 2, replace=False)]
    plan += [(n, "near") for n, q in enumerate(questions) for _ in range(2) if q.near]
    askable = [n for n, q in enumerate(questions) if q.evidence and len(q.ids) >= 6]
    for kind, share in (("same", 0.16), ("cut", 0.05), ("other", 0.13)):
        plan += [(int(n), kind) for n in rng.choice(askable, int(share * len(questions)), replace=False)]
    for at in rng.permutation(len(plan)).tolist():
        question, kind = questions[plan[at][0]], plan[at][1]
        if question.span and question.span[1] - question.span[0] > 40:
            continue
        if kind == "own":
            document = library.documents[question.document]
            inside = np.flatnonzero(document.paragraph == question.paragraph)
            pick = question.evidence or (_trap(question, document, inside.tolist()),)
            cross = bool(question.evidence) and rng.random() < 0.25
            run = window(document, int(pick[rng.integers(len(pick))]), int(rng.integers(70, 171)), rng, cross)
            found = (question.document, run)
        else:
            found = _wrong(question, library, rng, kind)
        if found is None:
            continue
        document = library.documents[found[0]]
        positive = kind == "own" and bool(question.evidence)
        one = assemble(question, document, found[1], _prefix(document, tokenizer, rng), positive)
        if one is not None:
            yield one
