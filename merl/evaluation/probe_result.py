"""The result of a linear probe: what is printed is read from it, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from merl.evaluation.features import Layer
from merl.evaluation.fine_tuning import FineTuning
from merl.evaluation.methods import LABELS_USED, Facts, MethodResult
from merl.evaluation.result import Bootstrap, Checkpoint, Comparison, Share
from merl.files import write_text


class Features(Facts):
    """What the probe sees of an ECG.

    Attributes:
        layer: ``encoder``, averaged over time before the projection, or ``embedding``, after it.
        encoder: its name.
        width: how many numbers.
    """

    layer: Layer
    encoder: str
    width: int


class FractionResult(Facts):
    """The probe on a share of the training labels, and what it is set beside, over the same classes.

    Attributes:
        fraction: of the labelled records of the training split that was asked for.
        records: how many were drawn, by seed.
        patients: of how many patients, by seed.
        left_out: classes without a positive (or a negative) among the drawn, which have no figure here.
        methods: ``zero-shot``, ``random encoder``, ``linear probe`` and, if asked for, ``fine-tuned``.
        comparisons: every pair of them.
    """

    fraction: Share
    records: tuple[int, ...]
    patients: tuple[int, ...]
    left_out: tuple[str, ...]
    methods: list[MethodResult]
    comparisons: list[Comparison]


class LearntResult(Facts):
    """What holds of every result that labels were learnt from. AUROC runs from 0 to 1.

    Attributes:
        dataset: that is scored.
        split: of it.
        n_records: scored.
        n_training: records with a label that could be learnt from, of which a share was drawn.
        missing_records: left out since files of theirs were missing or damaged, of all splits that were read.
        penalty_chosen_on: in words; never the scored records.
        labels_used: what labels were used for.
        seeds: by purpose.
        versions: of the software that computed it.
    """

    dataset: str
    split: str
    n_records: int
    n_patients: int
    n_training: int
    lead_as: dict[str, str]
    missing_records: int
    features: Features
    penalty_chosen_on: str
    labels_used: str = LABELS_USED
    checkpoint: Checkpoint
    bootstrap: Bootstrap
    seeds: dict[str, int]
    versions: dict[str, str]

    def save(self, path: str | Path) -> None:
        """Write the result as JSON, atomically."""
        write_text(path, self.model_dump_json(indent=2) + "\n")


class ProbeResult(LearntResult):
    """A linear probe of a task.

    Attributes:
        zero_shot: the prompt set of the row ``zero-shot``; ``None`` where the checkpoint reads no text.
        fine_tuning: how the row ``fine-tuned`` was trained; ``None`` if it was not.
    """

    kind: Literal["probe"] = "probe"
    task: str
    fractions: list[FractionResult]
    zero_shot: str | None
    fine_tuning: FineTuning | None
