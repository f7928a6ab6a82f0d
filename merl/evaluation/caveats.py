"""What a reader must know before quoting the figures of a result, in sentences read from the result."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from merl.evaluation.result import Result

DISCLAIMER = "For research. Not a medical device."


def headline(result: Result) -> Text:
    """Say what was measured: the records, whose labels, and the model that saw them."""
    leads = f", seen in {', '.join(result.leads)} only" if result.leads else ""
    stand_ins = "".join(f", {lead} taken for {other}" for lead, other in result.lead_as.items())
    left_out = (
        f" ({result.missing_records} records left out since files of theirs are missing)"
        if result.missing_records
        else ""
    )
    return Text(
        f"{result.task} ({result.dataset}, split {result.split}): {result.n_records} records of"
        f" {result.n_patients} patients{left_out}{leads}{stand_ins}; labels {_whose(result.labels)};"
        f" checkpoint {result.checkpoint.name}"
    )


def caveats(result: Result) -> Text:
    """Say what limits the figures, a paragraph each."""
    parts = (_classes, _intervals, _held_out, _training, _scoring)
    return Text("\n".join([*(line for part in parts for line in part(result)), DISCLAIMER]))


def _whose(labels: str) -> str:
    return {"fixed": "fixed (exact codes)", "merl-compat": "merl-compat (MERL's release)"}.get(labels, labels)


def _classes(result: Result) -> Iterator[str]:
    first = result.prompt_sets[0]
    noted: dict[str, list[str]] = {}
    for code, item in first.per_class.items():
        if item.note:
            noted.setdefault(item.note, []).append(code)
    yield from (f"* {', '.join(codes)}: {note}" for note, codes in noted.items())
    skipped = [
        f"{code} in {item.skipped_resamples}"
        for code, item in first.per_class.items()
        if item.skipped_resamples and item.auroc is not None
    ]
    if skipped:
        yield f"Left out of resamples that held none of their positives or negatives: {', '.join(skipped)}."


def _intervals(result: Result) -> Iterator[str]:
    yield (
        f"Intervals: {result.bootstrap.resamples} bootstrap resamples of patients. AUROC: 0.5 is chance, 1 is"
        " perfect. Average precision: chance is the share of positives, 1 is perfect. Scores are"
        f" {'no' if result.contrast or result.absent_weight else 'cosines, not'} probabilities."
    )


def _held_out(result: Result) -> Iterator[str]:
    first, validation = result.prompt_sets[0], result.validation
    if first.nearest:
        yield (
            "Nearest text, as METS decides: the class with the highest score, on the"
            f" {first.nearest.n_records} records with exactly one label; accuracy is the share of records."
        )
    if validation is None:
        return
    if not validation.held_out:
        yield f"No thresholds and no probabilities: {validation.note}."
        return
    yield (
        f"Thresholds (the highest F1) and probabilities are held out: {validation.held_out}. The intervals"
        " take the thresholds as given. The result holds thresholds and calibration of the whole fold of"
        f" {validation.n_records} records."
    )
    fitted = first.calibration.per_class if first.calibration else {}
    lacking = [
        code
        for code, one in fitted.items()
        if one.threshold is None and first.per_class[code].auroc is not None
    ]
    if lacking:
        yield f"No threshold, for the validation fold has no positive or no negative: {', '.join(lacking)}."


def _training(result: Result) -> Iterator[str]:
    checkpoint = result.checkpoint
    if checkpoint.in_distribution:
        yield (
            f"In distribution: the model was pretrained on {checkpoint.training}, the data set it is scored"
            " on here; do not set these figures beside those of models that never saw it."
        )
    elif checkpoint.training is None:
        yield "The checkpoint does not say what it was trained on; it may have seen this data set."


def _scoring(result: Result) -> Iterator[str]:
    if result.ensemble != "mean" or result.absent_weight or result.contrast:
        against = f", phrases against it with weight {result.absent_weight:g}" if result.absent_weight else ""
        contrast = f", contrast {result.contrast:g}" if result.contrast else ""
        yield f"Not the default scoring: ensemble {result.ensemble}{against}{contrast}."
    if result.scoring_chosen_here:
        yield (
            "How phrases are combined by default was settled with labels of this split, for its four tasks"
            " together: figures of enriched prompts may be a little optimistic here."
        )
    if result.split == "train":
        yield "Split train: for developing only, not a figure to report."
