from __future__ import annotations

import pytest

from merl.studies.config import StudyConfig

#: Two leads, two seconds, a batch of some records of ``tiny_ptbxl``: three a fold.
SMALL = {
    "schema": "merl/study/v1",
    "name": "small",
    "pretraining": {
        "embed_dim": 8,
        "spec": {"leads": ["I", "II"], "sampling_rate": 50, "seconds": 2},
        "folds": [1, 2, 3, 4, 5, 6],
        "epochs": 1,
        "batch_size": 4,
        "precision": "fp32",
    },
    "axes": {"encoder": ["cnn"]},
    "evaluations": [{"name": "rhythm", "task": "ptbxl-rhythm"}],
    "bootstrap": 20,
}
UNSEEN = {"AFIB": {"name": "atrial fibrillation", "concepts": ["AFIB"]}}
BY_CONCEPT = {"name": "fold 9", "statements": "ptbxl-all"}


@pytest.fixture
def study():
    """A function that makes a small study, with changes."""

    def make(**changes: object) -> StudyConfig:
        return StudyConfig.model_validate(SMALL | changes)

    return make
