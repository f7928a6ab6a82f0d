"""A task and a model readable by eye: each record and each phrase is a unit axis or lies between two."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import numpy as np

from merl.datasets.task_data import TaskData
from merl.errors import NoDataError, RecordError

AXES = {"sinus": (1.0, 0.0, 0.0), "fibrillation": (0.0, 1.0, 0.0), "nothing": (0.0, 0.0, 1.0)}
CLASSES = {"SR": "sinus rhythm", "AFIB": "atrial fibrillation"}


class FakeSpec:
    """Takes whatever a record is as its only window."""

    def __init__(self, sampling_rate=100.0, refuses=None):
        self.sampling_rate, self.refuses = sampling_rate, refuses

    def __repr__(self):
        return f"{self.sampling_rate} Hz"

    def windows(self, record):
        name, axis = record.split()
        if axis not in AXES or name == self.refuses:
            raise RecordError(f"record {name!r} is none; get it again")
        return axis


@dataclass
class FakeModel:
    name: str = "tiny"
    sha256: str | None = "ab" * 32
    spec: object = field(default_factory=FakeSpec)
    training: object = None
    encoded: list = field(default_factory=list)


def toy_task(folder, task="toy-rhythm", split="val", copies=1):
    """Twelve records of six patients in turn sinus and fibrillation; a record is the axis its file names."""
    count = 12 * copies
    names = tuple(f"{i:02d}" for i in range(count))
    for i, name in enumerate(names):
        (folder / f"{name}.hea").write_text("sinus" if i % 2 == 0 else "fibrillation")
    return TaskData(
        task=task,
        dataset="Toy",
        split=split,
        classes=("SR", "AFIB"),
        labels=np.array([[i % 2 == 0, i % 2 == 1] for i in range(count)]),
        patients=np.arange(count) // 2,
        split_patients=np.arange(count // 2),
        names=names,
        paths=tuple(folder / name for name in names),
        rows=np.zeros(count, int),
        reader=lambda path, _row: f"{path.name} {path.with_suffix('.hea').read_text()}",
    )


def install(monkeypatch, *tasks, absent=()):
    """Put toy tasks, in whatever split is asked for, and a scoring by axes where the run imports them.

    Returns the splits that are loaded, as they are.
    """
    from merl.zeroshot import EmbeddedPrompts

    known = {task.task: task for task in tasks}
    published = SimpleNamespace(folder=lambda data: data)
    listed = {name: SimpleNamespace(name=name, published=published, official=None) for name in known}
    loaded = []

    def load_task(name, data, split, **options):
        if split in absent:
            raise NoDataError(f"no record of the split {split}")
        loaded.append(split)
        return replace(known[name], split=split)

    def embed_windows(model, records, *, progress=None):
        rows = []
        for record in records:
            model.encoded.append(record)
            rows.append(AXES[record])
            if progress:
                progress(len(rows))
        return np.array(rows, np.float32)

    def embed_prompts(model, prompt_set, **scoring):
        texts = [entry.present[0] for entry in prompt_set.classes.values()]
        rows = [np.array([next(axis for word, axis in AXES.items() if word in text)]) for text in texts]
        return EmbeddedPrompts(rows, [None] * len(rows))

    monkeypatch.setattr("merl.datasets.tasks.load_task", load_task)
    monkeypatch.setattr("merl.datasets.tasks.TASKS", listed)
    monkeypatch.setattr("merl.embedding.embed_windows", embed_windows)
    monkeypatch.setattr("merl.zeroshot.embed_prompts", embed_prompts)
    return loaded
