import csv
import io
import json

import numpy as np
import pytest
from rich.console import Console

from merl.ckepe.prompt_set import PromptSet
from merl.errors import DataError, RecordError, UsageError
from merl.evaluation.matrix import evaluate_matrix
from merl.evaluation.matrix_export import write_csv, write_markdown
from merl.evaluation.matrix_result import MatrixResult
from merl.evaluation.matrix_table import print_matrix
from merl.evaluation.run import evaluate
from tests.evaluation.toy_task import CLASSES, FakeModel, FakeSpec, install, toy_task

TASKS = ("toy-rhythm", "toy-form")


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """Two tasks on the same records, with a folder of prompts that help and one of prompts that do not."""
    monkeypatch.setenv("MERL_CACHE", str(tmp_path / "cache"))
    (tmp_path / "records").mkdir()
    install(monkeypatch, *(toy_task(tmp_path / "records", task) for task in TASKS))
    for name, phrases in {"good": CLASSES, "useless": {"SR": "nothing", "AFIB": "nothing at all"}}.items():
        for task in TASKS:
            made = PromptSet.plain(phrases).model_copy(update={"label_set": task})
            made.save(tmp_path / "sets" / name / f"{task}.yaml")
    return tmp_path


def run(toy, *models, tasks="all", sets=("useless", "good"), **options):
    return evaluate_matrix(
        tasks,
        data=toy,
        prompts=[toy / "sets" / name for name in sets],
        models=models or [FakeModel()],
        bootstrap=50,
        **options,
    )


def text(matrix, width=100):
    page = io.StringIO()
    print_matrix(matrix, Console(width=width, file=page))
    return page.getvalue()


def test_every_cell_is_what_evaluate_says(toy):
    matrix = run(toy)
    assert [result.task for result in matrix.results] == list(TASKS)
    alone = evaluate(
        "toy-form", data=toy, prompts=[toy / "sets" / "useless", toy / "sets" / "good"],
        model=FakeModel(), bootstrap=50,
    )  # fmt: skip
    assert matrix.results[1] == alone
    assert [item.name for item in alone.prompt_sets] == ["useless", "good"]


def test_whatever_differs_in_one_thing_is_compared(toy):
    models = [FakeModel("one"), FakeModel("two", sha256="cd" * 32)]
    matrix = run(toy, *models, ensembles=["mean", "max"])
    found = [(pair.kind, pair.a.prompt_set, pair.b.prompt_set) for pair in matrix.comparisons]
    assert found.count(("prompt sets", "useless", "good")) == 4
    assert [kind for kind, *_ in found].count("checkpoints") == 4
    assert [kind for kind, *_ in found].count("ensembles") == 4
    for pair in matrix.comparisons:
        a, b = pair.a.model_dump(), pair.b.model_dump()
        assert sum(a[part] != b[part] for part in a) == 1
        assert list(pair.per_task) == list(TASKS)


def test_means_and_their_family(toy, monkeypatch, tmp_path):
    tasks = []
    for name in TASKS:
        (tmp_path / name).mkdir()
        task = toy_task(tmp_path / name, name, copies=5)
        tasks.append(task)
    install(monkeypatch, *tasks)
    matrix = run(toy)
    assert matrix.averaged == list(TASKS)
    assert [(mean.prompt_set, mean.macro_auroc) for mean in matrix.means] == [("useless", 0.5), ("good", 1.0)]
    (pair,) = matrix.comparisons
    assert pair.mean.difference == 0.5
    assert pair.mean.p_holm == pair.mean.p_value  # a family of one
    gap = pair.per_task["toy-form"]
    assert gap.p_holm == pytest.approx(2 * gap.p_value)  # of two tasks
    assert "mean" in text(matrix)


def test_tasks_without_ten_positives_are_shown_and_not_averaged(toy):
    matrix = run(toy)  # six positives a class
    assert matrix.averaged == matrix.means == []
    assert matrix.comparisons[0].mean is None


def test_a_run_that_stops_goes_on(toy, monkeypatch):
    from merl.evaluation import cell_making

    judge, judged = cell_making.judge, []

    def stop_at_the_fourth(*given, **options):
        if len(judged) == 3:
            raise KeyboardInterrupt
        judged.append(given)
        return judge(*given, **options)

    monkeypatch.setattr(cell_making, "judge", stop_at_the_fourth)
    with pytest.raises(KeyboardInterrupt):
        run(toy)
    monkeypatch.setattr(cell_making, "judge", judge)
    said = []
    matrix = run(toy, finished=said.append)
    assert said == [
        "toy-rhythm: 12 records, 2 cells, 2 of them finished before",
        "toy-form: 12 records, 2 cells, 1 of them finished before",
    ]
    monkeypatch.setattr(cell_making, "judge", None)  # nothing is left to do
    assert run(toy) == matrix


@pytest.mark.parametrize(
    "change", [{"bootstrap": 51}, {"seed": 1}, {"absent_weight": 0.1}, {"contrast": 0.5}, {"split": "test"}]
)
def test_a_cell_serves_nothing_else(toy, change):
    run(toy)
    said = []
    options = {"bootstrap": 50, "split": "val", **change}
    evaluate_matrix(
        TASKS[0], data=toy, prompts=[toy / "sets/good"], models=[FakeModel()], finished=said.append, **options
    )
    assert "before" not in said[0]


def test_a_changed_record_or_prompt_makes_its_cells_anew(toy):
    run(toy)
    said = []
    (toy / "records" / "00.hea").write_text("fibrillation")
    assert run(toy, finished=said.append).results[0].prompt_sets[1].macro_auroc < 1
    assert "before" not in said[0]
    changed = PromptSet.plain(CLASSES | {"SR": "sinus"}).model_copy(update={"label_set": TASKS[0]})
    changed.save(toy / "sets" / "good" / f"{TASKS[0]}.yaml")
    run(toy, finished=said.append)
    assert said[2:] == [
        "toy-rhythm: 12 records, 2 cells, 1 of them finished before",
        "toy-form: 12 records, 2 cells, 2 of them finished before",
    ]


def test_a_damaged_cell_is_made_anew(toy):
    matrix = run(toy)
    for path in (toy / "cache" / "cells").iterdir():
        path.write_bytes(path.read_bytes()[:100])
    assert run(toy) == matrix


def test_what_cannot_be_scored_is_left_out_and_said(toy, monkeypatch):
    (toy / "records" / "03.hea").write_text("noise")
    with pytest.raises(
        DataError, match=r"no task can be evaluated: toy-rhythm: 1 of 12 records .*; toy-form: 1 of 12"
    ):
        run(toy)
    with pytest.raises(RecordError):
        run(toy, tasks=TASKS)  # a task that was named
    matrix = run(toy, allow_missing=True)
    assert matrix.results[0].missing_records == 1
    assert "1 records left out, missing or damaged" in text(matrix)
    (toy / "sets" / "good" / "toy-form.yaml").unlink()
    matrix = run(toy, allow_missing=True)
    (left_out,) = matrix.left_out
    assert (left_out.task, left_out.failed) == ("toy-form", False)
    assert "good has no toy-form.yaml" in left_out.reason


def test_a_faulty_task_is_a_failure_and_the_others_are_scored(toy, monkeypatch, tmp_path):
    (tmp_path / "other").mkdir()
    other = toy_task(tmp_path / "other", "toy-form")
    install(monkeypatch, toy_task(toy / "records"), other)
    (tmp_path / "other" / "03.hea").write_text("noise")
    matrix = run(toy)
    assert [result.task for result in matrix.results] == ["toy-rhythm"]
    assert [(item.task, item.failed) for item in matrix.left_out] == [("toy-form", True)]
    assert "toy-form (FAILED)" in text(matrix)


def test_what_one_checkpoint_cannot_use_is_left_out_for_all(toy):
    picky = FakeModel("picky", sha256="cd" * 32, spec=FakeSpec(refuses="00"))
    matrix = run(toy, FakeModel(), picky, tasks=TASKS[0], allow_missing=True)
    assert [result.n_records for result in matrix.results] == [11, 11]
    assert [result.missing_records for result in matrix.results] == [1, 1]


def test_checkpoints_of_one_name_are_told_apart(toy):
    matrix = run(toy, FakeModel(), FakeModel(sha256="cd" * 32), tasks=TASKS[0])
    assert [result.checkpoint.name for result in matrix.results] == ["tiny@abababab", "tiny@cdcdcdcd"]


def test_wrong_requests(toy):
    with pytest.raises(UsageError, match="the checkpoint tiny is given twice"):
        run(toy, FakeModel(), FakeModel())
    with pytest.raises(UsageError, match="the ensemble mean is given twice"):
        run(toy, ensembles=["mean", "mean"])
    with pytest.raises(
        UsageError, match=r"good/toy-form.yaml is one prompt set, and every task needs its own"
    ):
        run(toy, sets=["good/toy-form.yaml"])
    with pytest.raises(UsageError, match="unknown task 'toy-rythm'; did you mean 'toy-rhythm'"):
        run(toy, tasks=["toy-rythm"])
    with pytest.raises(UsageError, match="unknown prompt file or shipped set"):
        run(toy, sets=["nothing"])


def test_json_csv_and_markdown_hold_the_figures(toy, tmp_path):
    matrix = run(toy, FakeModel(), FakeModel("two", sha256="cd" * 32))
    matrix.save(tmp_path / "m.json")
    assert MatrixResult.load(tmp_path / "m.json") == matrix
    assert "NaN" not in json.dumps(json.loads((tmp_path / "m.json").read_text()))
    write_csv(matrix, tmp_path / "m.csv")
    with (tmp_path / "m.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 8
    assert {row["macro_auroc"] for row in rows if row["prompt_set"] == "good"} == {"1.0"}
    write_markdown(matrix, tmp_path / "m.md")
    page = (tmp_path / "m.md").read_text()
    assert "| tiny | good | 1.000 [" in page
    assert "| good - useless (two) | +0.500 [" in page
    assert all(line.count("|") == page.splitlines()[4].count("|") for line in page.splitlines()[4:10])


@pytest.mark.parametrize(
    ("content", "message"), [("{", "cannot read"), ("{}", "results: field required"), (None, "no result")]
)
def test_a_file_that_is_no_matrix_is_refused(tmp_path, content, message):
    if content is not None:
        (tmp_path / "m.json").write_text(content)
    with pytest.raises(DataError, match=message):
        MatrixResult.load(tmp_path / "m.json")


@pytest.mark.parametrize("width", [80, 120])
def test_the_page_fits_and_says_what_a_reader_must_know(toy, width):
    said = text(run(toy, FakeModel(training={"dataset": "Toy", "folds": (1,)})), width)
    assert max(map(len, said.splitlines())) <= width
    assert "…" not in said
    for words in (
        "2 tasks x 2 prompt sets (useless, good)",
        "good - useless",
        "+0.500",
        "In distribution: tiny",
    ):
        assert words in " ".join(said.split())


def test_positions_do_not_matter(toy):
    there, back = run(toy), run(toy, sets=("good", "useless"))
    assert there.comparisons[0].per_task["toy-form"].difference == pytest.approx(
        -back.comparisons[0].per_task["toy-form"].difference
    )
    assert np.isclose(there.results[0].prompt_sets[0].macro_auroc, back.results[0].prompt_sets[1].macro_auroc)
