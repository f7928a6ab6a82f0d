"""The result of a transfer: what is printed is read from it, and nothing else."""

from __future__ import annotations

from typing import Literal

from merl.evaluation.methods import MethodResult
from merl.evaluation.probe_result import LearntResult
from merl.evaluation.result import Comparison, Share
from merl.overlap import ClassOverlap


class TransferResult(LearntResult):
    """A probe of one task scored on another one, beside prompts.

    Attributes:
        source: the task that was learnt.
        target: the task that is scored.
        source_dataset: that of ``source``.
        fraction: of the source's training records that was asked for.
        records: how many were drawn, by seed.
        overlap: what stands for each class of the target, and why; figures are over those that have anything.
        left_out: of these, classes that could not be learnt.
        prompt_sets: SHA-256 of the content of each prompt set, by the name of its row.
    """

    kind: Literal["transfer"] = "transfer"
    source: str
    target: str
    source_dataset: str
    fraction: Share
    records: tuple[int, ...]
    overlap: dict[str, ClassOverlap]
    left_out: tuple[str, ...]
    methods: list[MethodResult]
    comparisons: list[Comparison]
    prompt_sets: dict[str, str]
