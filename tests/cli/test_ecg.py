import json
import shutil

import numpy as np
import pytest

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
    assert merl(*given, "--ensemble", "median").code == 2
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
        ("", "is a folder; give one record in it"),
    ],
)
def test_a_bad_record_is_one_sentence(fails, damaged, checkpoint, name, sentence):
    assert sentence in fails(1, *classify(damaged / name, checkpoint, "--json"))


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
