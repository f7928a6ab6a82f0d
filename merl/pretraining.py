"""Pretraining on pairs of ECG and report: nothing but the waveform and the report text is read."""

from __future__ import annotations

import logging
import math
import random
from pathlib import Path
from pickle import UnpicklingError
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from merl.checkpoints import WEIGHTS, load_model, save_checkpoint
from merl.datasets.ptbxl import PTBXL
from merl.errors import DataError, MerlError
from merl.files import atomic_path
from merl.model import MERL, MERLConfig, TrainingData, cpu_has_bf16
from merl.objectives import cma, uma
from merl.pairs import Progress, ReportTexts, load_waveforms
from merl.preprocessing import SignalSpec
from merl.reports import read_report

log = logging.getLogger(__name__)


class PretrainConfig(BaseModel):
    """One pretraining run; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    encoder: str = "resnet18"
    embed_dim: int = Field(256, gt=0)
    spec: SignalSpec
    folds: tuple[int, ...] = Field((1, 2, 3, 4, 5, 6, 7, 8), min_length=1)
    epochs: int = Field(12, gt=0)
    batch_size: int = Field(256, gt=1)
    learning_rate: float = Field(1e-3, gt=0)
    weight_decay: float = Field(1e-2, ge=0)
    warmup: float = Field(0.1, ge=0, lt=1, description="share of all steps in which the learning rate rises")
    temperature: float = Field(0.07, gt=0)
    cma: Literal["published", "multi"] = "multi"
    uma_weight: float = Field(1.0, ge=0)
    sentence_share: float = Field(0.5, ge=0, le=1, description="how often one sentence stands for its report")
    lead_masking: float = Field(0.0, ge=0, lt=1, description="probability that a record loses some leads")
    crop_shift: float = Field(
        0.0, ge=0, lt=1, description="largest circular shift in time, as a share of the record"
    )
    crop_epochs: int = Field(0, ge=0, description="first epochs, which see only half of each record's time")
    noise: float = Field(0.0, ge=0, description="standard deviation of added white noise, in model units")
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="auto: bf16 where the processor has it"
    )
    seed: int = 0


def augment(signals: Tensor, config: PretrainConfig, generator: torch.Generator) -> Tensor:
    """Shift in time, mask leads and add noise, each if configured; shape (batch, leads, samples) stays."""
    batch, leads, samples = signals.shape
    if config.crop_shift:
        limit = int(config.crop_shift * samples)
        shift = torch.randint(-limit, limit + 1, (batch, 1, 1), generator=generator)
        steps = (torch.arange(samples)[None, None] + shift) % samples
        signals = signals.gather(2, steps.expand(-1, leads, -1))
    if config.lead_masking:
        masked = torch.rand(batch, 1, 1, generator=generator) < config.lead_masking
        share = torch.rand(batch, 1, 1, generator=generator)
        drop = torch.rand(batch, leads, 1, generator=generator) < share
        signals = signals * ~(masked & drop)
    if config.noise:
        signals = signals + config.noise * torch.randn(signals.shape, generator=generator)
    return signals


class Trainer:
    """The state of a run: model, optimiser, schedule and random generators, saved after every epoch."""

    def __init__(self, config: PretrainConfig, model: MERL, signals: Tensor, texts: ReportTexts) -> None:
        self.config, self.model, self.signals, self.texts = config, model, signals, texts
        decay = [p for p in model.parameters() if p.ndim > 1]
        rest = [p for p in model.parameters() if p.ndim <= 1]
        self.optimizer = torch.optim.AdamW(
            [{"params": decay, "weight_decay": config.weight_decay}, {"params": rest, "weight_decay": 0.0}],
            lr=config.learning_rate,
        )
        self.steps_per_epoch = len(signals) // config.batch_size
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(self.optimizer, self._learning_rate)
        self.dropout = nn.Dropout(0.1)
        self.bf16 = config.precision == "bf16" or (config.precision == "auto" and cpu_has_bf16())
        self.epoch = 0

    def _learning_rate(self, step: int) -> float:
        total = self.steps_per_epoch * self.config.epochs
        warmup = max(1, int(self.config.warmup * total))
        if step < warmup:
            return (step + 1) / warmup
        return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup) / max(1, total - warmup))))

    def loss(self, records: NDArray[np.int64], rng: random.Random, generator: torch.Generator) -> Tensor:
        """Compute the objective for one batch of record indices."""
        config, model = self.config, self.model
        signals = augment(self.signals[records].float(), config, generator)
        if self.epoch < config.crop_epochs:  # half the cost while the filters are still coarse
            signals = signals[:, :, : signals.shape[-1] // 2]
        chosen = self.texts.draw(records, config.sentence_share, rng)
        same = (
            torch.from_numpy(self.texts.true_of[records][:, chosen].toarray())
            if config.cma == "multi"
            else None
        )
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            ecg, pooled = model.ecg_views(signals)
            ecg = F.normalize(ecg, dim=-1)
            text = model.project_text(self.texts.embeddings[chosen], normalize=True)
            first, second = self.dropout(model.linear1(pooled)), self.dropout(model.linear2(pooled))
        total = cma(ecg, text, config.temperature, same)
        if config.uma_weight:
            views = F.normalize(first.float(), dim=-1), F.normalize(second.float(), dim=-1)
            total = total + config.uma_weight * uma(*views, config.temperature)
        return total

    def train_epoch(self, progress: Progress | None = None) -> float:
        """Run one epoch and return its mean loss.

        Raises:
            MerlError: the loss is no longer finite.
        """
        seed = self.config.seed * 1000 + self.epoch
        rng, generator = random.Random(seed), torch.Generator().manual_seed(seed)
        torch.manual_seed(seed)
        order = torch.randperm(len(self.signals), generator=generator).numpy()
        self.model.train()
        total = 0.0
        for step in range(self.steps_per_epoch):
            records = order[step * self.config.batch_size : (step + 1) * self.config.batch_size]
            loss = self.loss(records, rng, generator)
            if not torch.isfinite(loss):
                raise MerlError(
                    f"the loss is {loss.item()} in epoch {self.epoch + 1}, step {step + 1};"
                    " lower learning_rate or set precision=fp32, and train into another out folder"
                )
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self.optimizer.step()
            self.scheduler.step()
            total += loss.item()
            if progress:
                progress(
                    step + 1,
                    self.steps_per_epoch,
                    f"epoch {self.epoch + 1}/{self.config.epochs} loss {total / (step + 1):.3f}",
                )
        self.epoch += 1
        return total / self.steps_per_epoch

    def save(self, path: Path) -> None:
        """Write the state of the run; every epoch seeds its own generators, so none of them is kept."""
        state = {
            "config": self.config.model_dump_json(),
            "epoch": self.epoch,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
        }
        with atomic_path(path) as part:
            torch.save(state, part)

    def resume(self, path: Path) -> None:
        """Continue from a saved state.

        Raises:
            MerlError: the state is damaged, or belongs to a run with another configuration.
        """
        try:
            state = torch.load(path, weights_only=True)
            made_with = state["config"]
        except (OSError, RuntimeError, EOFError, UnpicklingError, LookupError, TypeError):
            raise MerlError(f"{path} is no state of a training run; delete it to train anew") from None
        if made_with != self.config.model_dump_json():
            raise MerlError(
                f"{path} was made with another configuration; give another out folder or delete it"
            )
        self.epoch = state["epoch"]
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scheduler.load_state_dict(state["scheduler"])


def pretrain(config: PretrainConfig, data: Path, out: Path, progress: Progress | None = None) -> MERL:
    """Train a model on PTB-XL and write its checkpoint folder; a run that was stopped goes on where it was.

    Args:
        config: the run.
        data: PTB-XL as published, or a folder that holds it.
        out: the checkpoint folder; ``state.pt`` in it is the run's state until it is done.
        progress: called with (done, of, what).

    Returns:
        The trained model as ``load_model`` reads it back from ``out``, in evaluation mode.

    Raises:
        ConfigError: the encoder is unknown or its width does not fit.
        DataError: the data set is missing or damaged, or its reports do not fill a batch.
        RecordError: a record cannot be read.
        MerlError: ``out`` holds a finished model or the state of another run, or the loss is not finite.
    """
    state = out / "state.pt"
    if (out / WEIGHTS).exists() and not state.exists():
        raise MerlError(f"{out} holds a finished model; give another out folder, or delete it to train anew")
    paths, reports = _pairs(config, data)
    torch.manual_seed(config.seed)
    model = MERL(_model_config(config, records=len(paths)))
    texts = ReportTexts.embed(reports, lambda found: model.text_encoder.encode(found, truncate=True))
    trainer = Trainer(config, model, load_waveforms(paths, config.spec, progress), texts)
    if state.exists():
        trainer.resume(state)
    while trainer.epoch < config.epochs:
        loss = trainer.train_epoch(progress)
        log.info("epoch %d of %d: loss %.4f", trainer.epoch, config.epochs, loss)
        trainer.save(state)
    save_checkpoint(model, out)
    state.unlink(missing_ok=True)
    return load_model(out)


def _pairs(config: PretrainConfig, data: Path) -> tuple[list[Path], list[str]]:
    """Return the records of the run's folds whose cleaned report says something, and those reports."""
    paths, reports = PTBXL(data).reports(config.folds)
    cleaned = [read_report(report) for report in reports]
    kept = [row for row, text in enumerate(cleaned) if text]
    log.info("%d of %d records have a report that says something", len(kept), len(cleaned))
    if len(kept) < config.batch_size:  # said before the records are read, which takes minutes
        raise DataError(f"{len(kept)} records do not fill one batch of {config.batch_size}; lower batch_size")
    return [paths[row] for row in kept], [cleaned[row] for row in kept]


def _model_config(config: PretrainConfig, records: int) -> MERLConfig:
    training = TrainingData(
        dataset="ptbxl",
        folds=config.folds,
        records=records,
        licence="CC BY 4.0",
        attribution="PTB-XL 1.0.3, Wagner et al. 2020, PhysioNet, doi:10.13026/kfzx-aw45",
    )
    return MERLConfig(
        name=config.name,
        encoder=config.encoder,
        embed_dim=config.embed_dim,
        spec=config.spec,
        training=training,
    )
