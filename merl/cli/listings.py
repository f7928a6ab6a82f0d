"""``merl tasks`` and ``merl models``: what there is."""

from __future__ import annotations

from merl.cli.console import out


def tasks() -> None:
    """List the tasks that can be evaluated."""
    from rich.table import Table

    from merl.datasets.tasks import TASKS
    from merl.label_sets import load_label_set

    table = Table("task", "data set", "classes", "test records", "what", box=None, pad_edge=False)
    for task in TASKS.values():
        classes = str(len(load_label_set(task.name).classes))
        table.add_row(task.name, task.dataset, classes, task.test, task.description)
    out().print(table, "")
    folds = {task.dataset: task.published.folds for task in TASKS.values()}
    for dataset, words in folds.items():
        print(f"folds of {dataset} are {words}")


def models() -> None:
    """List the shipped models and the ECG encoders."""
    from rich.table import Table

    from merl.checkpoints import read_config, shipped_models
    from merl.encoders.registry import ENCODERS

    table = Table("model", "encoder", "input", "trained on", box=None, pad_edge=False)
    for name, folder in shipped_models().items():
        config = read_config(folder)
        spec, seen = config.spec, config.training
        table.add_row(
            name,
            config.encoder,
            f"{len(spec.leads)} leads, {spec.seconds:g} s at {spec.sampling_rate:g} Hz",
            f"{seen.dataset}{_folds(seen.folds)}, {seen.records} records" if seen else "unknown",
        )
    out().print(table)
    print(f"\nencoders: {', '.join(ENCODERS)}")


def _folds(folds: tuple[int, ...]) -> str:
    return f" folds {min(folds)}-{max(folds)}" if folds else ""
