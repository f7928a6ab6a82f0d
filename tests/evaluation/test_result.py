import io
import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from merl.ckepe.prompt_set import PromptSet
from merl.errors import DataError
from merl.evaluation.matrix_result import MatrixResult
from merl.evaluation.result import Result, Validation
from merl.evaluation.run import evaluate
from merl.evaluation.table import print_result
from tests.evaluation.toy_task import CLASSES, FakeModel, install, toy_task
from tests.report.comparisons import compare


@pytest.fixture
def result(tmp_path, monkeypatch):
    monkeypatch.setenv("MERL_CACHE", str(tmp_path / "cache"))
    task = toy_task(tmp_path)
    labels = np.column_stack([task.labels, np.zeros(12, bool)])
    install(monkeypatch, replace(task, classes=("SR", "AFIB", "VT"), labels=labels))
    names = {"SR": "sinus rhythm", "AFIB": "atrial fibrillation", "VT": "nothing seen"}
    useless = PromptSet.plain({code: f"nothing [{code}]" for code in names}).model_copy(
        update={"name": "useless"}
    )
    model = FakeModel(training={"dataset": "Toy", "folds": (1,)})
    return evaluate(
        task.task, data=tmp_path, prompts=[useless, PromptSet.plain(names)], model=model, bootstrap=50
    )


def test_an_undefined_class_is_null_and_not_nan(result, tmp_path):
    result.save(tmp_path / "result.json")
    assert "NaN" not in (tmp_path / "result.json").read_text()
    assert Result.load(tmp_path / "result.json").prompt_sets[0].per_class["VT"].auroc is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot read"),
        (" ", "it is empty; expected"),
        ("{}", "task: field required"),
        ('{"extra": 1}', "unknown key 'extra'"),
    ],
)
def test_a_file_that_is_no_result_is_refused(tmp_path, text, message):
    path = tmp_path / "result.json"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        Result.load(path)


def without_a_class(data):
    del data["prompt_sets"][1]["per_class"]["B"]


def without_an_ecg(data):
    del data["evidence"]["ecgs"][data["evidence"]["examples"]["B"]["best"][0]["record"]]


def without_examples(data):
    del data["evidence"]["examples"]["B"]


def without_phrases(data):
    del data["evidence"]["prompt_sets"]["mine"]["classes"]["B"]


def without_a_set(data):
    del data["prompt_sets"][1]


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (without_a_class, "'mine' is scored on other classes than 'plain'"),
        (without_an_ecg, "that is an example of 'B' is missing"),
        (without_examples, "the evidence of 'plain' and the examples are of different classes"),
        (without_phrases, "the evidence of 'mine' and the examples are of different classes"),
        (without_a_set, "'plain' and 'mine' are compared, but not both are scored so"),
    ],
)
def test_parts_that_disagree_are_refused(tmp_path, spoil, sentence):
    data = json.loads(compare(["A", "B"], {"plain": 1, "mine": 2}).model_dump_json())
    spoil(data)
    data["versions"] = {}
    (tmp_path / "result.json").write_text(json.dumps(data))
    with pytest.raises(DataError, match=sentence):
        Result.load(tmp_path / "result.json")


@pytest.mark.parametrize("kind", [Result, MatrixResult])
def test_what_another_version_wrote_is_said_so(tmp_path, kind):
    data = {"versions": {"merl": "99.1"}, "kappa": 1}
    (tmp_path / "result.json").write_text(json.dumps({"results": [data]} if kind is MatrixResult else data))
    with pytest.raises(
        DataError, match=r"was written by merl 99\.1 and cannot be read by merl .*; use the same"
    ):
        kind.load(tmp_path / "result.json")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="there is no result"):
        Result.load(tmp_path / "none.json")
    with pytest.raises(DataError, match="is a folder; name a result in it"):
        Result.load(tmp_path)


def test_the_table_says_all_that_a_reader_must_know(result):
    page = io.StringIO()
    print_result(result, Console(width=200, file=page))
    text = page.getvalue()
    for said in (
        "12 records of 6 patients",
        "split val",
        "plain - useless",
        "+0.500",
        "* VT: no positives among 12 records; left out of every mean",
        "nothing [AFIB]",  # brackets in a name are no markup
        "In distribution: the model was pretrained on Toy, folds 1",
        "labels fixed (exact codes)",
        "average precision",
        "nearest text",
        "threshold",
        "Brier score",
        "on the 12 records with exactly one label",
        "for each fifth of the patients",
        "Not a medical device",
    ):
        assert said in text


def test_where_labels_and_records_come_from_is_printed(result):
    odd = result.model_copy(
        update={"labels": "merl-compat", "lead_as": {"MLII": "II"}, "missing_records": 3, "leads": ("II",)}
    )
    page = io.StringIO()
    print_result(odd, Console(width=200, file=page))
    for said in (
        "labels merl-compat (MERL's release)",
        "MLII taken for II",
        "3 records left out since files of theirs are missing",
        "seen in II only",
    ):
        assert said in page.getvalue()


def test_missing_thresholds_are_explained(result):
    without = [
        item.model_copy(update={"thresholded": None, "probabilities": None, "calibration": None})
        for item in result.prompt_sets
    ]
    note = Validation(note="no record of the split val")
    page = io.StringIO()
    print_result(
        result.model_copy(update={"prompt_sets": without, "validation": note}), Console(width=200, file=page)
    )
    assert "No thresholds and no probabilities: no record of the split val." in page.getvalue()
    assert "Brier" not in page.getvalue()


def test_a_hundred_columns_hold_every_digit(result):
    page = io.StringIO()
    print_result(result, Console(width=100, file=page))
    assert max(map(len, page.getvalue().splitlines())) <= 100
    assert "\u2026" not in page.getvalue()


def test_a_result_of_before_reads_on(result, tmp_path):
    new = {
        "macro_average_precision",
        "average_precision_interval",
        "macro_average_precision_min10",
        "average_precision_interval_min10",
        "nearest",
        "thresholded",
        "probabilities",
        "calibration",
    }
    old = json.loads(result.model_dump_json(exclude={"validation"}))
    for item in old["prompt_sets"]:
        for key in new:
            del item[key]
        for one in item["per_class"].values():
            del one["average_precision"], one["average_precision_interval"]
    del old["comparisons"][0]["average_precision"]
    (tmp_path / "old.json").write_text(json.dumps(old))
    page = io.StringIO()
    print_result(Result.load(tmp_path / "old.json"), Console(width=100, file=page))
    assert "plain - useless" in page.getvalue()


def test_another_way_of_scoring_is_in_the_result_and_on_the_page(tmp_path, monkeypatch):
    monkeypatch.setenv("MERL_CACHE", str(tmp_path / "cache"))
    task = toy_task(tmp_path)
    install(monkeypatch, task)
    made = evaluate(
        task.task,
        data=tmp_path,
        prompts=[PromptSet.plain(CLASSES)],
        model=FakeModel(),
        bootstrap=20,
        ensemble="max",
        absent_weight=0.25,
        contrast=0.5,
    )
    made.save(tmp_path / "result.json")
    read = Result.load(tmp_path / "result.json")
    assert (read.ensemble, read.absent_weight, read.contrast) == ("max", 0.25, 0.5)
    page = io.StringIO()
    print_result(read, Console(width=200, file=page))
    assert (
        "Not the default scoring: ensemble max, phrases against it with weight 0.25, contrast 0.5."
        in page.getvalue()
    )
