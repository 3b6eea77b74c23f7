"""The published float32 encoder in plain numpy, one text at a time: what the int8 graph is measured against."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

HEADS = 12
EPSILON = 1e-12  # of LayerNorm, from the model's config.json

Weights = Mapping[str, np.ndarray]
"""By the names of Hugging Face's BertModel: `embeddings.…`, `encoder.layer.0.…`."""


def hidden_state(weights: Weights, ids: Sequence[int], normalized: dict[str, np.ndarray] | None = None) -> np.ndarray:
    """(length, width): the last hidden state. `normalized` receives the output of every LayerNorm by name."""

    def dense(x: np.ndarray, name: str) -> np.ndarray:
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + EPSILON)
        x = x * weights[f"{name}.LayerNorm.weight"] + weights[f"{name}.LayerNorm.bias"]
        if normalized is not None:
            normalized[name] = x
        return x

    tables = {name: weights[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type")}
    x = tables["word"][list(ids)] + tables["position"][: len(ids)] + tables["token_type"][0]
    x = norm(x, "embeddings")
    for layer in layers(weights):
        query, key, value = (
            dense(x, f"{layer}.attention.self.{part}").reshape(len(ids), HEADS, -1).swapaxes(0, 1)
            for part in ("query", "key", "value")
        )
        scores = np.exp(query @ key.swapaxes(1, 2) / math.sqrt(query.shape[-1]))
        context = (scores / scores.sum(-1, keepdims=True) @ value).swapaxes(0, 1).reshape(len(ids), -1)
        x = norm(x + dense(context, f"{layer}.attention.output.dense"), f"{layer}.attention.output")
        wide = gelu(dense(x, f"{layer}.intermediate.dense"))
        x = norm(x + dense(wide, f"{layer}.output.dense"), f"{layer}.output")
    return x


def gelu(x: np.ndarray) -> np.ndarray:
    """x / 2 (1 + erf(x / sqrt 2)), with erf to 1.5e-7 (Abramowitz and Stegun 1964, 7.1.26)."""
    z = np.abs(x) / math.sqrt(2)
    t = 1 / (1 + 0.3275911 * z)
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    return x / 2 * (1 + np.sign(x) * (1 - series * np.exp(-z * z)))


def layers(weights: Weights) -> list[str]:
    """`encoder.layer.0`, `encoder.layer.1`, … as far as the weights go."""
    count = sum(name.endswith("attention.self.query.weight") for name in weights)
    return [f"encoder.layer.{number}" for number in range(count)]


def channel_scales(weights: Weights) -> dict[str, np.ndarray]:
    """Square root of the largest magnitude of each channel after each LayerNorm, by name, over random tokens.

    Random tokens serve as well as news here (cosines 0.9991 either way), and need no data. Rounded to powers of
    two, so that another processor's last digits make the same model.
    """
    rng = np.random.default_rng(0)
    vocabulary = len(weights["embeddings.word_embeddings.weight"])
    peaks: dict[str, np.ndarray] = {}
    for _ in range(16):
        outputs: dict[str, np.ndarray] = {}
        hidden_state(weights, rng.integers(0, vocabulary, 64).tolist(), outputs)
        for name, x in outputs.items():
            peaks[name] = np.maximum(peaks.get(name, 0), np.abs(x).max(0))
    return {name: np.exp2(np.rint(np.log2(peak) / 2)).astype(np.float32) for name, peak in peaks.items()}
