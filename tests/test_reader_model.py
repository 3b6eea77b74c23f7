"""The shipped reading model: what it was measured as, on every machine, and the arithmetic around it."""

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from rag.models.evaluate import auc, f1
from rag.models.reading import Row, Scores, best_span, onnx_forward, read
from rag.reader import entailment

MODEL = Path(__file__).parent.parent / "rag" / "models" / "reader-minilm-l10-v3"
GOLDEN = json.loads((MODEL / "golden.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(MODEL / "tokenizer.json"))


def row(question: str, title: str, text: str, sentences: Sequence[Sequence[int]]) -> Row:
    spans = tuple((start, end) for start, end in sentences)
    return Row(question, title, text, spans, np.zeros(len(spans), bool), (), False)


def rows() -> list[Row]:
    return [row(g["question"], "", g["text"], g["sentences"]) for g in GOLDEN]


@pytest.fixture(scope="module")
def found(tokenizer: Tokenizer) -> list[Scores]:
    return read(onnx_forward(MODEL), rows(), tokenizer)


def test_files_are_those_of_the_model_card():
    card = (MODEL / "README.md").read_text("utf-8")
    for name in ("model.onnx", "tokenizer.json"):
        assert hashlib.sha256((MODEL / name).read_bytes()).hexdigest() in card


def test_the_whole_model_is_small():
    assert sum(path.stat().st_size for path in MODEL.iterdir()) <= 25_000_000


@pytest.mark.parametrize("number", range(len(GOLDEN)))
def test_golden_outputs(found: list[Scores], number: int):
    golden, one = GOLDEN[number], found[number]
    # int8 products are exact on every processor; the float32 steps between them are not
    assert one.evidence == pytest.approx(golden["evidence"], abs=0.1)
    assert one.span == pytest.approx(golden["span"], abs=0.1)
    assert one.answerable == pytest.approx(golden["answerable"], abs=0.1)
    assert one.text == golden["answer"]
    assert one.claim == pytest.approx(golden["claim"], abs=0.1)


def test_a_passage_is_read_alike_alone_and_in_a_batch(found: list[Scores], tokenizer: Tokenizer):
    forward = onnx_forward(MODEL)
    for one, together in zip(rows(), found, strict=True):
        (alone,) = read(forward, [one], tokenizer)
        assert alone.evidence == pytest.approx(together.evidence, abs=0.05)
        assert alone.answerable == pytest.approx(together.answerable, abs=0.05)


def test_a_claim_is_told_from_an_altered_one():
    text = "The bridge over the river was opened in May by the mayor. It cost 30 million euros."
    claims = (
        "The mayor opened the bridge in May.",
        "The bridge was never opened.",
        "The tennis final was won by Spain.",
    )
    supported, refuted, neither = entailment([(claim, "A new bridge · 3 June 2021", text) for claim in claims]).T
    assert (supported.argmax(), refuted.argmax(), neither.argmax()) == (0, 1, 2)
    assert entailment([]).shape == (0, 3)


def test_a_question_about_something_else_is_less_answerable(tokenizer: Tokenizer):
    text = "The bridge over the river was opened in May. It cost 30 million euros. A toll is not planned."
    spans = [match.span() for match in re.finditer(r"[^.]+\.", text)]
    asked = ("How much did the bridge cost?", "Who won the tennis final?")
    two = [row(question, "A new bridge", text, spans) for question in asked]
    right, wrong = read(onnx_forward(MODEL), two, tokenizer)
    assert "30 million" in right.text
    assert right.evidence.argmax() == 1
    assert right.answerable > wrong.answerable
    assert right.span.max() > wrong.span.max()


def test_best_span_does_not_end_before_it_starts():
    score, first, last = best_span(np.array([0.0, 5.0, 1.0]), np.array([9.0, 1.0, 2.0]))
    assert (score, first, last) == (9.0, 0, 0)
    score, first, last = best_span(np.array([0.0, 5.0, 1.0]), np.array([3.0, 1.0, 2.0]))
    assert (score, first, last) == (7.0, 1, 2)


def test_best_span_is_at_most_thirty_tokens():
    start, end = np.zeros(60), np.zeros(60)
    start[0], end[29], end[30] = 5.0, 1.0, 4.0
    assert best_span(start, end)[1:] == (0, 29)


def test_f1_counts_words_without_articles_and_punctuation():
    assert f1("The red, car", ["red car"]) == 1.0
    assert f1("red car", ["a blue car", "red"]) == pytest.approx(2 / 3)
    assert f1("", ["x"]) == 0.0


def test_auc_counts_ties_half():
    assert auc(np.array([1.0, 2.0, 3.0, 4.0]), np.array([False, False, True, True])) == 1.0
    assert auc(np.array([1.0, 1.0]), np.array([True, False])) == 0.5
