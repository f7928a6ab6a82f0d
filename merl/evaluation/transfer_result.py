"""The result of a transfer: what is printed is read from it, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from merl.evaluation.methods import LABELS_USED, Facts, MethodResult
from merl.evaluation.probe_result import Features
from merl.evaluation.result import Bootstrap, Checkpoint, Comparison, Share
from merl.files import write_text
from merl.overlap import ClassOverlap


class TransferResult(Facts):
    """A probe of one task scored on another one, beside prompts. AUROC runs from 0 to 1.

    Attributes:
        dataset: the target's.
        split: of the target.
        n_records: scored.
        n_training: records of the source's training split with a label of its task.
        fraction: of them that was asked for.
        records: how many were drawn, by seed.
        overlap: what stands for each class of the target, and why; figures are over those that have anything.
        left_out: of these, classes that could not be learnt.
        prompt_sets: SHA-256 of the content of each prompt set, by the name of its row.
        missing_records: left out since files of theirs were missing, of both data sets.
        seeds: by purpose.
        versions: of the software that computed it.
    """

    kind: Literal["transfer"] = "transfer"
    source: str
    target: str
    source_dataset: str
    dataset: str
    split: str
    n_records: int
    n_patients: int
    n_training: int
    lead_as: dict[str, str]
    missing_records: int
    features: Features
    fraction: Share
    records: tuple[int, ...]
    penalty_chosen_on: str
    overlap: dict[str, ClassOverlap]
    left_out: tuple[str, ...]
    methods: list[MethodResult]
    comparisons: list[Comparison]
    prompt_sets: dict[str, str]
    labels_used: str = LABELS_USED
    checkpoint: Checkpoint
    bootstrap: Bootstrap
    seeds: dict[str, int]
    versions: dict[str, str]

    def save(self, path: str | Path) -> None:
        """Write the result as JSON, atomically."""
        write_text(path, self.model_dump_json(indent=2) + "\n")
