"""``merl probe`` and ``merl transfer``: what labels add to an encoder that was pretrained without them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from merl.cli.console import note, progress, refuse_without, stoppable
from merl.cli.scoring_options import DEFAULT_MODEL, Checkpoint, LeadAs, lead_pairs
from merl.errors import UsageError, unknown

if TYPE_CHECKING:
    from merl.evaluation.probe import ProbeResult
    from merl.evaluation.transfer import TransferResult
    from merl.overlap import Overlap


class HeldOut(StrEnum):
    """What a probe is scored on: val to choose, test once at the end."""

    val = "val"
    test = "test"


class Layer(StrEnum):
    """Where features are taken."""

    encoder = "encoder"
    embedding = "embedding"


Seeds = Annotated[int, typer.Option(help="How many times a share of the labels is drawn.")]
HowMany = Annotated[int, typer.Option(help="Bootstrap resamples of patients.")]
From = Annotated[
    Layer,
    typer.Option("--features", help="The encoder's output averaged over time, or its embedding among texts."),
]
AllowMissing = Annotated[
    bool, typer.Option("--allow-missing", help="Leave out records that are missing or damaged.")
]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Write the result here as JSON.")]


@stoppable("the same command goes on, for the features found so far are kept")
def probe(
    context: typer.Context,
    task: Annotated[str, typer.Argument(help="A task (merl tasks lists them).")],
    *,
    data: Annotated[Path, typer.Option(help="The data set's folder.")],
    fraction: Annotated[
        list[float] | None,
        typer.Option(help="Share of the training labels; repeat it. 0.01, 0.1 and 1 if not given."),
    ] = None,
    checkpoint: Checkpoint = DEFAULT_MODEL,
    split: Annotated[HeldOut, typer.Option(help="val to choose, test once at the end.")] = HeldOut.val,
    seeds: Seeds = 3,
    features: From = Layer.encoder,
    fine_tune: Annotated[
        bool, typer.Option("--fine-tune", help="Train the whole encoder on the labels too.")
    ] = False,
    epochs: Annotated[int, typer.Option(min=1, help="Of fine-tuning.")] = 20,
    batch_size: Annotated[int, typer.Option(min=2, help="Of fine-tuning.")] = 32,
    learning_rate: Annotated[float, typer.Option(min=1e-9, help="Of fine-tuning.")] = 5e-4,
    bootstrap: HowMany = 1000,
    lead_as: LeadAs = None,
    allow_missing: AllowMissing = False,
    json_file: JsonFile = None,
) -> None:
    """Learn a task from a share of its labels on frozen ECG features.

    Beside it stand plain prompts without any label, and a random encoder.
    Labels are drawn by patients, so that rare classes keep a positive. The
    penalty is chosen within them (val) or on the validation split (test).
    """
    from merl.checkpoints import load_model
    from merl.datasets.tasks import get_task
    from merl.evaluation.fine_tuning import FineTuning
    from merl.evaluation.probe import FRACTIONS
    from merl.evaluation.probe import probe as run
    from merl.evaluation.probe_table import print_probe
    from merl.files import check_outputs

    get_task(task)
    check_outputs(json_file)
    if not fine_tune:
        refuse_without(context, "--fine-tune", "epochs", "batch_size", "learning_rate")
    if fraction and len(set(fraction)) < len(fraction):
        raise UsageError("a --fraction is given twice; give each once")
    tuning = FineTuning(epochs=epochs, batch_size=batch_size, learning_rate=learning_rate)
    with progress("reading labels") as report:
        result = run(
            task,
            data=data,
            model=load_model(checkpoint),
            fractions=fraction or FRACTIONS,
            seeds=seeds,
            split=split.value,
            layer=features.value,
            fine_tuning=tuning if fine_tune else None,
            bootstrap=bootstrap,
            lead_as=lead_pairs(lead_as or []),
            allow_missing=allow_missing,
            progress=report,
        )
    _keep(result, json_file)
    if result.missing_records:
        note(f"{result.missing_records} records were left out since files of theirs are missing")
    print_probe(result)


class Part(StrEnum):
    """Which records of the target."""

    val = "val"
    test = "test"
    all = "all"


@stoppable("the same command goes on, for the features found so far are kept")
def transfer(
    *,
    source: Annotated[str, typer.Option(metavar="TASK", help="The task that the probe learns.")],
    target: Annotated[str, typer.Option(metavar="TASK", help="The task that it is scored on.")],
    data: Annotated[
        list[str],
        typer.Option(metavar="DIR|NAME=DIR", help="A folder with both data sets, or that of one; repeat it."),
    ],
    checkpoint: Checkpoint = DEFAULT_MODEL,
    split: Annotated[Part, typer.Option(help="Of the target; all if it is another data set.")] = Part.val,
    prompts: Annotated[
        list[str] | None,
        typer.Option(help="Prompts of the target; repeat it. plain and knowledge if not given."),
    ] = None,
    overlap: Annotated[Path | None, typer.Option(help="YAML: which classes stand for which.")] = None,
    overlap_out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the overlap found here, to change it.")
    ] = None,
    fraction: Annotated[float, typer.Option(help="Share of the source's training labels.")] = 1.0,
    seeds: Seeds = 3,
    features: From = Layer.encoder,
    bootstrap: HowMany = 1000,
    lead_as: LeadAs = None,
    allow_missing: AllowMissing = False,
    json_file: JsonFile = None,
) -> None:
    """Score a probe that learnt one task's labels on another data set.

    Beside it stand prompts without any label. Which class stands for which
    comes from the codes and the kinds of the knowledge base.
    """
    from merl.checkpoints import load_model
    from merl.evaluation.transfer import transfer as run
    from merl.evaluation.transfer_table import print_transfer
    from merl.files import check_outputs

    check_outputs(json_file, overlap_out, inputs=[overlap, *(prompts or [])])
    found = _overlap(source, target, overlap)
    if overlap_out:
        found.save(overlap_out)
        note(f"overlap written to {overlap_out}")
    places = [_folder(data, task) for task in (source, target)]
    with progress("reading labels") as report:
        result = run(
            found,
            source_data=places[0],
            target_data=places[1],
            model=load_model(checkpoint),
            prompts=prompts or ["plain", "knowledge"],
            fraction=fraction,
            seeds=seeds,
            split=split.value,
            layer=features.value,
            bootstrap=bootstrap,
            lead_as=lead_pairs(lead_as or []),
            allow_missing=allow_missing,
            progress=report,
        )
    _keep(result, json_file)
    print_transfer(result)


def _keep(result: ProbeResult | TransferResult, file: Path | None) -> None:
    if file:
        result.save(file)
        note(f"result written to {file}")


def _overlap(source: str, target: str, path: Path | None) -> Overlap:
    """Read the overlap of two tasks, or find it in the knowledge base."""
    from merl.datasets.tasks import get_task
    from merl.knowledge.entries import load_entries
    from merl.knowledge.overlap import find_overlap
    from merl.label_sets import load_label_set
    from merl.overlap import Overlap

    sets = [load_label_set(get_task(task).name) for task in (source, target)]
    return Overlap.load(path, *sets) if path else find_overlap(sets[0], sets[1], load_entries())


def _folder(given: list[str], task: str) -> Path:
    """Return the folder of a task's data set among those given with its name or without."""
    from merl.datasets.catalogue import DATASETS
    from merl.datasets.tasks import get_task

    published = get_task(task).published
    named, unnamed = {}, []
    for item in given:
        name, _, folder = item.partition("=")
        if folder and not Path(item).exists():
            if name not in DATASETS:
                raise UsageError(f"--data {item}: {unknown('data set', name, DATASETS)}")
            named[name] = Path(folder)
        else:
            unnamed.append(Path(item))
    places = [named[published.key]] if published.key in named else unnamed
    if not places:
        raise UsageError(f"no folder of {published.name} is given; add --data {published.key}=DIR")
    return next((root for root in places if published.find(root)), places[0])
