"""A task and a model readable by eye: each record and each phrase is a unit axis or lies between two."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from merl.errors import DataError

AXES = {"sinus": (1.0, 0.0, 0.0), "fibrillation": (0.0, 1.0, 0.0), "nothing": (0.0, 0.0, 1.0)}
CLASSES = {"SR": "sinus rhythm", "AFIB": "atrial fibrillation"}


@dataclass
class FakeModel:
    name: str = "tiny"
    sha256: str | None = "ab" * 32
    spec: object = field(default_factory=lambda: SimpleNamespace(sampling_rate=100.0))
    training: object = None
    encoded: list = field(default_factory=list)


@dataclass
class FakeTask:
    """Twelve records of six patients in turn sinus and fibrillation; a record is the axis its file names."""

    folder: Path
    task: str = "toy-rhythm"
    dataset: str = "Toy"
    split: str = "val"
    classes: tuple = ("SR", "AFIB")
    leads: tuple | None = None
    lead_as: dict = field(default_factory=dict)
    truth: str = "fixed"
    missing: tuple = ()
    absent: tuple = ()
    loaded: list = field(default_factory=list)

    def __post_init__(self):
        self.names = tuple(f"{i:02d}" for i in range(12))
        self.paths = tuple(self.folder / name for name in self.names)
        self.labels = np.array([[i % 2 == 0, i % 2 == 1] for i in range(12)])
        self.patients = np.arange(12) // 2
        for i, path in enumerate(self.paths):
            path.with_suffix(".hea").write_text("sinus" if i % 2 == 0 else "fibrillation")

    def read(self, index):
        return self.paths[index].with_suffix(".hea").read_text()


def install(monkeypatch, task):
    """Put the fake task, in whatever split is asked for, and a scoring by axes where the run imports them."""

    from merl.zeroshot import EmbeddedPrompts

    def embed_records(model, records, *, progress=None):
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

    def load_task(name, data, split, **options):
        if split in task.absent:
            raise DataError(f"no record of the split {split}")
        task.loaded.append(split)
        found = copy(task)
        found.split = split
        return found

    monkeypatch.setattr("merl.datasets.tasks.load_task", load_task)
    monkeypatch.setattr("merl.zeroshot.embed_records", embed_records)
    monkeypatch.setattr("merl.zeroshot.embed_prompts", embed_prompts)
