"""Build the shipped reader from a training run: int8 ONNX by the same graph writer as the embedder's.

python -m rag.models.export --start WEIGHTS --checkpoint final.pt --out rag/models/reader-minilm-l10-v3
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

import index
from index.models.export import prune_tokenizer
from index.models.graph import Graph, encoder_graph, i64
from index.models.reference import Weights
from index.sentences import split
from rag.models.reading import Row, onnx_forward, read

NAME = "reader-minilm-l10-v3"
POSITIONS = 224  # longest input
_NAMES = {  # ours -> Hugging Face's BertModel, which the graph writer reads
    "out": "attention.output.dense",
    "norm1": "attention.output.LayerNorm",
    "up": "intermediate.dense",
    "down": "output.dense",
    "norm2": "output.LayerNorm",
}


def encoder_weights(state: Weights, words: np.ndarray) -> dict[str, np.ndarray]:
    """The trained encoder by the names that `encoder_graph` reads. `words`: the original word table, which the graph
    writer brings to the same 4-bit values that the run was trained on."""
    found = {
        "embeddings.word_embeddings.weight": words,
        "embeddings.position_embeddings.weight": state["positions.weight"],
        "embeddings.token_type_embeddings.weight": state["types.weight"],
    }
    for kind in ("weight", "bias"):
        found[f"embeddings.LayerNorm.{kind}"] = state[f"norm.{kind}"]
        for n in range(sum(name.endswith("qkv.weight") for name in state)):
            stack = np.split(state[f"layers.{n}.qkv.{kind}"], 3)
            for part, value in zip(("query", "key", "value"), stack, strict=True):
                found[f"encoder.layer.{n}.attention.self.{part}.{kind}"] = value
            for ours, theirs in _NAMES.items():
                found[f"encoder.layer.{n}.{theirs}.{kind}"] = state[f"layers.{n}.{ours}.{kind}"]
    return found


def reading_model(encoder: Weights, state: Weights) -> bytes:
    """`ids`, `mask`, `types` (batch, length) int64 -> `tokens` (batch, length, 3) float32: start, end and evidence
    logits; `passage` (batch,) float32: the answerability logit; `claim` (batch, 3) float32: the logits of supported,
    refuted and neither. The heads stay in float32."""
    g = Graph()
    hidden = encoder_graph(g, encoder, "ids", "mask", "types", positions=POSITIONS)
    tokens = g.add("Add", g.add("MatMul", hidden, state["token_head.weight"].T), state["token_head.bias"])
    first = g.add("Gather", hidden, i64(0), axis=1)  # [CLS], (batch, 1, width)
    passage = g.add("Add", g.add("MatMul", first, state["passage_head.weight"].T), state["passage_head.bias"])
    claim = g.add("Add", g.add("MatMul", first, state["claim_head.weight"].T), state["claim_head.bias"])
    inputs = {name: ["batch", "length"] for name in ("ids", "mask", "types")}
    outputs = {
        "tokens": (tokens, ["batch", "length", 3]),
        "passage": (g.add("Reshape", passage, i64(-1)), ["batch"]),
        "claim": (g.add("Reshape", claim, i64(-1, 3)), ["batch", 3]),
    }
    return g.model(NAME, inputs, outputs)


GOLDEN = (  # question or claim, and the sentences of a default article that are read for it
    ("How long did Putin and Macron speak?", "000_1f14832e77207206.txt", 1, 5),
    ("Who started the call?", "000_1f14832e77207206.txt", 4, 8),
    ("How many refugees have crossed into Germany?", "002_c5cfba52247c8106.txt", 1, 5),
    ("The two presidents spoke for 90 minutes.", "000_1f14832e77207206.txt", 1, 3),
    ("The two presidents spoke for 40 minutes.", "000_1f14832e77207206.txt", 1, 3),
    ("When was the first railway opened in Peru?", "001_ff0877bd891f5005.txt", 2, 6),
)


def golden(folder: Path, articles: Path) -> list[dict[str, object]]:
    """What the built model says about six fixed inputs: a test holds every later loader and machine to it."""
    rows = []
    for question, file, first, last in GOLDEN:
        text = (articles / file).read_bytes().decode("utf-8")
        found = split(text)[first - 1 : last]
        body = text[found[0].start : found[-1].end]
        spans = tuple((s.start - found[0].start, s.end - found[0].start) for s in found)
        rows.append(Row(question, "", body, spans, np.zeros(len(spans), bool), (), False))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    return [
        {
            "question": row.question,
            "text": row.text,
            "sentences": row.sentences,
            "evidence": np.round(s.evidence, 4).tolist(),
            "span": np.round(s.span, 4).tolist(),
            "answerable": round(float(s.answerable), 4),
            "answer": s.text,
            "claim": np.round(s.claim, 4).tolist(),
        }
        for row, s in zip(rows, read(onnx_forward(folder), rows, tokenizer), strict=True)
    ]


def trained_state(checkpoint: Path, start: Path) -> dict[str, np.ndarray]:
    """The weights of a run as float32 arrays (needs torch)."""
    from rag.models.train import trained

    return {name: value.detach().float().numpy() for name, value in trained(checkpoint, start).state_dict().items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--start", type=Path, required=True, help="folder with model.safetensors and tokenizer.json")
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    state = trained_state(arguments.checkpoint, arguments.start)
    tokenizer, kept = prune_tokenizer(arguments.start)
    arguments.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":"))
    (arguments.out / "tokenizer.json").write_text(text, encoding="utf-8")
    words = load_file(arguments.start / "model.safetensors")["embeddings.word_embeddings.weight"][kept]
    (arguments.out / "model.onnx").write_bytes(reading_model(encoder_weights(state, words), state))
    found = golden(arguments.out, Path(index.__file__).parent / "corpus")
    text = "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in found) + "\n]\n"
    (arguments.out / "golden.json").write_text(text, encoding="utf-8")
    for name in ("model.onnx", "tokenizer.json", "golden.json"):
        content = (arguments.out / name).read_bytes()
        print(f"{name}: {len(content):,} bytes, sha256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
