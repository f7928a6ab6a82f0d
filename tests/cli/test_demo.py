import pytest

from merl import checkpoints
from merl.ckepe.prompt_set import PromptSet


@pytest.fixture(autouse=True)
def shipped(checkpoint, monkeypatch):
    load = checkpoints.load_model
    monkeypatch.setattr(checkpoints, "load_model", lambda _name="": load(checkpoint))


def test_the_whole_path_on_simulated_ecgs(merl, place):
    done = merl("demo")
    assert done.code == 0, done.err
    assert "(real, from pydicom)" in done.out
    assert "These ECGs are simulated: an illustration, not a measurement" in done.out
    assert "Not a medical device." in done.out
    assert "difference" in done.out
    page = (place / "merl-demo" / "report.html").read_text()
    assert "knowledge" in page
    assert "ECGs of 30 patients, simulated ECGs" in page
    assert next(iter(PromptSet.load(place / "merl-demo" / "knowledge.yaml").classes)) == "SLOW"


@pytest.mark.parametrize(("data", "sentence"), [("nowhere", "there is no PTB-XL in nowhere")])
def test_missing_data_is_said_before_any_work(fails, data, sentence):
    assert sentence in fails(1, "demo", "--data", data)


def test_a_place_that_cannot_be_written_is_said_before_any_work(fails, place):
    (place / "file").touch()
    assert "file is a file; name another place" in fails(1, "demo", "--out", "file")


@pytest.mark.realdata
def test_the_whole_path_on_real_ecgs(merl, merl_data):
    done = merl("demo", "--data", merl_data)
    assert done.code == 0, done.err
    assert "real records of PTB-XL fold 9" in done.out
    assert "simulated" not in done.out
