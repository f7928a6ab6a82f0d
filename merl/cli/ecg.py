"""``merl classify`` and ``merl evaluate``: prompts against ECGs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from merl.cli.console import note, out, print_json, progress
from merl.cli.report import Figures, check_report, write_report
from merl.errors import RecordError, UsageError

DEFAULT_MODEL = "ptbxl-r18-100hz"
Checkpoint = Annotated[str, typer.Option(help="A shipped model or a checkpoint folder.")]


class Ensemble(StrEnum):
    """How the phrases of a class become its score."""

    mean = "mean"
    joined = "joined"
    max = "max"
    name_weighted = "name-weighted"


HowCombined = Annotated[
    Ensemble,
    typer.Option(
        help="How a class's phrases count: their mean, joined into one text, the nearest, or"
        " the mean with the name worth half."
    ),
]
AbsentWeight = Annotated[
    float, typer.Option(min=0, max=1, help="How much phrases that speak against a class count.")
]


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


def classify(
    records: Annotated[
        list[str], typer.Argument(help="ECG files: WFDB, Challenge .mat, CPSC2018 .mat, DICOM.")
    ],
    *,
    prompts: Annotated[
        str, typer.Option(help="A prompt file, or a shipped set such as ptbxl-rhythm/knowledge.")
    ],
    checkpoint: Checkpoint = DEFAULT_MODEL,
    ensemble: HowCombined = Ensemble.mean,
    absent_weight: AbsentWeight = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Score ECGs against the prompts of each class; scores are cosines, not probabilities."""
    from rich.table import Table

    from merl.checkpoints import load_model
    from merl.ckepe.prompt_set import PromptSet
    from merl.readers import read_record
    from merl.zeroshot import ZeroShotClassifier

    prompt_set = PromptSet.find(prompts)
    model = load_model(checkpoint)
    read, problems = [], []
    for path in records:
        try:
            record = read_record(path)
            model.spec.windows(record)
        except RecordError as problem:
            problems.append(str(problem))
        else:
            read.append((path, record))
    if problems:
        raise RecordError("; ".join(problems))
    scorer = ZeroShotClassifier(model, prompt_set, ensemble=ensemble.value, absent_weight=absent_weight)
    scores = scorer.decision_function([record for _, record in read])
    codes = list(prompt_set.classes)
    if as_json:
        rows = ({code: round(float(s), 6) for code, s in zip(codes, row, strict=True)} for row in scores)
        print_json([{"record": path, "scores": row} for (path, _), row in zip(read, rows, strict=True)])
        return
    for (path, record), row in zip(read, scores, strict=True):
        leads = f"{len(record.leads)} leads, {record.seconds:g} s at {record.sampling_rate:g} Hz"
        print(f"{path} ({leads})")  # not the table's title, which would break a long path
        table = Table("class", "name", "score" if absent_weight else "cosine", box=None)
        for position in row.argsort()[::-1]:
            table.add_row(codes[position], prompt_set.classes[codes[position]].name, f"{row[position]:+.3f}")
        out().print(table, "")
    less = f", less {absent_weight:g} of that with prompts against the class," if absent_weight else ","
    print(
        f"Scores are cosines between ECG and prompts{less} not probabilities."
        " For research. Not a medical device."
    )


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
    report: Annotated[
        Path | None, typer.Option(help="Write the report here: one HTML file to read, print and send.")
    ] = None,
    figures: Figures = None,
) -> None:
    """Measure prompt sets on labelled ECGs: AUROC with intervals, and paired differences."""
    from merl.checkpoints import load_model
    from merl.datasets.tasks import get_task
    from merl.evaluation.run import evaluate as run
    from merl.evaluation.table import print_result
    from merl.files import check_writable
    from merl.report.citing import with_knowledge

    get_task(task)
    stand_ins = _pairs(lead_as or [])
    if json_file:
        check_writable(json_file)
    check_report(report, figures)
    model = load_model(checkpoint)
    with progress("embedding ECGs") as shown:
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
            evidence=bool(json_file or report or figures),
            progress=shown,
        )
        result = with_knowledge(result, encoder=model.text_encoder, progress=shown)
    if json_file:
        result.save(json_file)
        note(f"result written to {json_file}")
    write_report(result, report, figures)
    if result.missing_records:
        note(f"{result.missing_records} records were left out since files of theirs are missing")
    print_result(result)


def _pairs(given: list[str]) -> dict[str, str]:
    pairs = dict(item.partition("=")[::2] for item in given)
    if odd := [lead for lead, other in pairs.items() if not lead or not other]:
        raise UsageError(f"--lead-as {odd[0]!r} names no two leads; write MLII=II")
    return pairs
