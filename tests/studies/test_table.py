import pytest

from merl.evaluation.comparison import measure, prompt_set_result
from merl.studies.result import Classes, Row, Score, StudyResult
from merl.studies.table import markdown, table

AXES = {"encoder": "cnn", "text": "MiniLM", "share": "1", "start": "scratch", "texts": "whole"}


@pytest.fixture
def result():
    labels = [[True], [True], [False], [False]]
    measured = measure({"m": [[3.0], [1.0], [2.0], [0.0]]}, labels, [1, 2, 3, 4], ["A"], resamples=20)
    figures = prompt_set_result(measured, "m", sha256="0", class_names={"A": "a"})
    score = Score(evaluation="fold 9", group="seen", n_records=4, n_patients=4, n_classes=1, figures=figures)
    empty = score.model_copy(update={"group": "unseen", "n_classes": 0, "figures": None})
    facts = {"method": "zero-shot", "n_training": 1234, "epochs": 2, "seconds": 1.0, "sha256": "0"}
    rows = [
        Row(axes=AXES | {"encoder": name}, scores=[score, empty], **facts) for name in ("cnn", "resnet18")
    ]
    classes = Classes(seen={"A": "a"}, unseen={"B": "b"}, neither={"C": "takes in an unseen class"})
    return StudyResult(name="s", config={}, rows=rows, classes=classes, versions={})


def test_only_axes_that_vary_are_shown(result):
    headings, lines = table(result)
    assert headings == [
        "model", "ECG encoder", "trained on", "epochs", "scored on", "classes", "n",
        "AUROC", "AUROC (10+)", "average precision",
    ]  # fmt: skip
    assert len(lines) == 4
    assert lines[0][:7] == ["zero-shot", "cnn", "1,234", "2", "fold 9", "1 seen", "4"]
    assert lines[0][7].startswith("75.0 [")
    assert lines[0][8] == "-"  # no class has ten positives
    assert lines[1][4:] == ["fold 9", "0 unseen", "4", "-", "-", "-"]
    assert lines[2][1] == "resnet18"


def test_markdown_says_which_classes_are_which(result):
    text = markdown(result)
    assert text.count("|---") == 10
    assert "| unseen class," not in text  # none of them has a positive
    assert "Unseen: b." in text
    assert "Seen: a." in text
    assert "Neither: C takes in an unseen class." in text


def test_unseen_classes_are_shown_one_by_one(result):
    rows = [
        row.model_copy(update={"scores": [row.scores[0].model_copy(update={"group": "unseen"})]})
        for row in result.rows
    ]
    lines = markdown(result.model_copy(update={"rows": rows})).splitlines()
    assert "| unseen class, fold 9 | positives | zero-shot, cnn | zero-shot, resnet18 |" in lines
    assert lines[-1].startswith("| a | 2 | 75.0 [")
