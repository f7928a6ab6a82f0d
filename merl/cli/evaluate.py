"""``merl evaluate``: prompts against labelled ECGs, one task or all of them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from merl.cli.console import OwnIndex, load_index, note, progress, stoppable
from merl.cli.report import TABLES, Figures, write_report
from merl.cli.scoring_options import (
    DEFAULT_MODEL,
    AbsentWeight,
    Contrast,
    Ensemble,
    LeadAs,
    check_leads,
    lead_pairs,
)
from merl.errors import DataError, UsageError

if TYPE_CHECKING:
    from merl.evaluation.matrix_result import MatrixResult
    from merl.evaluation.result import Result
    from merl.knowledge.index import KnowledgeIndex


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
    task: Annotated[str, typer.Argument(help="A task (merl tasks lists them), or all whose data are there.")],
    *,
    data: Annotated[Path, typer.Option(help="The data set's folder, or the folder that holds several.")],
    prompts: Annotated[
        list[str],
        typer.Option(
            help="A prompt file, a shipped set (plain, knowledge) or a folder with a TASK.yaml for each task;"
            " repeat it."
        ),
    ],
    checkpoint: Annotated[
        list[str] | None,
        typer.Option(
            help=f"A shipped model or a checkpoint folder; repeat it to compare. [default: {DEFAULT_MODEL}]"
        ),
    ] = None,
    split: Annotated[Split, typer.Option(help="val to choose, test once at the end, or all.")] = Split.val,
    bootstrap: Annotated[int, typer.Option(help="Bootstrap resamples of patients.")] = 1000,
    leads: Annotated[list[str] | None, typer.Option(help="Show the model this lead only; repeat it.")] = None,
    ensemble: Annotated[
        list[Ensemble] | None,
        typer.Option(
            help="How a class's phrases count: their mean, joined into one text, the nearest, or the mean"
            " with the name worth half; repeat it to compare. [default: mean]"
        ),
    ] = None,
    absent_weight: AbsentWeight = 0.0,
    contrast: Contrast = 0.0,
    controls: Annotated[
        bool,
        typer.Option(
            "--controls",
            help="Add what prompts have to beat: class names, a template, shuffled classes, random words and"
            " a random encoder.",
        ),
    ] = False,
    lead_as: LeadAs = None,
    labels: Annotated[Labels, typer.Option(help="fixed, or merl-compat with --official.")] = Labels.fixed,
    official: Annotated[Path | None, typer.Option(help="MERL's release: the folder of data_split.")] = None,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Leave out records that are missing or damaged.")
    ] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the result here as JSON.")] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write the report here: one HTML file to read, print and send.")
    ] = None,
    figures: Figures = None,
    index_dir: OwnIndex = None,
    csv_file: Annotated[
        Path | None,
        typer.Option("--csv", help="Write macro AUROCs here as CSV; --figures writes those of classes."),
    ] = None,
    markdown_file: Annotated[
        Path | None, typer.Option("--markdown", help="Write the tables here as Markdown.")
    ] = None,
) -> None:
    """Measure prompt sets on labelled ECGs: AUROC with intervals, and paired differences.

    With several checkpoints, several ensembles or the task all it is a matrix: whatever differs in one thing
    is compared, on each task and in the mean, and a run that stopped goes on where it did.
    """
    from merl.checkpoints import load_model
    from merl.evaluation.arms import as_matrix
    from merl.evaluation.matrix_table import print_matrix
    from merl.evaluation.table import print_result
    from merl.files import check_outputs

    _check_task(task)
    options: dict[str, Any] = {
        "data": data,
        "prompts": prompts,
        "split": split.value,
        "bootstrap": bootstrap,
        "leads": leads,
        "absent_weight": absent_weight,
        "contrast": contrast,
        "controls": controls,
        "lead_as": lead_pairs(lead_as or []),
        "labels": labels.value,
        "official": official,
        "allow_missing": allow_missing,
    }
    check_leads("--leads", leads or [])
    if official and labels is Labels.fixed:
        raise UsageError("--official is read with --labels merl-compat alone; give both or neither")
    read = [path for item in prompts for path in (Path(item), *Path(item).glob("*.yaml"))]
    tables = [figures / name for name in TABLES] if figures else []
    check_outputs(json_file, csv_file, markdown_file, report, *tables, inputs=read)
    several = task == "all" or len(checkpoint or []) > 1 or len(ensemble or []) > 1
    if several and (report or figures or index_dir):
        raise UsageError("a report is of one task, checkpoint and ensemble; ask for each on its own")
    if index_dir and not (json_file or report or figures):
        raise UsageError("--index is for what --report, --figures and --json show; give one of them too")
    index = load_index(index_dir)
    models = [load_model(name) for name in checkpoint or [DEFAULT_MODEL]]
    ensembles = [item.value for item in ensemble or [Ensemble.mean]]
    if several:
        matrix = _matrix(task, models, ensembles, options)
        _save(matrix, json_file)
        print_matrix(matrix)
    else:
        options["evidence"] = bool(json_file or report or figures)
        result = _single(task, models[0], ensembles[0], index, options)
        _save(result, json_file)
        print_result(result)
        write_report(result, report, figures)
        matrix = as_matrix(result)
    _write(matrix, csv_file, markdown_file)
    if failed := [item.task for item in matrix.left_out if item.failed]:
        raise DataError(f"{', '.join(failed)} could not be evaluated; the table says why")


def _single(task: str, model: Any, ensemble: Any, index: KnowledgeIndex | None, options: Any) -> Result:
    from merl.evaluation.run import evaluate as run
    from merl.report.citing import with_knowledge

    with progress("embedding ECGs") as report:
        result = run(task, model=model, ensemble=ensemble, progress=report, **options)
        return with_knowledge(result, index=index, encoder=model.text_encoder, progress=report)


def _matrix(task: str, models: list[Any], ensembles: Any, options: dict[str, Any]) -> MatrixResult:
    from merl.evaluation.matrix import evaluate_matrix

    with progress("embedding ECGs") as report:
        return evaluate_matrix(
            task, models=models, ensembles=ensembles, progress=report, finished=note, **options
        )


def _save(result: Result | MatrixResult, json_file: Path | None) -> None:
    if json_file:
        result.save(json_file)
        note(f"result written to {json_file}")


def _write(matrix: MatrixResult, csv_file: Path | None, markdown_file: Path | None) -> None:
    from merl.evaluation.matrix_export import write_csv, write_markdown

    if csv_file:
        write_csv(matrix, csv_file)
        note(f"figures written to {csv_file}")
    if markdown_file:
        write_markdown(matrix, markdown_file)
        note(f"tables written to {markdown_file}")


def _check_task(task: str) -> None:
    from merl.datasets.tasks import get_task

    if task != "all":
        get_task(task)
