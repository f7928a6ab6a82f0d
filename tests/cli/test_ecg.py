import json
import shutil

import pytest


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
    assert "has no lead V9" in fails(1, *given[:-1], "V9")


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


def test_a_truncated_record_stops_the_evaluation(fails, tiny_ptbxl, checkpoint, tmp_path):
    shutil.copytree(tiny_ptbxl, tmp_path / "data")
    signal = tmp_path / "data" / "records100" / "00000" / "00025_lr.dat"
    signal.write_bytes(signal.read_bytes()[:100])
    said = fails(1, *evaluate(checkpoint, tmp_path / "data", "--prompts", "plain", "--json", "out.json"))
    assert "00025_lr" in said
