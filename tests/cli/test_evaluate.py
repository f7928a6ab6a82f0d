import csv
import json
import shutil

import numpy as np
import pytest

from merl.ckepe.prompt_set import PromptSet
from merl.evaluation.matrix_result import MatrixResult
from merl.records import STANDARD_LEADS


def evaluate(checkpoint, data, *more, task="ptbxl-rhythm"):
    return ["evaluate", task, "--data", data, "--checkpoint", checkpoint, "--bootstrap", "20", *more]


def test_evaluate_shows_the_model_the_leads_it_is_told_to(merl, fails, tiny_ptbxl, checkpoint, place):
    given = evaluate(checkpoint, tiny_ptbxl, "--prompts", "plain", "--leads", "II")
    assert "has no lead I, III" in fails(1, *given)  # this model was not trained with leads masked
    config = json.loads((checkpoint / "config.json").read_text())
    config["spec"]["missing_leads"] = "zero"
    shutil.copytree(checkpoint, place / "masked")
    (place / "masked" / "config.json").write_text(json.dumps(config))
    done = merl(
        *evaluate(place / "masked", tiny_ptbxl, "--prompts", "plain", "--leads", "II", "--json", "r.json")
    )
    assert done.code == 0, done.err
    assert "seen in II only" in done.out.replace("\n", " ")
    assert json.loads((place / "r.json").read_text())["leads"] == ["II"]
    assert "--leads: unknown lead 'V9'; allowed are I, II" in fails(2, *given[:-1], "V9")
    assert "--leads: the lead II is named twice" in fails(2, *given, "--leads", "II")


def test_evaluate_compares_and_writes_json(merl, tiny_ptbxl, checkpoint, place):
    both = ["--prompts", "plain", "--prompts", "ptbxl-super/knowledge"]
    done = merl(*evaluate(checkpoint, tiny_ptbxl, *both, "--json", "out/result.json", task="ptbxl-super"))
    assert done.code == 0, done.err
    assert "Macro AUROC" in done.out
    assert "knowledge - plain" in done.out
    assert "result written to" in done.err
    result = json.loads((place / "out" / "result.json").read_text())
    assert [item["name"] for item in result["prompt_sets"]] == ["plain", "knowledge"]
    assert result["checkpoint"]["in_distribution"] is True


@pytest.mark.parametrize(
    ("change", "code", "sentence"),
    [
        ({"task": "ptbxl-rythm"}, 2, "did you mean 'ptbxl-rhythm' or"),
        ({"data": "nowhere"}, 1, "there is no PTB-XL in nowhere; give the folder"),
        ({"prompts": "plian"}, 2, "did you mean 'plain'"),
        ({"bootstrap": 3}, 2, "3 bootstrap resamples are too few"),
    ],
)
def test_a_wrong_evaluation_is_one_sentence(fails, tiny_ptbxl, checkpoint, *, change, code, sentence):
    given = {"task": "ptbxl-rhythm", "data": tiny_ptbxl, "prompts": "plain", "bootstrap": 20, **change}
    arguments = ["--prompts", given["prompts"], "--bootstrap", given["bootstrap"], "--json", "out.json"]
    said = fails(code, *evaluate(checkpoint, given["data"], *arguments, task=given["task"]))
    assert sentence in said


def test_a_result_that_cannot_be_written_is_found_before_the_work(fails, tiny_ptbxl, place):
    (place / "folder").mkdir()
    said = fails(1, *evaluate("no-such-model", tiny_ptbxl, "--prompts", "plain", "--json", "folder"))
    assert "cannot write folder: it is a folder" in said


def test_a_split_that_is_not_there_is_wrong_use(merl, tiny_ptbxl, checkpoint):
    done = merl(*evaluate(checkpoint, tiny_ptbxl, "--prompts", "plain", "--split", "half"))
    assert done.code == 2
    assert "'train', 'val', 'test', 'all'" in done.err


@pytest.fixture
def data(tiny_ptbxl, tmp_path):
    """A copy of the simulated PTB-XL, to be damaged; its validation fold is the records 25 to 27."""
    return shutil.copytree(tiny_ptbxl, tmp_path / "root" / "ptb-xl")


def record(data, number):
    return data / "records100" / "00000" / f"{number:05d}_lr"


@pytest.fixture
def write_flat(simulated, write_record):
    """A function that puts a flat line in a record's place."""
    return lambda path: write_record(path, 0 * simulated())


@pytest.fixture
def rewrite(simulated, write_record):
    """A function that writes a record anew in microvolts, with its leads in an order, at a rate."""

    def write(path, number, order, rate=100):
        signal = simulated(seed=number, bpm=50 + number, rate=rate)[order]
        leads = tuple(STANDARD_LEADS[i] for i in order)
        write_record(path, 1000 * signal, leads=leads, unit="/uV", gain=1, rate=rate)

    return write


def auroc(place):
    """The per-class figures of r.json without their intervals."""
    (item,) = json.loads((place / "r.json").read_text())["prompt_sets"]
    return {code: one["auroc"] for code, one in item["per_class"].items()}


def test_damaged_records_are_named_all_at_once(fails, data, checkpoint, write_flat):
    cut = record(data, 1).with_suffix(".dat")
    cut.write_bytes(cut.read_bytes()[:100])
    for number in (3, 4, 6):
        write_flat(record(data, number))
    said = fails(1, *evaluate(checkpoint, data, "--prompts", "plain", "--split", "train"))
    assert "4 of 16 records of ptbxl-rhythm cannot be used: " in said
    assert "00001_lr.dat is truncated: 4 complete samples a lead" in said
    assert "record '00003_lr' is flat in every lead (and 2 more alike)" in said
    assert "--allow-missing" in said


def test_a_validation_fold_that_cannot_be_used_costs_only_the_thresholds(merl, data, checkpoint, place):
    for number in (25, 27):
        record(data, number).with_suffix(".dat").write_bytes(b"short")
    given = ["--prompts", "plain", "--split", "train", "--json", "r.json"]
    done = merl(*evaluate(checkpoint, data, *given, "--allow-missing"))
    assert done.code == 0, done.err
    result = json.loads((place / "r.json").read_text())
    assert result["validation"]["note"].startswith("2 of 2 records of ptbxl-rhythm cannot be used: ")
    assert result["prompt_sets"][0]["thresholded"] is None


def test_records_left_out_are_counted(merl, data, checkpoint, place):
    record(data, 1).with_suffix(".dat").write_bytes(b"short")
    record(data, 4).with_suffix(".dat").unlink()
    given = ["--prompts", "plain", "--split", "train", "--allow-missing", "--json", "r.json"]
    done = merl(*evaluate(checkpoint, data, *given))
    assert done.code == 0, done.err
    assert json.loads((place / "r.json").read_text())["missing_records"] == 2
    assert "2 records left out" in " ".join(done.out.split())


def test_samples_marked_invalid_are_named(fails, data, checkpoint, simulated, write_record):
    signal = simulated()
    signal[3, 50] = -32.768  # how format 16 marks what was not recorded
    write_record(record(data, 25), signal)
    said = fails(1, *evaluate(checkpoint, data, "--prompts", "plain"))
    assert "'00025_lr' has samples marked invalid in aVR (0.1%)" in said


def test_rate_lead_order_and_microvolts_are_the_records_own(merl, data, checkpoint, place, rewrite):
    given = evaluate(checkpoint, data, "--prompts", "plain", "--split", "train", "--json", "r.json")
    assert merl(*given).code == 0
    before = auroc(place)
    order = np.random.default_rng(0).permutation(12)
    for number in range(1, 25):
        rewrite(record(data, number), number, order)
    assert merl(*given).code == 0
    assert auroc(place) == before
    rewrite(record(data, 1), 1, order, rate=250)
    assert merl(*given).code == 0
    assert auroc(place) == pytest.approx(before, abs=0.1)


def test_columns_of_a_table_go_by_name(merl, data, checkpoint, place):
    given = evaluate(checkpoint, data, "--prompts", "plain", "--split", "train", "--json", "r.json")
    assert merl(*given).code == 0
    before = auroc(place)
    table = data / "ptbxl_database.csv"
    rows = list(csv.DictReader(table.read_text().splitlines()))
    with table.open("w", newline="") as handle:
        writer = csv.DictWriter(handle, sorted(rows[0], reverse=True))
        writer.writeheader()
        writer.writerows(rows)
    assert merl(*given).code == 0
    assert auroc(place) == before


def test_a_table_without_a_column_is_named(fails, data, checkpoint):
    table = data / "ptbxl_database.csv"
    table.write_text(table.read_text().replace("strat_fold", "fold", 1))
    said = fails(1, *evaluate(checkpoint, data, "--prompts", "plain"))
    assert "ptbxl_database.csv" in said
    assert "strat_fold" in said


def test_prompts_for_other_classes(fails, merl, data, checkpoint, tmp_path):
    form = "ptbxl-form/plain"
    said = fails(1, *evaluate(checkpoint, data, "--prompts", form))
    assert "was made for the label set 'ptbxl-form', not for 'ptbxl-rhythm'" in said
    plain = PromptSet.find("plain", "ptbxl-rhythm")
    classes = dict(plain.classes)
    classes["AFIBB"] = classes.pop("AFIB")
    plain.model_copy(update={"classes": classes}).save(tmp_path / "mine.yaml")
    said = fails(1, *evaluate(checkpoint, data, "--prompts", tmp_path / "mine.yaml"))
    assert "'mine' lacks AFIB and adds AFIBB; ptbxl-rhythm has exactly the classes SR, AFIB" in said


@pytest.mark.usefixtures("eye_text_encoder")
def test_controls_beside_one_task(merl, data, checkpoint, place):
    given = ["--prompts", "plain", "--prompts", "knowledge", "--split", "all", "--controls"]
    done = merl(*evaluate(checkpoint, data, *given, "--json", "r.json", "--csv", "r.csv"))
    assert done.code == 0, done.err
    sets = json.loads((place / "r.json").read_text())["prompt_sets"]
    controls = {item["name"]: item["control"] for item in sets}
    assert list(controls) == [
        *("plain", "knowledge", "template", "random-words", "random-encoder", "shuffled")
    ]  # class names are there already
    assert controls["knowledge"] is None
    assert controls["shuffled"] == "knowledge with its classes shuffled"
    assert "knowledge less each control" in done.out
    with (place / "r.csv").open() as handle:
        assert [row["prompt_set"] for row in csv.DictReader(handle)] == list(controls)


def test_a_set_with_the_name_of_a_control_is_asked_about(fails, data, checkpoint, tmp_path):
    PromptSet.find("plain", "ptbxl-rhythm").save(tmp_path / "shuffled.yaml")
    given = ["--prompts", tmp_path / "shuffled.yaml", "--prompts", "plain", "--controls"]
    assert "'shuffled' has the name of a control and is none" in fails(2, *evaluate(checkpoint, data, *given))


@pytest.mark.usefixtures("eye_text_encoder")
def test_all_tasks_that_are_there(merl, data, checkpoint, place, tmp_path):
    files = ["--json", "m.json", "--csv", "m.csv", "--markdown", "m.md"]
    given = ["--prompts", "plain", "--prompts", "knowledge", "--split", "all", *files]
    done = merl(*evaluate(checkpoint, data.parent, *given, task="all"))
    assert done.code == 0, done.err
    matrix = MatrixResult.load(place / "m.json")
    assert [result.task for result in matrix.results] == ["ptbxl-super", "ptbxl-sub", "ptbxl-rhythm"]
    assert matrix.averaged == ["ptbxl-super", "ptbxl-sub", "ptbxl-rhythm"]
    left_out = {item.task: item for item in matrix.left_out}
    assert "there is no LUDB in" in left_out["ludb"].reason
    assert "no class has both" in left_out["ptbxl-form"].reason  # all have the same statement
    assert "3 tasks x 2 prompt sets (plain, knowledge) x 1 checkpoint (random)" in done.out
    assert "ptbxl-super: 20 records, 2 cells\n" in done.err
    assert "| mean |" in (place / "m.md").read_text()
    again = merl(*evaluate(checkpoint, data.parent, *given, task="all"))
    assert "ptbxl-super: 20 records, 2 cells, 2 of them finished before" in again.err
    assert again.out == done.out


@pytest.mark.usefixtures("eye_text_encoder")
def test_a_task_that_failed_is_told_by_the_exit_code(merl, data, checkpoint, place):
    record(data, 3).with_suffix(".dat").write_bytes(b"short")  # has a rhythm statement only
    given = ["--prompts", "plain", "--split", "all", "--json", "m.json"]
    done = merl(*evaluate(checkpoint, data.parent, *given, task="all"))
    assert done.code == 1
    assert done.err.endswith("error: ptbxl-rhythm could not be evaluated; the table says why\n")
    assert "ptbxl-rhythm (FAILED): 1 of 20 records of ptbxl-rhythm cannot be used" in " ".join(
        done.out.split()
    )
    assert len(MatrixResult.load(place / "m.json").results) == 2


@pytest.mark.usefixtures("eye_text_encoder")
def test_ensembles_side_by_side(merl, data, checkpoint, place):
    given = ["--prompts", "knowledge", "--ensemble", "mean", "--ensemble", "max", "--split", "all"]
    done = merl(*evaluate(checkpoint, data, *given, "--json", "m.json"))
    assert done.code == 0, done.err
    assert [result.ensemble for result in MatrixResult.load(place / "m.json").results] == ["mean", "max"]
    assert "max - mean" in done.out


@pytest.mark.parametrize(
    ("given", "code", "sentence"),
    [
        (["--prompts", "plian"], 2, "unknown prompt file or shipped set of ptbxl-super 'plian'"),
        (["--prompts", "plain", "--ensemble", "max", "--ensemble", "max"], 2, "ensemble max is given twice"),
        (["--prompts", "plain", "--bootstrap", "3"], 2, "3 bootstrap resamples are too few"),
        (["--prompts", "plain", "--data", "nowhere"], 1, "error: there is no folder nowhere\n"),
        (["--prompts", "plain", "--csv", "."], 1, "cannot write .: it is a folder"),
    ],
)
def test_a_wrong_matrix_is_one_sentence(fails, data, checkpoint, *, given, code, sentence):
    assert sentence in fails(code, *evaluate(checkpoint, data.parent, *given, task="all"))


def test_a_root_without_data_says_of_each_task_what_it_misses(merl, checkpoint, place):
    done = merl(*evaluate(checkpoint, place, "--prompts", "plain", task="all"))
    assert (done.code, done.out) == (1, "")
    said = done.err.splitlines()[-1]
    ptbxl = ", ".join(f"ptbxl-{part}" for part in ("super", "sub", "form", "rhythm"))
    assert said.startswith(f"error: no task can be evaluated: {ptbxl}: there is no PTB-XL in")
    assert "sph: there is no SPH in" in said


@pytest.mark.realdata
def test_the_real_data_sets_of_a_folder(merl, merl_data, checkpoint, place):
    given = ["--prompts", "plain", "--split", "val", "--json", "m.json"]
    done = merl(*evaluate(checkpoint, merl_data / "challenge-2021-samples", *given, task="all"))
    assert done.code == 0, done.err
    matrix = MatrixResult.load(place / "m.json")
    assert [result.task for result in matrix.results] == ["csn"]
    assert matrix.results[0].n_records == 3
    assert "no class has both" in {item.task: item.reason for item in matrix.left_out}["georgia"]
