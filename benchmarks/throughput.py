"""Measure how many ECG a second pretraining reads at 12 x 5000: the published recipe against ours.

    python benchmarks/throughput.py [--batch 64] [--steps 2] [--rounds 2]

The published recipe (MERL, ICML 2024, as released): fp32, a BERT-base re-encoding every report in every step,
padded to 256 tokens, and the ECG side as released: convolutions over (batch, channels, T) and all of
multi-head attention for the one query of the class token. Each further row adds one change; the last is what
`merl pretrain` does with a frozen text encoder. Each row runs in a process of its own, in turns, and the
fastest round counts. Weights and signals are random: speed does not depend on them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from merl.model import MERL, MERLConfig, TextIdentity, cpu_has_bf16
from merl.objectives import Batch, total
from merl.preprocessing import SignalSpec
from merl.pretraining.memory import keep_freed_memory

SPEC = SignalSpec(sampling_rate=500, seconds=10)
TOKENS = 256


@dataclass(frozen=True)
class Recipe:
    """One way to take a training step."""

    name: str
    text: bool = False  # BERT runs in every step
    ours: bool = True  # our ECG side, channels innermost and one query
    bf16: bool = True
    keep: bool = True  # freed memory stays with the process


RECIPES = (
    Recipe("published: fp32, BERT-base, 256 tokens", text=True, ours=False, bf16=False, keep=False),
    Recipe("+ each distinct text embedded once", ours=False, bf16=False, keep=False),
    Recipe("+ bf16", ours=False, keep=False),
    Recipe("+ channels innermost, one query", keep=False),
    Recipe("+ freed memory kept"),
)
FP32 = Recipe("the last row in fp32", bf16=False)


class Block(nn.Module):
    """The basic block as released."""

    def __init__(self, given: int, made: int, stride: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            *(nn.Conv1d(given, made, 3, stride, 1, bias=False), nn.BatchNorm1d(made), nn.ReLU()),
            *(nn.Conv1d(made, made, 3, 1, 1, bias=False), nn.BatchNorm1d(made)),
        )
        project = [nn.Conv1d(given, made, 1, stride, bias=False), nn.BatchNorm1d(made)]
        self.shortcut = nn.Sequential(*(project if stride > 1 else []))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.main(x) + self.shortcut(x))


class PublishedECGSide(nn.Module):
    """ResNet-18, projection and attention pooling as released, from layers of PyTorch."""

    def __init__(self) -> None:
        super().__init__()
        stem = (nn.Conv1d(12, 64, 7, 2, 3, bias=False), nn.BatchNorm1d(64), nn.ReLU())
        shapes = ((64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2))
        stages = (block for g, m, s in shapes for block in (Block(g, m, s), Block(m, m, 1)))
        self.layers = nn.Sequential(*stem, *stages, nn.Conv1d(512, 256, 1))
        self.positions = nn.Parameter(torch.randn(314, 256) / 256)
        self.token = nn.Parameter(torch.randn(1, 1, 256))
        self.attention = nn.MultiheadAttention(256, 4, batch_first=True)
        self.out = nn.Linear(256, 256)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.layers(x)
        token = (self.token + self.positions[None, :1]).expand(len(x), -1, -1)
        sequence = torch.cat([token, features.transpose(1, 2)], dim=1) + self.positions
        pooled, _ = self.attention(sequence[:, :1], sequence, sequence, need_weights=False)
        return self.out(pooled[:, 0]), features.mean(-1)


class Training:
    """A model and its optimiser; ``step`` returns after the optimiser has moved."""

    def __init__(self, recipe: Recipe, batch: int) -> None:
        torch.manual_seed(0)
        self.bf16 = recipe.bf16
        self.model = MERL(MERLConfig(name="benchmark", spec=SPEC, text=TextIdentity(dim=768))).train()
        self.views = self.model.ecg_views if recipe.ours else PublishedECGSide().train()
        self.bert = BertModel(BertConfig()).eval() if recipe.text else None
        self.tokens = torch.randint(1000, 20000, (batch, TOKENS))
        self.embeddings = torch.randn(batch, 768)
        self.signals = torch.rand(batch, 12, 5000)
        self.dropout = nn.Dropout(0.1)
        weights = [*self.model.parameters(), *([] if recipe.ours else self.views.parameters())]
        self.optimizer = torch.optim.AdamW(weights, fused=recipe.ours)

    def step(self, *, ecg_alone: bool) -> None:
        """Take one step; ``ecg_alone`` leaves out text and objectives."""
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            embedding, pooled = self.views(self.signals)
            if ecg_alone:
                loss = embedding.float().square().mean() + pooled.float().square().mean()
            else:
                loss = self._objectives(embedding, pooled)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()

    def _objectives(self, embedding: Tensor, pooled: Tensor) -> Tensor:
        embeddings = self.embeddings
        if self.bert is not None:
            with torch.no_grad():
                embeddings = self.bert(self.tokens).pooler_output
        views = [self.dropout(head(pooled)).float() for head in (self.model.linear1, self.model.linear2)]
        batch = Batch(
            ecg=F.normalize(embedding.float(), dim=-1),
            text=self.model.project_text(embeddings, normalize=True).float(),
            views=(F.normalize(views[0], dim=-1), F.normalize(views[1], dim=-1)),
        )
        return total(batch, {"cma": 1.0, "uma": 1.0})


def rate(recipe: Recipe, batch: int, steps: int, *, ecg_alone: bool) -> float:
    """Return the ECG a second of one recipe in this process."""
    if recipe.keep:
        keep_freed_memory()
    training = Training(recipe, batch)
    training.step(ecg_alone=ecg_alone)  # warms up
    start = time.perf_counter()
    for _ in range(steps):
        training.step(ecg_alone=ecg_alone)
    return steps * batch / (time.perf_counter() - start)


def main() -> None:
    """Print a table of ECG a second."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--row", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--ecg-alone", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    fast = cpu_has_bf16()
    recipes = [*RECIPES, FP32] if fast else [recipe for recipe in (*RECIPES, FP32) if not recipe.bf16]
    if given.row is not None:
        print(rate(recipes[given.row], given.batch, given.steps, ecg_alone=given.ecg_alone))
        return
    if not fast:
        print("this processor has no bf16: its rows are left out")
    for ecg_alone in (False, True):
        what = "ECG side alone" if ecg_alone else "training"
        print(f"\n{what}, 12 x 5000, batch {given.batch}, {torch.get_num_threads()} threads")
        rows = [row for row, recipe in enumerate(recipes) if not (ecg_alone and recipe.text)]
        best = dict.fromkeys(rows, 0.0)
        for _ in range(given.rounds):
            for row in rows:
                best[row] = max(best[row], _in_a_process(row, given, ecg_alone=ecg_alone))
        first = best[rows[0]]
        for row in rows:
            name = "fp32 as published" if ecg_alone and row == rows[0] else recipes[row].name
            print(f"  {name:42} {best[row]:7.1f} ECG/s  {best[row] / first:5.2f} x", flush=True)


def _in_a_process(row: int, given: argparse.Namespace, *, ecg_alone: bool) -> float:
    numbers = {"--row": row, "--batch": given.batch, "--steps": given.steps}
    arguments = [word for name, number in numbers.items() for word in (name, str(number))]
    arguments += ["--ecg-alone"] if ecg_alone else []
    command = [sys.executable, __file__, *arguments]
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603
    return float(ran.stdout)


if __name__ == "__main__":
    main()
