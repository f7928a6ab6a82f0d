"""Measure how many ECG a second pretraining reads at 12 x 5000: the published recipe against ours.

    python benchmarks/throughput.py [--batch 32] [--steps 3] [--rounds 2]

The published recipe (MERL, ICML 2024, as released): fp32, a BERT-base re-encoding every report in every step,
padded to 256 tokens, and the ECG side. The second row is what `merl pretrain` does with a frozen text
encoder; the others are trials. Rows are measured in turns and the fastest round counts. Weights and signals
are random: speed does not depend on them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from merl.model import MERL, MERLConfig, TextIdentity, cpu_has_bf16
from merl.objectives import Batch, total
from merl.preprocessing import SignalSpec

SPEC = SignalSpec(sampling_rate=500, seconds=10)
TOKENS = 256


class Recipe:
    """One way to take a training step; ``step`` returns after the optimiser has moved."""

    def __init__(self, batch: int, *, text: bool = False, bf16: bool = False, compiled: bool = False) -> None:
        torch.manual_seed(0)
        self.model = MERL(MERLConfig(name="benchmark", spec=SPEC, text=TextIdentity(dim=768))).train()
        self.bert = BertModel(BertConfig()).eval() if text else None
        self.tokens = torch.randint(1000, 20000, (batch, TOKENS))
        self.embeddings = torch.randn(batch, 768)
        self.signals = torch.rand(batch, 12, 5000)
        self.dropout = nn.Dropout(0.1)
        self.bf16 = bf16
        self.optimizer = torch.optim.AdamW(self.model.parameters(), fused=compiled)
        self.views: Callable[[Tensor], tuple[Tensor, Tensor]] = (
            torch.compile(self.model.ecg_views) if compiled else self.model.ecg_views
        )

    def step(self, *, ecg_alone: bool = False) -> None:
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


def main() -> None:
    """Print a table of ECG a second."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    batch = given.batch
    fast = cpu_has_bf16()
    recipes = {
        "published: fp32, BERT-base, 256 tokens": Recipe(batch, text=True),
        "+ each distinct text embedded once": Recipe(batch),
        "+ compiled, fused optimiser": Recipe(batch, compiled=True),
    }
    if fast:
        recipes["+ bf16"] = Recipe(batch, compiled=True, bf16=True)
    else:
        print("this processor has no bf16: its row is left out")
    for ecg_alone in (False, True):
        chosen = {name: recipe for name, recipe in recipes.items() if not (ecg_alone and recipe.bert)}
        rates = measure(chosen, batch, given.steps, given.rounds, ecg_alone=ecg_alone)
        first = next(iter(rates.values()))
        what = "ECG side alone" if ecg_alone else "training"
        print(f"\n{what}, 12 x 5000, batch {batch}, {torch.get_num_threads()} threads")
        for name, rate in rates.items():
            shown = "fp32 as published" if ecg_alone and rate == first else name
            print(f"  {shown:42} {rate:7.1f} ECG/s  {rate / first:5.2f} x")


def measure(
    recipes: dict[str, Recipe], batch: int, steps: int, rounds: int, *, ecg_alone: bool
) -> dict[str, float]:
    """Return the ECG a second of the fastest round of each recipe, measured in turns."""
    best = dict.fromkeys(recipes, 0.0)
    for number in range(rounds + 1):
        for name, recipe in recipes.items():
            start = time.perf_counter()
            for _ in range(steps if number else 1):  # the first round warms up, and compiles
                recipe.step(ecg_alone=ecg_alone)
            if number:
                best[name] = max(best[name], steps * batch / (time.perf_counter() - start))
    return best


if __name__ == "__main__":
    main()
