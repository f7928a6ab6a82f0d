"""The linear probe: how much labels add to what the encoder learnt without them.

Features of a frozen encoder, one logistic regression a class on 1, 10 or 100 % of the training labels. This
is MERL's protocol (arXiv 2403.06659) with other rules where its release falls short: columns go by class and
not by position; the penalty is chosen on records that are not scored, where the release reports the best
epoch on the test set; labels are drawn by patients, several times, so that rare classes keep a positive;
beside every figure stand those of a random encoder and of plain class names without any label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from merl.ckepe.prompt_set import PromptSet
from merl.datasets.tasks import TaskData, load_task
from merl.errors import UsageError
from merl.evaluation.features import Layer, Report, at_layer, prompt_scores, random_model, reads_text
from merl.evaluation.fine_tuning import FineTuning, fine_tune
from merl.evaluation.learning import (
    Draws,
    Encoded,
    check_counts,
    draw_all,
    load_training,
    penalty_chosen_on,
)
from merl.evaluation.methods import compare_methods
from merl.evaluation.metrics import Floats
from merl.evaluation.probe_result import Features, FractionResult, ProbeResult
from merl.evaluation.result import Bootstrap
from merl.evaluation.run import checkpoint_facts, published_rate, versions
from merl.label_sets import load_label_set
from merl.model import MERL

ZERO_SHOT, PROBE, RANDOM, TUNED = "zero-shot", "linear probe", "random encoder", "fine-tuned"
PLAIN = "plain"
FRACTIONS = (0.01, 0.1, 1.0)


def probe(
    task: str,
    *,
    data: str | Path,
    model: MERL,
    fractions: Sequence[float] = FRACTIONS,
    seeds: int = 3,
    split: Literal["val", "test"] = "val",
    layer: Layer = "encoder",
    fine_tuning: FineTuning | None = None,
    bootstrap: int = 1000,
    seed: int = 0,
    lead_as: Mapping[str, str] | None = None,
    allow_missing: bool = False,
    progress: Report | None = None,
) -> ProbeResult:
    """Fit linear probes to shares of a task's training labels and score them on another split.

    Args:
        task: a task's name.
        data: the data set's folder.
        model: as ``merl.load_model`` returns it; it is left as it is.
        fractions: shares of the labelled training records, each above 0 and at most 1.
        seeds: how many times each share is drawn; all labels are drawn once.
        split: ``val``, where the penalty is chosen by cross-validation within the drawn labels, or ``test``,
            where it is chosen on the validation split.
        layer: ``encoder`` for its features averaged over time, or ``embedding`` for those among texts.
        fine_tuning: also train the whole encoder, in this way.
        bootstrap: resamples of patients, at least 20.
        seed: of the first draw, the random encoder and the resampling.
        lead_as: leads of the records that stand in for another, as ``{"MLII": "II"}``.
        allow_missing: leave out records whose files are missing; the result counts them.
        progress: called with what is done, of how much, and what it is.

    Raises:
        UsageError: an unknown task or split, no such share, too few seeds or resamples.
        DataError: the data set is damaged or has no training records, or a share leaves no class to learn.
        RecordError: a record cannot be read or does not meet the model's contract.
    """
    check_counts(seeds, bootstrap)
    if split not in ("val", "test"):
        raise UsageError(f"a probe is scored on val or test, not on {split!r}")
    report = progress or (lambda done, total, what: None)
    rate = published_rate(model)
    load = partial(load_task, task, data, sampling_rate=rate, lead_as=lead_as, allow_missing=allow_missing)
    scored = load(split=split)
    training = load_training(partial(load, split="train"))
    validation = load(split="val") if split == "test" else None
    draws = {share: draw_all(training, share, seeds, seed) for share in dict.fromkeys(fractions)}
    bench = _Bench(model, training, validation, scored, layer, fine_tuning, bootstrap, seed, report)
    found = bench.run(draws)
    return ProbeResult(
        task=task,
        dataset=scored.dataset,
        split=split,
        n_records=len(scored),
        n_patients=len(np.unique(scored.patients)),
        n_training=len(training),
        lead_as=dict(lead_as or {}),
        missing_records=sum(len(one.missing) for one in (scored, training, validation) if one),
        features=Features(
            layer=layer, encoder=model.config.encoder, width=at_layer(model, layer).config.embed_dim
        ),
        penalty_chosen_on=penalty_chosen_on(validation),
        fractions=found,
        zero_shot=PLAIN if reads_text(model) else None,
        fine_tuning=fine_tuning,
        checkpoint=checkpoint_facts(model, scored.dataset),
        bootstrap=Bootstrap(resamples=bootstrap),
        seeds={"first draw": seed, "random encoder": seed, "bootstrap": seed},
        versions=versions(),
    )


@dataclass(frozen=True, eq=False)
class _Bench:
    """Everything a probe needs, once what was asked for is known to be there."""

    model: MERL
    training: TaskData
    validation: TaskData | None
    scored: TaskData
    layer: Layer
    fine_tuning: FineTuning | None
    bootstrap: int
    seed: int
    report: Report

    def run(self, draws: Mapping[float, Draws]) -> list[FractionResult]:
        """Encode the records and probe every share of the labels."""
        fixed: dict[str, list[Floats]] = {}
        if reads_text(self.model):
            plain = PromptSet.find(PLAIN, self.scored.task)
            fixed[ZERO_SHOT] = [prompt_scores(self.model, plain, self.scored, self.report)]
        models = {PROBE: self.model, RANDOM: random_model(self.model, self.seed)}
        encoded = {
            name: Encoded.of(
                at_layer(model, self.layer), self.training, self.validation, self.scored, self.report
            )
            for name, model in models.items()
        }
        return [self._share(share, rows, fixed, encoded) for share, rows in draws.items()]

    def _share(
        self, share: float, rows: Draws, fixed: Mapping[str, list[Floats]], encoded: Mapping[str, Encoded]
    ) -> FractionResult:
        """Fit to a share of the labels, drawn with each seed, and set all methods side by side."""
        scores, strengths = dict(fixed), {}
        for name, features in encoded.items():
            what = f"{name}, {share:.3g} of the labels"
            scores[name], strengths[name] = features.scores(rows, self.seed, what, self.report)
        if self.fine_tuning:
            recipe = self.fine_tuning
            scores[TUNED] = [self._tuned(recipe, share, drawn, self.seed + i) for i, drawn in enumerate(rows)]
        methods, pairs, left_out = compare_methods(
            scores,
            self.scored.labels,
            self.scored.patients,
            {code: item.name for code, item in load_label_set(self.scored.task).classes.items()},
            strengths=strengths,
            resamples=self.bootstrap,
            seed=self.seed,
        )
        return FractionResult(
            fraction=share,
            records=tuple(len(drawn) for drawn in rows),
            patients=tuple(len(np.unique(self.training.patients[drawn])) for drawn in rows),
            left_out=left_out,
            methods=methods,
            comparisons=pairs,
        )

    def _tuned(self, recipe: FineTuning, share: float, rows: NDArray[np.int64], seed: int) -> Floats:
        """Fine-tune the encoder and score with it."""
        what = f"fine-tuning, {share:.3g} of the labels, seed {seed}"
        tuned = fine_tune(
            self.model,
            self.training,
            rows,
            recipe=recipe,
            seed=seed,
            progress=lambda done, total: self.report(done, total, what),
        )
        return tuned.score(self.scored)
