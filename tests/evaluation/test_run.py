import json
from dataclasses import replace

import pytest

from merl.ckepe.prompt_set import PromptSet, prompt_set_sha256
from merl.errors import NoDataError, PromptError, RecordError, UsageError
from merl.evaluation.result import Result
from merl.evaluation.run import evaluate
from tests.evaluation.toy_task import CLASSES, FakeModel, FakeSpec, install, toy_task


@pytest.fixture
def toy(tmp_path, monkeypatch):
    monkeypatch.setenv("MERL_CACHE", str(tmp_path / "cache"))
    task = toy_task(tmp_path)
    install(monkeypatch, task)
    return task


@pytest.fixture
def splits(toy, monkeypatch):
    """The splits that are loaded."""
    return install(monkeypatch, toy)


def prompts(name="plain", **phrases):
    made = PromptSet.plain(CLASSES | phrases)
    return made.model_copy(update={"name": name, "label_set": "toy-rhythm"})


def run(*sets, model=None, **options):
    return evaluate(
        "toy-rhythm", data="anywhere", prompts=sets, model=model or FakeModel(), bootstrap=50, **options
    )


def test_the_right_prompts_score_one_and_meaningless_ones_chance(toy):
    result = run(prompts("useless", SR="nothing", AFIB="nothing at all"), prompts())
    useless, plain = result.prompt_sets
    assert (useless.macro_auroc, plain.macro_auroc) == (0.5, 1.0)
    assert plain.per_class["AFIB"].positives == 6
    (pair,) = result.comparisons
    assert (pair.a, pair.b, pair.difference) == ("useless", "plain", 0.5)
    assert (result.n_records, result.n_patients, result.split) == (12, 6, "val")
    assert result.seeds == {"bootstrap": 0}
    assert plain.sha256 == prompt_set_sha256(prompts("other name"))


def test_thresholds_come_from_the_validation_fold_alone(splits):
    made = run(prompts(), split="test")
    assert splits == ["test", "val"]
    assert made.validation.held_out == "they were fitted on the split val"
    calibration = made.prompt_sets[0].calibration
    assert (calibration.split, calibration.n_records) == ("val", 12)
    assert calibration.checkpoint_sha256 == made.checkpoint.sha256
    assert calibration.prompts_sha256 == made.prompt_sets[0].sha256
    assert made.prompt_sets[0].thresholded.f1.value == 1
    assert made.prompt_sets[0].nearest.accuracy.value == 1


def test_the_validation_fold_itself_is_cut_by_patient(splits):
    made = run(prompts())
    assert splits == ["val"]
    assert "each fifth of the patients" in made.validation.held_out
    assert made.prompt_sets[0].thresholded.f1.value == 1


def test_where_there_is_no_fold_of_its_own_the_reason_is_said(toy, monkeypatch):
    assert "holds the validation fold" in run(prompts(), split="all").validation.note
    install(monkeypatch, toy, absent=("val",))
    made = run(prompts(), split="test")
    assert made.validation.note == "no record of the split val"
    assert made.prompt_sets[0].calibration is made.prompt_sets[0].thresholded is None
    assert made.prompt_sets[0].nearest.accuracy.value == 1


def test_one_set_has_no_comparison(toy):
    assert run(prompts()).comparisons == []


def test_columns_go_by_class_and_not_by_position(toy):
    turned = prompts()
    turned = turned.model_copy(update={"classes": dict(reversed(turned.classes.items()))})
    assert run(turned).prompt_sets[0].macro_auroc == 1.0


def test_the_same_seed_gives_the_same_file_and_it_reads_back(toy, tmp_path):
    sets = (prompts("useless", SR="nothing"), prompts())
    run(*sets, seed=3).save(tmp_path / "a.json")
    run(*sets, seed=3).save(tmp_path / "b.json")
    assert (tmp_path / "a.json").read_text() == (tmp_path / "b.json").read_text()
    assert Result.load(tmp_path / "a.json") == run(*sets, seed=3)
    assert "NaN" not in json.dumps(json.loads((tmp_path / "a.json").read_text()))


def test_records_are_encoded_once_and_again_when_a_file_changes(toy):
    model, calls = FakeModel(), []
    run(prompts(), model=model, progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (12, 12)
    run(prompts("again"), model=model)
    assert len(model.encoded) == 12
    toy.paths[0].with_suffix(".hea").write_text("fibrillation")
    assert run(prompts(), model=model).prompt_sets[0].macro_auroc < 1.0
    assert len(model.encoded) == 13


def test_a_second_task_of_the_split_encodes_only_what_is_new(toy, monkeypatch):
    model = FakeModel()
    run(prompts(), model=model)
    turned = replace(toy, names=toy.names[::-1], paths=toy.paths[::-1], labels=toy.labels[::-1])
    install(monkeypatch, turned)
    assert run(prompts(), model=model).prompt_sets[0].macro_auroc == 1.0
    assert len(model.encoded) == 12


@pytest.mark.parametrize("changed", [{"sha256": "cd" * 32}, {"spec": FakeSpec(50.0)}, {"sha256": None}])
def test_another_model_shares_no_embeddings(toy, changed):
    run(prompts())
    other = FakeModel(**changed)
    run(prompts(), model=other)
    assert len(other.encoded) == 12


def test_a_damaged_cache_is_made_anew(toy, tmp_path):
    run(prompts())
    (stored,) = (tmp_path / "cache" / "embeddings").iterdir()
    stored.write_bytes(stored.read_bytes()[:50])
    model = FakeModel()
    assert run(prompts(), model=model).prompt_sets[0].macro_auroc == 1.0
    assert len(model.encoded) == 12


def test_all_records_that_cannot_be_used_are_told_at_once(toy):
    for path in toy.paths[:7]:
        path.with_suffix(".hea").write_text("noise")
    model = FakeModel()
    with pytest.raises(RecordError) as told:
        run(prompts(), model=model)
    assert str(told.value) == (
        "7 of 12 records of toy-rhythm cannot be used: record '00' is none (and 6 more alike)."
        " Get them again, or leave them out with allow_missing (--allow-missing)"
    )
    assert len(model.encoded) == 5
    result = run(prompts(), model=model, allow_missing=True)
    assert (result.n_records, result.n_patients, result.missing_records) == (5, 3, 7)
    assert len(model.encoded) == 5  # those that can be used were kept


def test_nothing_is_left_to_score(toy):
    for path in toy.paths:
        path.with_suffix(".hea").write_text("noise")
    with pytest.raises(NoDataError, match=r"12 of 12 records .* used: record '00' is none"):
        run(prompts(), allow_missing=True)


def test_pretraining_on_the_same_data_set_is_said(toy):
    seen = FakeModel(training={"dataset": "toy", "folds": (1, 2)})
    assert run(prompts(), model=seen).checkpoint.in_distribution
    assert run(prompts(), model=seen).checkpoint.training == "toy, folds 1, 2"
    in_training_mode = FakeModel(training=True)  # what a torch module says of itself
    assert run(prompts(), model=in_training_mode).checkpoint.training is None


def test_prompts_for_other_classes_are_refused_by_name(toy):
    with pytest.raises(PromptError, match=r"'plain' adds PVC; toy-rhythm has exactly the classes SR, AFIB"):
        run(prompts(PVC="sinus"))
    with pytest.raises(PromptError, match="lacks AFIB"):
        run(PromptSet.plain({"SR": "sinus"}))
    with pytest.raises(PromptError, match="'ptbxl-form', not for 'toy-rhythm'"):
        run(prompts().model_copy(update={"label_set": "ptbxl-form"}))


def test_wrong_requests(toy):
    with pytest.raises(UsageError, match="two prompt sets are called 'plain'"):
        run(prompts(), prompts())
    with pytest.raises(UsageError, match="no prompt set"):
        run()
    with pytest.raises(UsageError, match="at least 20"):
        evaluate("toy-rhythm", data=".", prompts=[prompts()], model=FakeModel(), bootstrap=5)
