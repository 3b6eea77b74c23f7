"""index.embed against the published float32 model, and against what texts can contain."""

import base64
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from index import ModelFileError
from index.embed import (
    DIMENSIONS,
    MODEL_FOLDER,
    MODEL_ID,
    MODEL_SHA256,
    TOKENIZER_SHA256,
    count_tokens,
    embed,
    embed_passages,
    open_session,
    open_tokenizer,
)

GOLDEN = json.loads((MODEL_FOLDER / "golden.json").read_text(encoding="utf-8"))
TEXTS: list[str] = GOLDEN["texts"]
PASSAGE = (
    "Talks in Vienna",
    "The two presidents spoke by telephone for ninety minutes on Thursday.",
    "Neither side gave details.",
    "A ministry spokeswoman, asked about gas prices, said: “We'll see.”",
)


def test_vectors_are_those_of_the_float32_model():
    expected = np.frombuffer(base64.b64decode(GOLDEN["float16"]), "<f2").reshape(len(TEXTS), DIMENSIONS)
    cosines = (embed(TEXTS) * expected.astype(np.float32)).sum(1)
    assert len(TEXTS) == 20
    assert cosines.min() >= 0.99, [(text, float(c)) for text, c in zip(TEXTS, cosines, strict=True) if c < 0.99]
    assert cosines.mean() >= 0.995


def test_related_texts_are_nearer_than_unrelated_ones():
    vectors = embed(["How long did the presidents talk?", PASSAGE[1], "Bird flu was found on a turkey farm."])
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2


def test_rows_are_float32_unit_vectors():
    vectors = embed(TEXTS)
    assert vectors.dtype == np.float32
    assert vectors.shape == (20, DIMENSIONS)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_vector_depends_on_its_own_text_only():
    alone = np.concatenate([embed([text]) for text in TEXTS])
    fillers = ["Rain.", "Prices rose again, and nobody in the room could say why they had. " * 12]
    order = np.random.default_rng(0).permutation(len(TEXTS))
    mixed = embed([text for place in order for text in (TEXTS[place], *fillers)])[::3]
    np.testing.assert_allclose(mixed, alone[order], atol=1e-5)
    assert (mixed * alone[order]).sum(1).min() >= 0.99999


def test_order_is_kept_over_many_batches_and_threads():
    texts = [f"{'word ' * (number * 7 % 90)}number {number}" for number in range(120)]
    vectors = embed(texts)
    for place in (0, 1, 59, 118, 119):
        np.testing.assert_allclose(vectors[place], embed([texts[place]])[0], atol=1e-5)
    np.testing.assert_allclose(embed(texts, threads=3), vectors, atol=1e-5)


def test_no_texts():
    assert embed([]).shape == (0, DIMENSIONS)
    assert embed_passages([]) == []
    assert count_tokens([]) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t",
        "\x00\x07",
        "🙂👩‍👩‍👧🏳️‍🌈",
        "今日は良い天気です",
        "\ud83d half an emoji",
        "e\u0301" * 300,
        "x" * 5000,
        "é" * 40_000,
    ],
    ids=["empty", "blank", "control", "emoji", "unknown script", "surrogate", "combining", "long word", "long accents"],
)
def test_any_text_has_a_unit_vector(text: str):
    assert np.linalg.norm(embed([text])[0]) == pytest.approx(1, abs=1e-5)
    assert count_tokens([text])[0] >= 0


def test_what_follows_256_tokens_is_ignored():
    full = "rain " * 254  # with [CLS] and [SEP]: 256
    np.testing.assert_allclose(embed([full])[0], embed([full + "the minister resigned"])[0], atol=1e-5)
    shorter = embed(["rain " * 253 + "minister"])[0]
    assert np.abs(embed([full])[0] - shorter).max() > 1e-3


def test_ten_million_characters_are_not_read_to_the_end():
    vectors = embed(["The minister resigned. " * 450_000, "The minister resigned. " * 100])
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-5)


def test_tokens_are_counted_without_the_special_ones_and_without_limit():
    assert count_tokens(["", "rain", "the minister resigned .", "rain " * 1000]) == [0, 1, 4, 1000]
    assert sum(count_tokens(PASSAGE)) == count_tokens([" ".join(PASSAGE)])[0]


def test_a_passage_gives_its_own_vector_and_one_for_each_sentence():
    (vectors,) = embed_passages([PASSAGE])
    assert vectors.shape == (4, DIMENSIONS)
    np.testing.assert_allclose(vectors[0], embed([" ".join(PASSAGE)])[0], atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    scores = vectors[1:] @ embed(["How long did the presidents talk?"])[0]
    assert scores.argmax() == 0
    # each is pooled over its own tokens, in context: like the sentence alone, but not the same
    for row, sentence in zip(vectors[1:], PASSAGE[1:], strict=True):
        assert 0.5 < row @ embed([sentence])[0] < 0.999


def test_passages_of_different_sizes_do_not_disturb_each_other():
    passages = [PASSAGE, ("", "Rain."), PASSAGE[:2], ("Heading",), ("", "")]
    together = embed_passages(passages)
    assert [len(rows) for rows in together] == [4, 2, 2, 1, 2]
    for rows, passage in zip(together, passages, strict=True):
        np.testing.assert_allclose(rows, embed_passages([passage])[0], atol=1e-5)


def test_a_sentence_beyond_the_limit_has_the_vector_of_its_passage():
    (vectors,) = embed_passages([("", "rain " * 200, "wind " * 100, "The minister resigned.")])
    np.testing.assert_array_equal(vectors[3], vectors[0])
    assert np.abs(vectors[2] - vectors[0]).max() > 1e-3  # begins within the limit


def test_the_id_of_stored_vectors_names_this_very_model():
    content = (MODEL_FOLDER / "model.onnx").read_bytes()
    assert MODEL_ID.endswith(hashlib.sha256(content).hexdigest()[:12])
    assert len(content) <= 25_000_000


def test_a_damaged_model_is_refused(tmp_path: Path):
    content = bytearray((MODEL_FOLDER / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    damaged = tmp_path / "model.onnx"
    damaged.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"model\.onnx is damaged.*Reinstall"):
        open_session(damaged, MODEL_SHA256)


def test_a_damaged_or_missing_tokenizer_is_refused(tmp_path: Path):
    text = (MODEL_FOLDER / "tokenizer.json").read_text(encoding="utf-8")
    (tmp_path / "tokenizer.json").write_text(text.replace('"minister"', '"monster"'), encoding="utf-8")
    with pytest.raises(ModelFileError, match="damaged"):
        open_tokenizer(tmp_path / "tokenizer.json", TOKENIZER_SHA256)
    with pytest.raises(ModelFileError, match=r"absent\.json: No such file.*Reinstall"):
        open_tokenizer(tmp_path / "absent.json", TOKENIZER_SHA256)


def test_importing_loads_neither_runtime_nor_tokenizer():
    code = "import sys, index.embed; print([m for m in ('onnxruntime', 'tokenizers') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
