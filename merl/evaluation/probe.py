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

from merl.ckepe.prompt_set import PromptSet
from merl.datasets.task_data import TaskData
from merl.errors import UsageError
from merl.evaluation.controls import untrained_encoder
from merl.evaluation.drawing import check_fraction
from merl.evaluation.features import Layer, at_layer, reads_text
from merl.evaluation.fine_tuning import FineTuning, fine_tune
from merl.evaluation.learning import (
    Draws,
    Learner,
    check_seeds,
    draw_all,
    labelled,
    load_training,
    penalty_chosen_on,
    prompt_scores,
    see_split,
    silent,
)
from merl.evaluation.methods import compare_methods
from merl.evaluation.metrics import Floats
from merl.evaluation.probe_result import Features, FractionResult, ProbeResult
from merl.evaluation.provenance import checkpoint_facts, versions
from merl.evaluation.request import Request
from merl.evaluation.result import Bootstrap
from merl.evaluation.scoring import Progress
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
    progress: Progress | None = None,
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
    check_seeds(seeds)
    if split not in ("val", "test"):
        raise UsageError(f"a probe is scored on val or test, not on {split!r}")
    stand_ins = dict(lead_as or {})
    request = Request(Path(data), split, bootstrap, seed, lead_as=stand_ins, allow_missing=allow_missing)
    scored = request.load(task, model)
    training = load_training(partial(request.load, task, model, "train"))
    validation = request.load(task, model, "val") if split == "test" else None
    for share in fractions:
        check_fraction(share, len(training))
    bench = _Bench.seeing(
        model,
        layer,
        request,
        training=training,
        validation=validation,
        scored=scored,
        progress=progress or silent,
    )
    found = [bench.probed(share, seeds, fine_tuning) for share in dict.fromkeys(fractions)]
    splits = (bench.training, bench.validation, bench.scored)
    return ProbeResult(
        task=task,
        dataset=scored.dataset,
        split=split,
        n_records=len(bench.scored),
        n_patients=len(np.unique(bench.scored.patients)),
        n_training=len(bench.training),
        lead_as=stand_ins,
        missing_records=sum(len(one.missing) for one in splits if one),
        features=Features(layer=layer, encoder=model.config.encoder, width=bench.width),
        penalty_chosen_on=penalty_chosen_on(bench.validation),
        fractions=found,
        zero_shot=PLAIN if bench.zero_shot else None,
        fine_tuning=fine_tuning,
        checkpoint=checkpoint_facts(model, scored.dataset),
        bootstrap=Bootstrap(resamples=bootstrap),
        seeds={"first draw": seed, "random encoder": seed, "bootstrap": seed},
        versions=versions(),
    )


@dataclass(frozen=True, eq=False)
class _Bench:
    """Everything that a probe of any share of the labels needs.

    Attributes:
        zero_shot: scores by plain prompts, by the name of their row; empty if the model reads no text.
        learners: by the name of their row.
    """

    model: MERL
    request: Request
    training: TaskData
    validation: TaskData | None
    scored: TaskData
    zero_shot: Mapping[str, Sequence[Floats]]
    learners: Mapping[str, Learner]
    progress: Progress

    @classmethod
    def seeing(
        cls,
        model: MERL,
        layer: Layer,
        request: Request,
        *,
        training: TaskData,
        validation: TaskData | None,
        scored: TaskData,
        progress: Progress,
    ) -> _Bench:
        """Embed the splits by the encoder and by one of random weights."""
        encoders = [at_layer(one, layer) for one in (untrained_encoder(model, request.seed), model)]
        learnt = see_split(encoders, training, request, progress)
        chosen = see_split(encoders, validation, request, progress) if validation else None
        *judged, whole = see_split([*encoders, model], scored, request, progress)
        learners = {
            name: Learner(labelled(learnt[n]), labelled(chosen[n]) if chosen else None, labelled(judged[n]))
            for n, name in enumerate((RANDOM, PROBE))
        }
        plain = PromptSet.find(PLAIN, scored.task) if reads_text(model) else None
        return cls(
            model=model,
            request=request,
            training=learnt[0].records,
            validation=chosen[0].records if chosen else None,
            scored=whole.records,
            zero_shot={ZERO_SHOT: [prompt_scores(model, plain, whole)]} if plain else {},
            learners=learners,
            progress=progress,
        )

    @property
    def width(self) -> int:
        """How many features there are."""
        return self.learners[PROBE].training.features.shape[1]

    def probed(self, share: float, seeds: int, tuning: FineTuning | None) -> FractionResult:
        """Fit to a share of the labels, drawn with each seed, and set all methods side by side."""
        seed, draws = self.request.seed, draw_all(self.training, share, seeds, self.request.seed)
        scores, strengths = dict(self.zero_shot), {}
        for name, learner in self.learners.items():
            what = f"{name}, {share:.3g} of the labels"
            scores[name], strengths[name] = learner.scores(draws, seed, what, self.progress)
        if tuning:
            scores[TUNED] = self._tuned(draws, share, tuning)
        methods, pairs, left_out = compare_methods(
            scores,
            self.scored,
            {code: item.name for code, item in load_label_set(self.scored.task).classes.items()},
            strengths=strengths,
            resamples=self.request.bootstrap,
            seed=seed,
        )
        return FractionResult(
            fraction=share,
            records=tuple(len(rows) for rows in draws),
            patients=tuple(len(np.unique(self.training.patients[rows])) for rows in draws),
            left_out=left_out,
            methods=methods,
            comparisons=pairs,
        )

    def _tuned(self, draws: Draws, share: float, tuning: FineTuning) -> list[Floats]:
        """Fine-tune the encoder on each draw and score with it."""
        scores = []
        for number, rows in enumerate(draws):
            what = f"fine-tuning, {share:.3g} of the labels, draw {number + 1}"
            step = partial(_named, self.progress, what)
            seed = self.request.seed + number
            tuned = fine_tune(self.model, self.training, rows, recipe=tuning, seed=seed, progress=step)
            scores.append(tuned.score(self.scored))
        return scores


def _named(progress: Progress, what: str, done: int, total: int) -> None:
    progress(done, total, what)
