"""The reader's network: the encoder of all-MiniLM-L6-v2 made deeper; three logits a token, four a passage (torch)."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from index.models.export import prune_tokenizer
from index.models.graph import BLOCK, fit_levels
from rag.models.reading import Forward

WIDTH, HEADS, LAYERS, INNER = 384, 12, 6, 1536  # all-MiniLM-L6-v2
DOUBLED = (1, 2, 3, 4)  # the encoder's layers that get a new one behind them: ten in all
UNKNOWN = 100  # id of [UNK]


class Layer(nn.Module):
    """One post-norm transformer layer (Devlin et al. 2019)."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)
        self.norm1 = nn.LayerNorm(WIDTH, eps=1e-12)
        self.up = nn.Linear(WIDTH, INNER)
        self.down = nn.Linear(INNER, WIDTH)
        self.norm2 = nn.LayerNorm(WIDTH, eps=1e-12)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x: (batch, tokens, WIDTH); mask: (batch, 1, 1, tokens), 0 at tokens, -1e4 at padding."""
        batch, tokens, _ = x.shape
        q, k, v = self.qkv(x).view(batch, tokens, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        # Spelt out: the fused kernel's backward pass took 35 % of a step on the CPU (torch 2.13, bf16).
        scores = (q * (WIDTH // HEADS) ** -0.5) @ k.transpose(2, 3) + mask
        mixed = scores.softmax(-1) @ v
        x = self.norm1(x + self.out(mixed.transpose(1, 2).reshape(batch, tokens, WIDTH)))
        return self.norm2(x + self.down(functional.gelu(self.up(x))))


class Reader(nn.Module):
    def __init__(self, vocabulary: int = 30522) -> None:
        super().__init__()
        self.words = nn.Embedding(vocabulary, WIDTH)
        self.positions = nn.Embedding(512, WIDTH)
        self.types = nn.Embedding(2, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.token_head = nn.Linear(WIDTH, 3)  # start, end, evidence
        self.passage_head = nn.Linear(WIDTH, 1)  # answerable, from [CLS]
        self.claim_head = nn.Linear(WIDTH, 3)  # supported, refuted, neither, from [CLS]

    def forward(self, ids: Tensor, mask: Tensor, types: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """ids, mask, types: (batch, tokens) -> logits: tokens (batch, tokens, 3), answerable (batch,), claim
        (batch, 3)."""
        place = torch.arange(ids.shape[1])
        x = self.norm(self.words(ids) + self.positions(place) + self.types(types))
        keep = (1.0 - mask[:, None, None, :].to(x.dtype)) * -1e4
        for layer in self.layers:
            x = layer(x, keep)
        x = x.float()  # the heads stay in float32
        return self.token_head(x), self.passage_head(x[:, 0])[:, 0], self.claim_head(x[:, 0])

    def bfloat(self) -> Reader:
        """Everything but the heads in bfloat16: 3.6 times the speed of float32 where the CPU has avx512_bf16."""
        for part in (self.words, self.positions, self.types, self.norm, self.layers):
            part.bfloat16()
        return self


def shipped_table(table: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """The word table as it ships: 4 bits a value, dropped words read as [UNK]. It stays frozen, so that the layers
    above learn on what they will read."""
    levels, codes, scale = fit_levels(table[kept].reshape(-1, BLOCK))
    short = (levels[codes] * scale.reshape(-1, 1).astype(np.float32)).reshape(len(kept), -1).astype(np.float32)
    full = np.repeat(short[kept == UNKNOWN], len(table), 0)
    full[kept] = short
    return full


def load_encoder(reader: Reader, folder: Path) -> None:
    """Start from the published encoder: the same tensors under shorter names, q, k and v stacked."""
    old = load_file(folder / "model.safetensors")
    words = old["embeddings.word_embeddings.weight"].numpy()
    new = {
        "words.weight": torch.from_numpy(shipped_table(words, prune_tokenizer(folder)[1])),
        "positions.weight": old["embeddings.position_embeddings.weight"],
        "types.weight": old["embeddings.token_type_embeddings.weight"],
    }
    names = {
        "attention.output.dense": "out",
        "attention.output.LayerNorm": "norm1",
        "intermediate.dense": "up",
        "output.dense": "down",
        "output.LayerNorm": "norm2",
    }
    for kind in ("weight", "bias"):
        new[f"norm.{kind}"] = old[f"embeddings.LayerNorm.{kind}"]
        for n in range(LAYERS):
            at = f"encoder.layer.{n}."
            stack = [old[f"{at}attention.self.{part}.{kind}"] for part in ("query", "key", "value")]
            new[f"layers.{n}.qkv.{kind}"] = torch.cat(stack)
            for theirs, ours in names.items():
                new[f"layers.{n}.{ours}.{kind}"] = old[f"{at}{theirs}.{kind}"]
    missing = reader.load_state_dict(new, strict=False)
    if missing.unexpected_keys or any("head" not in key for key in missing.missing_keys):
        raise ValueError(f"not an all-MiniLM-L6-v2 encoder: {missing}")


def deepen(reader: Reader) -> None:
    """Put a new layer behind each of DOUBLED that at first hands on what it gets (block expansion, Wu et al. 2024,
    arXiv:2401.02415).

    It is a copy whose two branches add nothing yet. Its norms take the mean and deviation away and give them back:
    those that a token has there on average, over random tokens.
    """
    ids = torch.randint(1000, len(reader.words.weight), (16, 64), generator=torch.Generator().manual_seed(0))
    x = reader.norm(reader.words(ids) + reader.positions.weight[:64] + reader.types.weight[0])
    layers = []
    with torch.no_grad():
        for number, layer in enumerate(reader.layers):
            layers.append(layer)
            x = layer(x, torch.zeros(()))
            if number in DOUBLED:
                new = deepcopy(layer)
                for branch in (new.out, new.down):
                    nn.init.zeros_(branch.weight)
                    nn.init.zeros_(branch.bias)
                for norm in (new.norm1, new.norm2):
                    nn.init.constant_(norm.weight, float(x.std(-1, unbiased=False).mean()))
                    nn.init.constant_(norm.bias, float(x.mean()))
                layers.append(new)
    reader.layers = nn.ModuleList(layers)


def forward_of(reader: Reader) -> Forward:
    """The model as a function of numpy arrays, as `reading.read` wants it."""

    def forward(ids: np.ndarray, mask: np.ndarray, types: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        with torch.no_grad():
            tokens, passage, claim = reader(*map(torch.from_numpy, (ids, mask, types)))
        return tokens.numpy(), passage.numpy(), claim.numpy()

    return forward
