"""Question, hits -> reading: how well each sentence answers the question, its best span, and whether any does.

The only user of the reading model in models/reader-minilm-l10-v3 (its README.md is the model card): one small
transformer that sees the question together with a passage.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from index.dates import NamedDate, fits_any, in_words, named_dates
from index.embed import batches_of, open_session, open_tokenizer
from index.metadata import Metadata
from index.passages import Source, heading
from index.search import Hit
from index.sentences import Sentence, is_statement
from rag.kinds import Kind, expected, names, share_named

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

MODEL_FOLDER = Path(__file__).parent / "models" / "reader-minilm-l10-v3"
MODEL_SHA256 = "f8f05ec3f415e89e25907f9d2116de26b3209280a0a7ad121451ba17e5a1667c"
TOKENIZER_SHA256 = "be86f7898a3638ceb7614052fa5a97fa03384ab4343dccc655c3f98a77eb1d2f"

# Tokens: the lengths that the model was trained with.
QUESTION_TOKENS = 40
HEADING_TOKENS = 24
MAX_TOKENS = 224
SPAN_TOKENS = 30
THREADS = 2  # batches read at the same time

# Weights of the signals of a sentence: fitted (`python -m rag.models.fit`: held-out articles of SQuAD, other news) and
# rounded.
SENTENCE_SIGNALS = (
    *("evidence logit", "span logit", "cosine", "passage logit", "search score"),
    *("kind of answer", "names", "date"),  # what the question asks for is there: 1, or not: 0 (a quantity: -1)
)
SENTENCE = (0.05, 0.33, 10.0, 0.25, 7.0, 1.0, 0.0, 2.0)
# Weights of the best sentence's signals, of the best passage logit and of 1, in the logit of "the articles answer
# this": round numbers; the last is set so that 7 % of the answerable news questions of fit.py fall below 0.
READING_SIGNALS = (*SENTENCE_SIGNALS, "best passage logit", "one")
READING = (0.0, 0.2, 0.0, 0.5, 0.0, 2.0, 2.0, 2.0, 0.5, -3.0)
FRAGMENT = 1.5  # less for a line without a full stop: headlines and captions name people and places, and say little


@dataclass(frozen=True)
class ReadSentence:
    """A sentence of a retrieved passage, as read with the question. Higher scores (logits) are better."""

    source: Source
    sentence: Sentence
    score: float
    span: tuple[int, int]  # offsets in the sentence's text of the best short answer in it
    span_score: float  # against "there is no answer here"
    signals: np.ndarray  # (8,) see SENTENCE_SIGNALS
    vector: np.ndarray  # (384,) unit vector of the sentence in its context

    @property
    def short_answer(self) -> str:
        return self.sentence.text[slice(*self.span)]

    @property
    def similarity(self) -> float:
        return float(self.signals[SENTENCE_SIGNALS.index("cosine")])

    @property
    def fits_kind(self) -> bool:
        """False when the question asks for a quantity and the sentence holds none."""
        return bool(self.signals[SENTENCE_SIGNALS.index("kind of answer")] >= 0)

    @property
    def dated(self) -> bool:
        return bool(self.signals[SENTENCE_SIGNALS.index("date")])


@dataclass(frozen=True)
class Reading:
    """The sentences of all hits, best first, and the probability that they answer the question."""

    sentences: tuple[ReadSentence, ...]
    answerable: float
    signals: np.ndarray  # (10,) see READING_SIGNALS


@dataclass(frozen=True)
class _Asked:
    """What a question asks for, as far as words tell."""

    kind: Kind | None
    names: tuple[str, ...]
    dates: tuple[NamedDate, ...]


@dataclass(frozen=True)
class _Input:
    """What the model sees: a question or claim, a heading, and sentences."""

    ids: list[int]
    types: list[int]  # 0 for the question, 1 for the rest


@dataclass(frozen=True)
class _Passage(_Input):
    """A passage as the model sees it. `bounds` are the tokens of each evidence sentence; (0, 0) when cut off."""

    hit: Hit
    bounds: list[tuple[int, int]]
    offsets: list[list[tuple[int, int]]]  # characters of each token of each sentence


def read(question: str, hits: Sequence[Hit]) -> Reading:
    """Read every hit with a question that stands alone. A sentence in two passages counts where it scores best."""
    asked = _Asked(expected(question), names(question), named_dates(question))
    inputs = _inputs(question, hits)
    best: dict[tuple[str, int], ReadSentence] = {}
    logits = []
    for item, (tokens, passage) in zip(inputs, _run(inputs, "tokens", "passage"), strict=True):
        logits.append(float(passage))
        for sentence in _sentences(item, tokens, float(passage), asked):
            key = (sentence.source.file, sentence.sentence.number)
            if key not in best or sentence.score > best[key].score:
                best[key] = sentence
    ranked = tuple(sorted(best.values(), key=lambda sentence: -sentence.score))
    if not ranked:
        return Reading((), 0.0, np.zeros(len(READING)))
    signals = np.concatenate((ranked[0].signals, (max(logits), 1.0)))
    return Reading(ranked, float(1 / (1 + np.exp(-(signals @ READING)))), signals)


def entailment(claims: Sequence[tuple[str, str, str]]) -> np.ndarray:
    """(claims, 3) float32: the probabilities that a text supports a claim, refutes it, does neither.

    `claims` are (claim, heading of the text's article, text); a text is cut at MAX_TOKENS.
    """
    tokenizer = _tokenizer()
    cls, sep = tokenizer.encode("").ids
    inputs = []
    for claim, above, text in claims:
        first = [cls, *_encode(tokenizer, claim)[0][:QUESTION_TOKENS], sep]
        rest = [*_encode(tokenizer, above)[0][:HEADING_TOKENS], sep, *_encode(tokenizer, text)[0]]
        ids = [*[*first, *rest][: MAX_TOKENS - 1], sep]
        inputs.append(_Input(ids, [0] * len(first) + [1] * (len(ids) - len(first))))
    logits = np.array([claim for (claim,) in _run(inputs, "claim")], np.float32).reshape(-1, 3)
    odds = np.exp(logits - logits.max(-1, keepdims=True))
    return odds / odds.sum(-1, keepdims=True)


def _inputs(question: str, hits: Sequence[Hit]) -> list[_Passage]:
    tokenizer = _tokenizer()
    cls, sep = tokenizer.encode("").ids
    asked = _encode(tokenizer, question)[0][:QUESTION_TOKENS]
    first = [cls, *asked, sep]
    inputs = []
    for hit in hits:
        above = _heading(tokenizer, hit.passage.source.metadata)
        ids, bounds, offsets = [*first, *above, sep], [], []
        for sentence in hit.passage.evidence:
            tokens, places = _encode(tokenizer, sentence.text)
            end = min(len(ids) + len(tokens), MAX_TOKENS - 1)
            bounds.append((len(ids), end) if len(ids) < end else (0, 0))
            offsets.append(places)
            ids = [*ids, *tokens][: MAX_TOKENS - 1]
        ids.append(sep)
        types = [0] * len(first) + [1] * (len(ids) - len(first))
        inputs.append(_Passage(ids, types, hit, bounds, offsets))
    return inputs


def _heading(tokenizer: "Tokenizer", known: Metadata) -> list[int]:
    """Tokens of headline and date. A long headline is cut and not the date, which tells one event from the next."""
    dated = _encode(tokenizer, f" · {in_words(known.date)}")[0] if known.date else []
    return [*_encode(tokenizer, known.title or "")[0][: HEADING_TOKENS - len(dated)], *dated]


def _encode(tokenizer: "Tokenizer", text: str) -> tuple[list[int], list[tuple[int, int]]]:
    encoded = tokenizer.encode(text.encode("utf-8", "replace").decode("utf-8"), add_special_tokens=False)
    return encoded.ids, encoded.offsets


def _sentences(item: _Passage, tokens: np.ndarray, passage: float, asked: _Asked) -> Iterator[ReadSentence]:
    hit, source = item.hit, item.hit.passage.source
    none = float(tokens[0, 0] + tokens[0, 1])  # [CLS] as the span: "no answer"
    named = share_named(asked.names, f"{heading(source.metadata)} {hit.passage.text}")
    dated = not asked.dates or fits_any(asked.dates, source.metadata.date, hit.passage.text)
    rows = zip(hit.passage.evidence, item.bounds, item.offsets, hit.similarities, hit.vectors, strict=True)
    for sentence, (first, end), offsets, similarity, vector in rows:
        if first == end:
            continue  # beyond what the model sees
        evidence = tokens[first:end, 2].mean()
        start, stop, span = _best_span(tokens[first:end, 0], tokens[first:end, 1])
        fitting = asked.kind.fit(sentence.text) if asked.kind else 1.0
        signals = np.array((evidence, span - none, similarity, passage, hit.score, fitting, named, dated), np.float32)
        score = float(signals @ SENTENCE) - FRAGMENT * (not is_statement(sentence.text))
        place = (offsets[start][0], offsets[stop][1])
        yield ReadSentence(source, sentence, score, place, span - none, signals, vector)


def _best_span(start: np.ndarray, end: np.ndarray) -> tuple[int, int, float]:
    """(first, last, score) of the tokens with the highest start + end, first <= last < first + SPAN_TOKENS."""
    scores = start[:, np.newaxis] + end
    band = np.tril(np.triu(np.ones(scores.shape, bool)), SPAN_TOKENS - 1)
    first, last = np.unravel_index(int(np.where(band, scores, -np.inf).argmax()), scores.shape)
    return int(first), int(last), float(scores[first, last])


def _run(inputs: Sequence[_Input], *outputs: str) -> list[tuple[np.ndarray, ...]]:
    """Per input, in order, the named outputs: logits of its tokens (start, end, evidence), shape (longest, 3), of the
    passage, shape (), of the claim, shape (3,)."""
    batches = batches_of([len(item.ids) for item in inputs])
    with ThreadPoolExecutor(THREADS) as pool:
        done = list(pool.map(lambda batch: _run_batch([inputs[place] for place in batch], outputs), batches))
    results = dict(zip(chain(*batches), chain(*done), strict=True))
    return [results[place] for place in range(len(inputs))]


def _run_batch(batch: Sequence[_Input], outputs: Sequence[str]) -> list[tuple[np.ndarray, ...]]:
    shape = (len(batch), max(len(item.ids) for item in batch))
    ids, mask, types = (np.zeros(shape, np.int64) for _ in range(3))
    for row, item in enumerate(batch):
        length = len(item.ids)
        ids[row, :length], types[row, :length], mask[row, :length] = item.ids, item.types, 1
    values = _session().run(list(outputs), {"ids": ids, "mask": mask, "types": types})
    return list(zip(*map(np.asarray, values), strict=True))


@cache
def _session() -> "InferenceSession":
    return open_session(MODEL_FOLDER / "model.onnx", MODEL_SHA256)


@cache
def _tokenizer() -> "Tokenizer":
    return open_tokenizer(MODEL_FOLDER / "tokenizer.json", TOKENIZER_SHA256)
