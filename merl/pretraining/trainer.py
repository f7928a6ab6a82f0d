"""The training loop: one step after another over pairs of ECG and report.

``accelerate`` brings it to other devices and to many processes (``torchrun``, ``accelerate launch``); all
chance of a step is drawn anew from the run's seed and the step's number, so that a run can go on from any
step as if it had never stopped.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from torch import Tensor, nn

from merl.encoders.text_cache import cached_embeddings
from merl.errors import MerlError
from merl.model import MERL, cpu_has_bf16
from merl.objectives import Batch, total
from merl.pretraining.augmentation import augment
from merl.pretraining.config import PretrainConfig
from merl.pretraining.model_choice import MOST_LOOKED_AT, judge
from merl.pretraining.pairing import Pairing
from merl.pretraining.pairs import Indices, Progress, ReportTexts
from merl.pretraining.prepared import PreparedPairs
from merl.pretraining.state import read_state, write_state

SAVE_EVERY = 600  # seconds


@dataclass(frozen=True)
class Inputs:
    """What one process reads for one step.

    Attributes:
        signals: augmented, shape (records, leads, samples).
        drawn: index of the text drawn for each of its records, shape (records,).
        same: which of the texts drawn by all processes are true of its records, (records, batch).
    """

    signals: Tensor
    drawn: Indices
    same: Tensor


class Trainer:
    """The state of a run: model, optimiser and the number of steps done.

    Args:
        config: the run.
        model: the model to train, with the text layers that the configuration asks for.
        pairs: what it is trained on.
        texts: the reports of ``pairs``.
        validation: pairs that are held out, to judge each epoch by retrieval.
        progress: called with (done, of, what).
    """

    def __init__(
        self,
        config: PretrainConfig,
        model: MERL,
        pairs: PreparedPairs,
        texts: ReportTexts,
        *,
        validation: PreparedPairs | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.config, self.pairs, self.texts, self.validation = config, pairs, texts, validation
        self.progress = progress
        self.bf16 = config.precision == "bf16" or (config.precision == "auto" and _has_bf16())
        self.accelerator = Accelerator(
            cpu=not torch.cuda.is_available(),
            mixed_precision="no",  # autocast is ours: accelerate's holds for every later run of the process
            kwargs_handlers=[
                DistributedDataParallelKwargs(find_unused_parameters=bool(config.text.trained_layers))
            ],
        )
        self.model = model
        with self.accelerator.main_process_first():  # it fills the cache of texts, the others read it
            self.embeddings, self.meaning = self._frozen_texts()
        pairing = Pairing(model, config)
        self.pairing, self.optimizer = self.accelerator.prepare(pairing, _optimizer(pairing, config))
        if config.text.trained_layers:  # the frozen part of the text encoder is no part of the module
            model.text_encoder.model.to(self.accelerator.device)
        self.steps_per_epoch = len(pairs) // config.batch_size
        self.step = 0
        self._order: tuple[int, Indices] = (-1, np.zeros(0, np.int64))
        self.best: dict[str, Any] = {"recall": -1.0, "model": None}

    @property
    def epoch(self) -> int:
        """How many epochs are done."""
        return self.step // self.steps_per_epoch

    def _frozen_texts(self) -> tuple[Tensor | None, Tensor | None]:
        """Embed all texts once: as what a frozen encoder gives, and as the meaning that is compared."""
        config = self.config
        frozen = [stage for stage in config.stages if not config.trains_text(stage)]
        if not (frozen or config.needs_meaning):
            return None, None
        more = config.needs_meaning or any(stage.rephrase_share or stage.findings_share for stage in frozen)
        texts = self.texts.texts if more else self.texts.texts[: self.texts.said]
        if self.accelerator.device.type != "cpu":
            self.model.text_encoder.model.to(self.accelerator.device)
        found = cached_embeddings(self.model.text_encoder, texts, progress=self.progress)
        embeddings = torch.from_numpy(found).to(self.accelerator.device)
        return embeddings if frozen else None, embeddings if config.needs_meaning else None

    def inputs(self, step: int) -> Inputs:
        """Read what this process needs for a step; the same each time it is asked."""
        config, count = self.config, self.accelerator.num_processes
        epoch, at = divmod(step, self.steps_per_epoch)
        stage, epoch_of_stage = config.stage_of(epoch)
        if self._order[0] != epoch:
            order = np.random.default_rng([config.seed, 0, epoch]).permutation(len(self.pairs))
            self._order = (epoch, order)
        records = self._order[1][at * config.batch_size : (at + 1) * config.batch_size]
        drawn = self.texts.draw(
            records,
            random.Random(f"{config.seed} {step}"),
            sentence_share=stage.sentence_share,
            sentence_balance=stage.sentence_balance,
            rephrase_share=stage.rephrase_share,
            findings_share=stage.findings_share,
        )
        own = slice(self.accelerator.process_index, None, count)
        signals = augment(
            torch.from_numpy(self.pairs.signals(records[own])),
            _generator(config.seed, 1, step, self.accelerator.process_index),
            leads=self.pairs.spec.leads,
            crop_shift=stage.crop_shift,
            lead_masking=stage.lead_masking,
            single=stage.single_lead,
            noise=stage.noise,
        )
        if epoch_of_stage < stage.crop_epochs:  # half the cost while the filters are still coarse
            signals = signals[:, :, : signals.shape[-1] // 2]
        everyone = np.concatenate([drawn[rank::count] for rank in range(count)])  # in the order of the ranks
        return Inputs(signals, drawn[own], self.texts.same(records[own], everyone))

    def loss(self, inputs: Inputs) -> Tensor:
        """Compute the objectives of one step over the joint batch of all processes."""
        device = self.accelerator.device
        distinct, row = np.unique(inputs.drawn, return_inverse=True)
        stage, _ = self.config.stage_of(self.epoch)
        chosen: list[str] | Tensor = (
            [self.texts.texts[number] for number in distinct]
            if self.embeddings is None or self.config.trains_text(stage)
            else self.embeddings[torch.from_numpy(distinct)]
        )
        with torch.autocast(device.type, torch.bfloat16, enabled=self.bf16):
            found = self.pairing(inputs.signals.to(device), chosen, torch.from_numpy(row).to(device))
        if self.meaning is not None:
            found["meaning"] = self.meaning[torch.from_numpy(inputs.drawn)]
        batch = Batch(same=inputs.same.to(device), **found).joint()
        if self.config.near_duplicates is not None:
            batch = batch.with_near_duplicates(self.config.near_duplicates)
        return total(batch, self.config.objectives)

    def train_epoch(self, state: Path | None = None) -> dict[str, float]:
        """Run to the end of the epoch and return what there is to say of it.

        Args:
            state: where to save the state every ten minutes, for epochs that last.

        Raises:
            MerlError: the loss is no longer finite, or the state cannot be written.
        """
        self.pairing.train()
        start, first, losses = time.monotonic(), self.step, list[float]()
        saved = start
        end = (self.epoch + 1) * self.steps_per_epoch
        for inputs in self._ahead(end):
            for group in self.optimizer.param_groups:
                group["lr"] = self._learning_rate(self.step, text=group["text"])
            torch.manual_seed(_seed(self.config.seed, 2, self.step, self.accelerator.process_index))
            loss = self.loss(inputs)
            if not torch.isfinite(loss):
                raise MerlError(
                    f"the loss is {loss.item()} in epoch {self.epoch + 1}, step {self.step + 1};"
                    " lower learning_rate or set precision=fp32, and train into another out folder"
                )
            self.optimizer.zero_grad(set_to_none=True)
            self.accelerator.backward(loss)
            self.accelerator.clip_grad_norm_(self.pairing.parameters(), 1.0)
            self.optimizer.step()
            self.step += 1
            losses.append(loss.item())
            self._tell(losses, first)
            if state and self.accelerator.is_main_process and time.monotonic() > saved + SAVE_EVERY:
                self.save(state)
                saved = time.monotonic()
        seconds = time.monotonic() - start
        return {
            "epoch": self.epoch,
            "step": self.step,
            "loss": sum(losses) / len(losses),
            "records_per_second": len(losses) * self.config.batch_size / seconds,
            "seconds": seconds,
        }

    def _ahead(self, end: int) -> Iterator[Inputs]:
        """Yield the inputs of each step up to ``end``, the next being read while one is used."""
        with ThreadPoolExecutor(1) as reader:
            waiting = reader.submit(self.inputs, self.step)
            for step in range(self.step, end):
                ready = waiting.result()
                if step + 1 < end:
                    waiting = reader.submit(self.inputs, step + 1)
                yield ready

    def _tell(self, losses: list[float], first: int) -> None:
        if self.progress:
            done = (first % self.steps_per_epoch) + len(losses)
            epoch = (self.step - 1) // self.steps_per_epoch + 1
            mean = sum(losses) / len(losses)
            self.progress(
                done, self.steps_per_epoch, f"epoch {epoch}/{self.config.total_epochs} loss {mean:.3f}"
            )

    def _learning_rate(self, step: int, *, text: bool) -> float:
        """Return the learning rate of a step: a linear rise, then half a cosine, anew in each stage."""
        epoch, at = divmod(step, self.steps_per_epoch)
        stage, epoch_of_stage = self.config.stage_of(epoch)
        peak = stage.text_learning_rate if text else stage.learning_rate
        step, steps = epoch_of_stage * self.steps_per_epoch + at, stage.epochs * self.steps_per_epoch
        warmup = max(1, int(stage.warmup * steps))
        if step < warmup:
            return peak * (step + 1) / warmup
        return peak * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))

    @torch.inference_mode()
    def validate(self) -> dict[str, float]:
        """Judge the model on held-out pairs, without labels; keep its weights if the stage had none better.

        Stages are not compared: one that is taught sentences may find whole reports less well and yet be
        the better model.
        """
        if self.validation is None:
            return {}
        self.model.eval()
        told = judge(self.model, self.validation)
        recall = told[f"recall@{MOST_LOOKED_AT}"]
        _, epoch_of_stage = self.config.stage_of(self.epoch - 1)
        if epoch_of_stage == 0 or recall > self.best["recall"]:
            kept = {name: tensor.clone() for name, tensor in self.model.state_dict().items()}
            self.best = {"recall": recall, "epoch": self.epoch, "model": kept}
        return told

    def belongs_to(self) -> dict[str, str]:
        """Return what a state is bound to, in the words of the error that refuses another."""
        held_out = self.validation.manifest.pairs_sha256 if self.validation else ""
        return {
            "another configuration": self.config.model_dump_json(),
            "other data": f"{self.pairs.manifest.pairs_sha256} {held_out}",
            "another model or knowledge base": self.model.config.model_dump_json(),
            "another number of processes": str(self.accelerator.num_processes),
            "another precision": "bf16" if self.bf16 else "fp32",
        }

    def state(self) -> dict[str, Any]:
        """Return all that decides how the run goes on."""
        return {
            "belongs_to": self.belongs_to(),
            "step": self.step,
            "pairing": self.accelerator.unwrap_model(self.pairing).state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "best": self.best,
        }

    def save(self, path: Path) -> None:
        """Write the state of the run, whole or not at all.

        Raises:
            MerlError: it cannot be written; the state saved before stays.
        """
        write_state(self.state(), path)

    def resume(self, path: Path) -> None:
        """Continue from a saved state.

        Raises:
            MerlError: the state is damaged, or belongs to another run.
        """
        state = read_state(path, self.belongs_to())
        self.step, self.best = state["step"], state["best"]
        self.accelerator.unwrap_model(self.pairing).load_state_dict(state["pairing"])
        self.optimizer.load_state_dict(state["optimizer"])

    def keep_best(self) -> None:
        """Take up the weights of the epoch that found reports best, if any was judged."""
        if self.best["model"] is not None:
            self.model.load_state_dict(self.best["model"])


def _optimizer(pairing: Pairing, config: PretrainConfig) -> torch.optim.AdamW:
    """AdamW over four groups: text layers or the rest, matrices that decay or vectors that do not."""
    groups: dict[tuple[bool, float], list[nn.Parameter]] = {}
    for name, weight in pairing.named_parameters():
        if weight.requires_grad:
            key = ".text_layers." in name, config.weight_decay if weight.ndim > 1 else 0.0
            groups.setdefault(key, []).append(weight)
    return torch.optim.AdamW(
        [
            {"params": weights, "text": text, "weight_decay": decay}
            for (text, decay), weights in groups.items()
        ],
        fused=True,
    )


def _has_bf16() -> bool:
    return torch.cuda.is_bf16_supported() if torch.cuda.is_available() else cpu_has_bf16()


def _seed(*numbers: int) -> int:
    """Mix numbers into one seed; sums would make step 1 of seed 2 the same as step 2 of seed 1."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)


def _generator(*numbers: int) -> torch.Generator:
    return torch.Generator().manual_seed(_seed(*numbers))
