"""A probe's result as tables for the terminal; every figure is read from the result."""

from __future__ import annotations

from rich.console import Console, Group
from rich.text import Text

from merl.evaluation.caveats import DISCLAIMER
from merl.evaluation.method_tables import class_notes, classes_table, differences_table, figures_table, seen
from merl.evaluation.probe_result import FractionResult, ProbeResult


def print_probe(result: ProbeResult, console: Console | None = None) -> None:
    """Print a result, to standard output unless another console is given."""
    parts = result.fractions
    largest = max(parts, key=lambda part: part.fraction)
    group = Group(
        _headline(result),
        figures_table("Macro AUROC", [(_share(part), part.methods) for part in parts]),
        differences_table([(_share(part), part.comparisons) for part in parts]),
        classes_table(f"AUROC by class, {_share(largest)}", largest.methods),
        Text("\n".join([*_left_out(result), *class_notes(largest.methods), *_notes(result)])),
    )
    (console or Console()).print(group)


def _headline(result: ProbeResult) -> Text:
    features = result.features
    layer = "averaged over time, before the projection" if features.layer == "encoder" else "after projection"
    return Text(
        f"{result.task} ({result.dataset}, split {result.split}): {result.n_records} records of"
        f" {result.n_patients} patients; probes on up to {result.n_training} training records; checkpoint"
        f" {result.checkpoint.name}, {features.width} features of its {features.encoder} {layer}"
    )


def _share(part: FractionResult) -> str:
    low, high = min(part.records), max(part.records)
    drawn = f"{low}" if low == high else f"{low}-{high}"
    return f"{part.fraction * 100:.3g} % ({drawn} records)"


def _left_out(result: ProbeResult) -> list[str]:
    return [
        f"{_share(part)}: {', '.join(part.left_out)} left out of these figures, for the drawn records have no"
        " positive or no negative of them."
        for part in result.fractions
        if part.left_out
    ]


def _notes(result: ProbeResult) -> list[str]:
    draws = max(len(part.records) for part in result.fractions)
    lines = [
        f"Labels: {result.labels_used}. Penalty chosen by {result.penalty_chosen_on}.",
        f"Intervals: {result.bootstrap.resamples} bootstrap resamples of patients, for the mean of {draws}"
        " draws of the labels (of one where all are drawn); 10 positives: over classes with so many at"
        " least.",
    ]
    if result.zero_shot is None:
        lines.append("No zero-shot row: the checkpoint reads no text.")
    if tuned := result.fine_tuning:
        lines.append(
            f"Fine-tuned: {tuned.epochs} epochs, batches of {tuned.batch_size}, learning rate"
            f" {tuned.learning_rate:g}, the last epoch's weights; nothing was chosen."
        )
    return [*lines, seen(result.checkpoint), DISCLAIMER]
