"""How phrases of each role should weigh in a class's embedding: the choice behind ``ROLE_WEIGHTS``.

    python benchmarks/role_weights.py PTB-XL        # fold 9; prints macro AUROC x100 of the knowledge sets

One setting for all tasks together; labels are used, so figures on fold 9 with the chosen weights are a little
optimistic.
"""

from __future__ import annotations

import sys

import numpy as np

from merl.checkpoints import load_model
from merl.ckepe.prompt_set import PromptSet
from merl.datasets.tasks import TASKS, load_task
from merl.evaluation.embeddings import record_embeddings
from merl.evaluation.metrics import auroc, macro
from merl.zeroshot import class_embeddings

CANDIDATES = [  # name, synonym, subtype, finding
    (1, 0, 0, 0),
    (1, 1, 1, 1),
    (1, 1, 1, 0),
    (1, 1, 1, 0.2),
    (2, 1, 0.5, 0.2),
    (3, 1, 0.5, 0.2),
]


def main(data: str) -> None:
    model = load_model()
    tasks = [load_task(name, data, "val") for name in TASKS]
    ecgs = [record_embeddings(model, task) for task in tasks]
    sets = [PromptSet.find("knowledge", task.task) for task in tasks]
    print(
        "name synonym subtype finding | "
        + " ".join(task.task.removeprefix("ptbxl-") for task in tasks)
        + " mean"
    )
    for weights in CANDIDATES:
        roles = dict(zip(("name", "synonym", "subtype", "finding"), weights, strict=True))
        roles["criterion"] = roles["finding"]
        means = []
        for task, ecg, prompts in zip(tasks, ecgs, sets, strict=True):
            scores = ecg @ class_embeddings(model, prompts, role_weights=roles).numpy().T
            means.append(100 * macro(auroc(scores, task.labels), task.labels.sum(0)))
        print(*weights, "|", *(f"{value:.1f}" for value in means), f"{np.mean(means):.1f}")


if __name__ == "__main__":
    main(sys.argv[1])
