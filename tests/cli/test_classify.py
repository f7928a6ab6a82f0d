import json
import os
import shutil

import numpy as np
import pytest
from pyarrow import parquet

from merl.ckepe.prompt_set import PromptSet
from merl.records import STANDARD_LEADS


@pytest.fixture
def damaged(record, simulated, write_record):
    """Records with one fault each, by the fault."""
    folder = record.parent
    write_record(folder / "eleven", simulated()[:-1], leads=STANDARD_LEADS[:-1])
    write_record(folder / "celsius", simulated(), unit="/degC")
    write_record(folder / "volts", simulated(), unit="/V")
    write_record(folder / "flat", 0 * simulated())
    write_record(folder / "truncated", simulated())
    signal = folder / "truncated.dat"
    signal.write_bytes(signal.read_bytes()[:500])
    (folder / "noise.hea").write_bytes(np.random.default_rng(0).bytes(300))
    (folder / "notes.txt").write_text("no ECG")
    return folder


def classify(record, checkpoint, *more, prompts="ptbxl-rhythm/plain"):
    return ["classify", record, "--prompts", prompts, "--checkpoint", checkpoint, *more]


def test_classify_prints_cosines(merl, record, checkpoint):
    done = merl(*classify(record, checkpoint))
    assert done.code == 0
    assert "12 leads, 10 s at 100 Hz" in done.out
    assert "atrial fibrillation" in done.out
    assert "not probabilities. For research. Not a medical device." in done.out


def test_classify_json_has_every_class_of_every_record(merl, record, checkpoint):
    done = merl(*classify(record, checkpoint, record.with_suffix(".dat"), "--json"))
    assert done.code == 0
    first, second = json.loads(done.out)
    assert first["record"] == str(record)
    assert len(first["scores"]) == 12
    assert all(-1 <= score <= 1 for score in first["scores"].values())
    assert first["scores"] == pytest.approx(second["scores"], abs=1e-5)


def test_classify_combines_phrases_as_told(merl, fails, record, checkpoint):
    given = classify(record, checkpoint, "--json", prompts="ptbxl-rhythm/knowledge")
    scores = {}
    for ensemble in ("mean", "max", "name-weighted"):
        scores[ensemble] = json.loads(merl(*given, "--ensemble", ensemble).out)[0]["scores"]["AFIB"]
    assert scores["max"] > scores["mean"] != scores["name-weighted"]
    less = json.loads(merl(*given, "--absent-weight", 0.25).out)[0]["scores"]["AFIB"]
    assert less != scores["mean"]
    contrasted = json.loads(merl(*given, "--contrast", 0.5).out)[0]["scores"]["AFIB"]
    assert contrasted != scores["mean"]
    assert merl(*given, "--ensemble", "median").code == 2
    assert merl(*given, "--contrast", -1).code == 2
    assert merl(*given, "--absent-weight", 1.5).code == 2


def test_brackets_in_a_path_are_shown(merl, record, checkpoint):
    folder = record.parent / "ward[bold]"
    shutil.copytree(record.parent, folder, ignore=shutil.ignore_patterns("ward*"))
    assert "ward[bold]" in merl(*classify(folder / "good.hea", checkpoint)).out


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nothing", "there is no record at"),
        ("notes.txt", "is in no format merl reads; give WFDB"),
        ("noise.hea", "noise"),
        ("truncated.hea", "truncated"),
        ("eleven.hea", "has no lead V6; it has I, II"),
        ("celsius.hea", "degC"),
        ("volts.hea", "millivolts"),
        ("flat.hea", "flat in every lead"),
    ],
)
def test_a_bad_record_is_one_sentence(fails, damaged, checkpoint, name, sentence):
    assert sentence in fails(1, *classify(damaged / name, checkpoint, "--json"))


def test_a_table_of_samples_is_not_written_over_by_its_scores(fails, place, checkpoint):
    (place / "ecg.parquet").touch()
    given = classify("ecg.parquet", checkpoint, "--out", "ecg.parquet")
    assert "ecg.parquet is read here and would be replaced" in fails(2, *given)


def test_all_bad_records_are_named_at_once(fails, damaged, record, checkpoint):
    said = fails(1, *classify(damaged / "flat.hea", checkpoint, record, damaged / "nothing"))
    assert "flat in every lead" in said
    assert "there is no record at" in said


@pytest.mark.parametrize(
    ("prompts", "code", "sentence"),
    [
        ("ptbxl-rhythm/plian", 2, "did you mean 'ptbxl-rhythm/plain'"),
        (
            "plain",
            2,
            "'plain' is no prompt file; write LABELSET/plain for a shipped set, such as challenge2021/plain",
        ),
        ("knowlege", 2, "write LABELSET/knowledge"),
        ("mine.yaml", 2, "unknown prompt file or shipped set 'mine.yaml'; allowed are challenge2021/plain"),
        ("bad.yaml", 1, "unknown key 'clases'; did you mean 'classes'?"),
        ("empty.yaml", 1, "class 'AFIB' has no phrase that speaks for it"),
    ],
)
def test_bad_prompts(fails, place, record, checkpoint, *, prompts, code, sentence):
    head = "schema: merl/prompt-set/v1\nlabel_set: x\ngenerator: {kind: manual}\n"
    (place / "bad.yaml").write_text(f"{head}clases: {{AFIB: {{name: af}}}}\n")
    (place / "empty.yaml").write_text(f"{head}classes: {{AFIB: {{name: af}}}}\n")
    assert sentence in fails(code, *classify(record, checkpoint, prompts=prompts))


def test_an_unknown_checkpoint(fails, record):
    assert "unknown checkpoint 'ptbxl-r18'" in fails(2, *classify(record, "ptbxl-r18"))


def test_a_damaged_checkpoint(fails, record, checkpoint, tmp_path):
    shutil.copytree(checkpoint, tmp_path / "cut")
    (tmp_path / "cut" / "model.safetensors").write_bytes(b"123")
    assert "is damaged" in fails(1, *classify(record, tmp_path / "cut"))


def test_each_class_names_the_phrases_that_spoke_most_for_it(merl, record, checkpoint):
    given = classify(record, checkpoint, "--phrases", 3, prompts="ptbxl-rhythm/knowledge")
    (found,) = json.loads(merl(*given, "--json").out)
    near = found["phrases"]["AFIB"]
    assert len(near) == 3
    assert [item["cosine"] for item in near] == sorted((item["cosine"] for item in near), reverse=True)
    prompts = PromptSet.find("ptbxl-rhythm/knowledge").classes["AFIB"].prompts
    known = {phrase.text: phrase for phrase in prompts if phrase.polarity == "present"}
    assert all(item["sources"] == list(known[item["text"]].sources) for item in near)
    best = json.loads(merl(*given, "--json", "--ensemble", "max").out)[0]
    assert best["scores"]["AFIB"] == pytest.approx(near[0]["cosine"], abs=1e-5)  # the nearest phrase
    shown = merl(*given, "--evidence").out
    assert near[0]["text"] in shown
    assert f"  {near[0]['sources'][0]}: " in shown


def test_what_was_done_to_a_record_is_said(merl, place, simulated, write_record, checkpoint):
    part = simulated(seconds=4)
    write_record(place / "eight", part[[0, 1, *range(6, 12)]], leads=("I", "II", *STANDARD_LEADS[6:]))
    said = merl(*classify(place / "eight", checkpoint)).out.splitlines()[0]
    assert "12 leads, 4 s at 100 Hz; III, aVR, aVL, aVF computed from I and II" in said
    assert said.endswith("padded with 0 mV to 10 s)")
    write_record(place / "long", simulated(seconds=35))
    assert "; the mean of 4 windows of 10 s)" in merl(*classify(place / "long", checkpoint)).out
    config = json.loads((checkpoint / "config.json").read_text())
    config["spec"]["missing_leads"] = "zero"
    shutil.copytree(checkpoint, place / "masked")
    (place / "masked" / "config.json").write_text(json.dumps(config))
    write_record(place / "six", simulated()[:6], leads=STANDARD_LEADS[:6])
    said = merl(*classify(place / "six", place / "masked")).out
    assert "without V1, V2, V3, V4, V5, V6, which the model sees as 0 mV" in said


def test_a_table_is_read_with_what_is_stated(merl, fails, place, simulated, checkpoint):
    rows = "\n".join(",".join(f"{1000 * value:.1f}" for value in row) for row in simulated().T)
    (place / "x.csv").write_text(",".join(STANDARD_LEADS) + "\n" + rows)
    given = classify(place / "x.csv", checkpoint, "--json")
    assert "does not say its sampling rate" in fails(1, *given)
    assert merl(*given, "--sampling-rate", 100, "--unit", "uV").code == 0
    (place / "x.csv").write_text(rows)
    done = merl(*given, "--sampling-rate", 100, "--unit", "uV", "--lead-names", ",".join(STANDARD_LEADS))
    assert done.code == 0, done.err


def test_a_path_that_is_not_utf_8_is_escaped(merl, place, simulated, checkpoint):
    path = place / os.fsdecode(b"m\xfcller.csv")
    path.write_text(
        "\n".join([",".join(STANDARD_LEADS), *(",".join(map(str, row)) for row in simulated().T)])
    )
    given = classify(path, checkpoint, "--sampling-rate", 100, "--unit", "mV")
    (found,) = json.loads(merl(*given, "--json").out)
    assert found["record"].endswith("/m\\xfcller.csv")
    done = merl(*given, "--plot", "x.svg")
    assert (done.code, "m\\xfcller.csv" in done.out) == (0, True)
    assert "m\\xfcller" in (place / "x.svg").read_text()


def test_the_ecg_is_drawn_with_its_best_classes(merl, fails, record, checkpoint, place):
    done = merl(*classify(record, checkpoint, "--plot", "ecg.svg"))
    assert done.code == 0
    best = done.out.splitlines()[2].split()[0]
    svg = (place / "ecg.svg").read_text()
    assert f"  {best}  " in svg
    assert "25 mm/s   10 mm/mV" in svg
    assert "not probabilities. For research. Not a medical device." in svg
    (place / "ecg.svg").unlink()
    assert "neither .png nor .svg" in fails(2, *classify(record, checkpoint, "--plot", "ecg.pdf"))
    assert "--plot draws one record" in fails(2, *classify(record, checkpoint, record, "--plot", "a.png"))


def test_a_folder_is_scored_into_a_table_and_bad_files_are_listed(merl, damaged, record, checkpoint, place):
    done = merl(*classify(damaged, checkpoint, "--out", "scores.parquet"))
    assert (done.code, done.out) == (1, "")
    *listed, last = done.err.splitlines()
    assert last == ("error: 6 of 7 records could not be read, see above; the other 1 are in scores.parquet")
    assert len(listed) == 6
    for name in ("eleven", "celsius", "volts", "flat", "noise", "truncated"):
        assert any(f"{name}.hea" in line for line in listed)
    table = parquet.read_table(place / "scores.parquet")
    (row,) = table.to_pylist()
    (alone,) = json.loads(merl(*classify(record, checkpoint, "--json")).out)
    assert row["record"] == str(record)
    assert (row["seconds"], row["sampling_rate"], row["windows"]) == (10, 100, 1)
    assert row["leads"].split() == list(STANDARD_LEADS)
    scores = {code: row[f"score_{code}"] for code in alone["scores"]}
    assert scores == pytest.approx(alone["scores"], abs=1e-5)
    about = json.loads(table.schema.metadata[b"merl"])
    assert about["checkpoint"]["name"] == "random"
    assert about["prompts"]["name"] == "plain"
    assert "not probabilities" in about["scores"]


def test_a_table_of_good_files_ends_well(merl, record, checkpoint, place):
    done = merl(*classify(record, checkpoint, record.with_suffix(""), "--out", "new/scores.parquet"))
    assert (done.code, done.out) == (0, "")
    assert "scores.parquet written: 2 records" in done.err
    assert parquet.read_table(place / "new" / "scores.parquet").num_rows == 2


def test_where_nothing_can_be_read_nothing_is_written(merl, damaged, checkpoint, place):
    done = merl(*classify(damaged / "flat.hea", checkpoint, damaged / "nothing", "--out", "scores.parquet"))
    assert done.code == 1
    assert done.err.endswith("2 of 2 records could not be read, see above; scores.parquet was not written\n")
    assert not list(place.iterdir())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "is a folder; add --out FILE.parquet to score all records in it"),
        (["--out", "scores.csv"], "scores.csv is no .parquet file"),
        (["--out", "scores.parquet", "--json"], "--out writes scores alone"),
        (["--out", "scores.parquet", "--plot", "x.png"], "--out writes scores alone"),
    ],
)
def test_wrong_use_of_folders(fails, damaged, checkpoint, options, sentence):
    assert sentence in fails(2, *classify(damaged, checkpoint, *options))


def test_a_folder_without_records(fails, place, checkpoint):
    (place / "empty").mkdir()
    (place / "empty" / "notes.txt").write_text("")
    said = fails(2, *classify(place / "empty", checkpoint, "--out", "scores.parquet"))
    assert "empty holds no file of a format that merl reads" in said


@pytest.mark.realdata
@pytest.mark.parametrize(
    "path", ["ptb-xl/records100/00000/00001_lr", "challenge-2021-samples", "cpsc2018-original"]
)
def test_real_records_of_several_formats(merl, merl_data, checkpoint, path):
    found = merl_data / path
    if found.is_dir():
        found = sorted(found.rglob("*.mat"))[0]
    done = merl(*classify(found, checkpoint, "--json"))
    assert done.code == 0, done.err
    assert len(json.loads(done.out)[0]["scores"]) == 12
