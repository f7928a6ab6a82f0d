"""The figures of the README, the model card and the benchmarks are those of the same measurement."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TASKS = ("ptbxl-super", "ptbxl-sub", "ptbxl-form", "ptbxl-rhythm")
SETS = ("plain", "knowledge")


def rows(page):
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]


def percents(text):
    return tuple(float(figure) for figure in re.findall(r"\d+\.\d+", text))


def of_readme():
    found = {row[0]: row[2:4] for row in rows("README.md") if row[0] in TASKS}
    return {(task, name): percents(found[task][i]) for task in TASKS for i, name in enumerate(SETS)}


def of_model_card():
    page = rows("merl/weights/ptbxl-r18-100hz/README.md")
    return {(row[0], row[2]): percents(row[3]) for row in page if row[1] == "all"}


def of_matrix():
    page = rows("benchmarks/matrix.md")
    header = next(row for row in page if "prompt set" in row)
    first = [next(row for row in page if row[1] == name) for name in SETS]
    return {
        (task, name): tuple(round(100 * figure, 1) for figure in percents(row[header.index(task)]))
        for name, row in zip(SETS, first, strict=True)
        for task in TASKS
    }


@pytest.mark.parametrize("other", [of_model_card, of_matrix])
def test_the_readme_says_what_was_measured(other):
    assert of_readme() == other()
