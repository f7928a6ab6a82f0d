"""``merl evaluate``: prompts against labelled ECGs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from merl.cli.console import note, progress, stoppable
from merl.cli.scoring_options import DEFAULT_MODEL, AbsentWeight, Checkpoint, Ensemble, HowCombined
from merl.errors import UsageError


class Split(StrEnum):
    """Which records: val to choose, test once at the end, all of a data set that nothing was chosen on."""

    train = "train"
    val = "val"
    test = "test"
    all = "all"


class Labels(StrEnum):
    """Whose labels: ours, or those of MERL's release as they are."""

    fixed = "fixed"
    merl_compat = "merl-compat"


@stoppable("the same command goes on, for the ECGs embedded so far are kept")
def evaluate(
    task: Annotated[str, typer.Argument(help="A task (merl tasks lists them).")],
    *,
    data: Annotated[Path, typer.Option(help="The data set's folder.")],
    prompts: Annotated[
        list[str], typer.Option(help="A prompt file or a shipped set (plain, knowledge); repeat it.")
    ],
    checkpoint: Checkpoint = DEFAULT_MODEL,
    split: Annotated[Split, typer.Option(help="val to choose, test once at the end, or all.")] = Split.val,
    bootstrap: Annotated[int, typer.Option(help="Bootstrap resamples of patients.")] = 1000,
    leads: Annotated[list[str] | None, typer.Option(help="Show the model this lead only; repeat it.")] = None,
    ensemble: HowCombined = Ensemble.mean,
    absent_weight: AbsentWeight = 0.0,
    lead_as: Annotated[
        list[str] | None, typer.Option(help="MLII=II takes the lead MLII for lead II; repeat it.")
    ] = None,
    labels: Annotated[Labels, typer.Option(help="fixed, or merl-compat with --official.")] = Labels.fixed,
    official: Annotated[Path | None, typer.Option(help="MERL's release: the folder of data_split.")] = None,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Leave out records whose files are missing.")
    ] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the result here as JSON.")] = None,
) -> None:
    """Measure prompt sets on labelled ECGs: AUROC with intervals, and paired differences."""
    from merl.checkpoints import load_model
    from merl.datasets.tasks import get_task
    from merl.evaluation.run import evaluate as run
    from merl.evaluation.table import print_result
    from merl.files import check_writable

    get_task(task)
    stand_ins = _pairs(lead_as or [])
    if json_file:
        check_writable(json_file)
    model = load_model(checkpoint)
    with progress("embedding ECGs") as report:
        result = run(
            task,
            data=data,
            prompts=prompts,
            model=model,
            split=split.value,
            bootstrap=bootstrap,
            leads=leads,
            ensemble=ensemble.value,
            absent_weight=absent_weight,
            lead_as=stand_ins,
            labels=labels.value,
            official=official,
            allow_missing=allow_missing,
            progress=report,
        )
    if json_file:
        result.save(json_file)
        note(f"result written to {json_file}")
    if result.missing_records:
        note(f"{result.missing_records} records were left out since files of theirs are missing")
    print_result(result)


def _pairs(given: list[str]) -> dict[str, str]:
    pairs = dict(item.partition("=")[::2] for item in given)
    if odd := [lead for lead, other in pairs.items() if not lead or not other]:
        raise UsageError(f"--lead-as {odd[0]!r} names no two leads; write MLII=II")
    return pairs
