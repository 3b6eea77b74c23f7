"""Texts -> vectors, with the model that ships in models/all-minilm-l6-v2-int8 (its README.md is the model card).

Runs onnxruntime on the CPU; no network. Both packages load at the first call, not at import.
"""

import hashlib
import itertools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from index.errors import ModelFileError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

MODEL_FOLDER = Path(__file__).parent / "models" / "all-minilm-l6-v2-int8"
MODEL_SHA256 = "33747e20e99842ddef2954e6574ada66c42be8f3b74845dbe9820f827c5cb56f"
TOKENIZER_SHA256 = "be86f7898a3638ceb7614052fa5a97fa03384ab4343dccc655c3f98a77eb1d2f"
MODEL_ID = f"all-MiniLM-L6-v2-int8-{MODEL_SHA256[:12]}"  # vectors of different ids must not be compared

DIMENSIONS = 384
MAX_TOKENS = 256  # [CLS] and [SEP] included; the length the model was published with
BATCH_TOKENS = 512  # padding included; more is no faster and takes more memory
WINDOW = 2048  # texts tokenised and sorted at a time: bounds memory, whatever the number of texts
MAX_CHARACTERS = 100 * MAX_TOKENS  # of a text read at all: spares a 50 MB line its tokenisation


def embed(texts: Sequence[str], threads: int = 1) -> np.ndarray:
    """(n, 384) float32 unit rows in the order of `texts`; the dot product of two rows is their cosine.

    A row depends on its own text only, not on the batch. What follows the first 256 tokens of a text is ignored.
    `threads`: batches computed at the same time; one text is always one thread. Raises ModelFileError.
    """
    rows = [vectors[0] for vectors in embed_passages([(text,) for text in texts], threads)]
    return np.stack(rows) if rows else np.empty((0, DIMENSIONS), np.float32)


def embed_passages(passages: Sequence[Sequence[str]], threads: int = 1) -> list[np.ndarray]:
    """Vectors of passages and of the sentences in them, all from one reading.

    A passage is given as its parts: a heading (may be empty), then its k sentences. Its vectors have shape
    (1 + k, 384), float32 unit rows: first the whole passage, then each sentence, pooled over the sentence's own
    tokens after the whole was read ("late chunking", Günther et al. 2024, arXiv:2409.04701). So a sentence's
    vector knows its context, and costs nothing. A sentence beyond the first 256 tokens has the passage's vector.
    """
    tokenizer = _tokenizer()
    vectors: list[np.ndarray] = [np.empty(0)] * len(passages)
    for start in range(0, len(passages), WINDOW):
        inputs = [_tokenize(tokenizer, parts) for parts in passages[start : start + WINDOW]]
        batches = batches_of([len(item.ids) for item in inputs])
        results = _run_all([[inputs[place] for place in batch] for batch in batches], threads)
        for place, rows in zip(itertools.chain(*batches), itertools.chain(*results), strict=True):
            vectors[start + place] = rows
    return vectors


def count_tokens(texts: Sequence[str]) -> list[int]:
    """Tokens of each text without [CLS] and [SEP], not cut at 256: n texts fit one input if their sum is <= 254."""
    tokenizer = _tokenizer()
    return [len(tokenizer.encode(_clean(text), add_special_tokens=False)) for text in texts]


def verify(path: Path, sha256: str) -> None:
    """Raise ModelFileError when a shipped model file is missing or is not what was shipped."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelFileError(f"{path}: {error.strerror}. Reinstall pincite to restore it.") from error
    if found != sha256:
        raise ModelFileError(f"{path} is damaged: not the file that was shipped. Reinstall pincite to restore it.")


@cache
def _session() -> "InferenceSession":
    return open_session(MODEL_FOLDER / "model.onnx", MODEL_SHA256)


@cache
def _tokenizer() -> "Tokenizer":
    return open_tokenizer(MODEL_FOLDER / "tokenizer.json", TOKENIZER_SHA256)


def open_session(path: Path, sha256: str) -> "InferenceSession":
    """A session that computes on the thread that calls it. Threads of its own were slower under load: they meet
    after every operator. Several threads may call one session at the same time."""
    verify(path, sha256)
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors; warnings would land on the stderr of the command line
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def open_tokenizer(path: Path, sha256: str) -> "Tokenizer":
    """The tokenizer without truncation and padding."""
    verify(path, sha256)
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(path))


def _clean(text: str) -> str:
    """Lone surrogates, which the tokenizer refuses, become "?"; the head of an endless text is enough."""
    text = text[:MAX_CHARACTERS]
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


@dataclass(frozen=True)
class _Input:
    """Token ids of a passage with [CLS] and [SEP], and the token spans to pool: the whole first."""

    ids: list[int]
    spans: list[tuple[int, int]]


def _tokenize(tokenizer: "Tokenizer", parts: Sequence[str]) -> _Input:
    # Part by part, which gives the same tokens as the whole since a part ends at white space; and not with
    # encode_batch, which starts a thread per core and warns about them after a fork.
    cls, sep = tokenizer.encode("").ids
    ids, spans = [cls], []
    for part in parts:
        first = len(ids)
        ids += tokenizer.encode(_clean(part), add_special_tokens=False).ids
        spans.append((first, min(len(ids), MAX_TOKENS - 1)))
    ids = [*ids[: MAX_TOKENS - 1], sep]
    whole = (0, len(ids))
    return _Input(ids, [whole, *(span if span[0] < span[1] else whole for span in spans[1:])])


def batches_of(lengths: Sequence[int]) -> list[list[int]]:
    """Places of texts of similar length, at most BATCH_TOKENS together after padding (one text at least)."""
    batches: list[list[int]] = []
    for place in sorted(range(len(lengths)), key=lengths.__getitem__):
        if not batches or (len(batches[-1]) + 1) * lengths[place] > BATCH_TOKENS:
            batches.append([])
        batches[-1].append(place)
    return batches


def _run_all(batches: Sequence[Sequence[_Input]], threads: int) -> list[list[np.ndarray]]:
    if threads == 1:
        return [_run(_session(), batch) for batch in batches]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(_run, itertools.repeat(_session()), batches))


def _run(session: "InferenceSession", inputs: Sequence[_Input]) -> list[np.ndarray]:
    length, spans = max(len(item.ids) for item in inputs), max(len(item.spans) for item in inputs)
    ids = np.zeros((len(inputs), length), np.int64)  # 0 is [PAD]
    mask = np.zeros_like(ids)
    pool = np.zeros((len(inputs), spans, length), np.int64)
    for place, item in enumerate(inputs):
        ids[place, : len(item.ids)] = item.ids
        mask[place, : len(item.ids)] = 1
        for row, (first, end) in enumerate(item.spans):
            pool[place, row, first:end] = 1
    vectors = np.asarray(session.run(None, {"ids": ids, "mask": mask, "pool": pool})[0])
    return [rows[: len(item.spans)] for rows, item in zip(vectors, inputs, strict=True)]
