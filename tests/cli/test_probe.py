import json
import shutil

import pytest
import yaml

from tests import layouts

pytestmark = pytest.mark.usefixtures("eye_text_encoder")


@pytest.fixture(scope="module")
def cpsc(tmp_path_factory):
    labels = {f"A{number:04d}": (number % 3 + 1,) for number in range(1, 10)}
    return layouts.cpsc2018(tmp_path_factory.mktemp("data") / "cpsc2018", labels)


def probe(data, checkpoint, *more, task="ptbxl-super"):
    return ["probe", task, "--data", data, "--checkpoint", checkpoint, "--bootstrap", 20, *more]


def test_probe_prints_tables_and_writes_json(merl, tiny_ptbxl, checkpoint, place):
    done = merl(*probe(tiny_ptbxl, checkpoint, "--fraction", 1, "--seeds", 1, "--json", "out/probe.json"))
    assert done.code == 0, done.err
    for words in (
        "random encoder",
        "zero-shot",
        "100 % (16 records)",
        "In distribution",
        "Not a medical device",
    ):
        assert words in done.out
    result = json.loads((place / "out" / "probe.json").read_text())
    assert (result["kind"], result["split"]) == ("probe", "val")
    assert "pretraining never does" in result["labels_used"]


def test_probe_fine_tunes_as_told_and_says_so(merl, tiny_ptbxl, checkpoint):
    more = ("--fraction", 1, "--fine-tune", "--epochs", 1, "--batch-size", 16, "--features", "embedding")
    done = merl(*probe(tiny_ptbxl, checkpoint, *more))
    assert done.code == 0, done.err
    shown = " ".join(done.out.split())
    assert "Fine-tuned: 1 epochs, batches of 16, learning rate 0.0005, the last epoch's weights" in shown
    assert "8 features of its resnet18 after projection" in shown


@pytest.mark.parametrize(
    ("change", "code", "sentence"),
    [
        ({"task": "ptbxl-supr"}, 2, "did you mean 'ptbxl-super'"),
        ({"fraction": 3}, 2, "a fraction of 3 of the labels"),
        ({"fraction": 0.001}, 2, "is less than one"),
        ({"data": "nowhere"}, 1, "there is no PTB-XL in nowhere"),
        ({"more": ("--fraction", 1)}, 2, "a --fraction is given twice"),
        ({"more": ("--epochs", 3)}, 2, "--epochs needs --fine-tune"),
        ({"more": ("--learning-rate", 0.1)}, 2, "--learning-rate needs --fine-tune"),
    ],
)
def test_a_wrong_probe_is_one_sentence(fails, tiny_ptbxl, checkpoint, *, change, code, sentence):
    given = {"task": "ptbxl-super", "data": tiny_ptbxl, "fraction": 1, **change}
    more = ("--fraction", given["fraction"], "--json", "probe.json", *given.get("more", ()))
    assert sentence in fails(code, *probe(given["data"], checkpoint, *more, task=given["task"]))


def transfer(checkpoint, *more, source="ptbxl-super", target="cpsc2018"):
    head = ["transfer", "--source", source, "--target", target, "--checkpoint", checkpoint]
    return [*head, "--bootstrap", 20, *more]


def test_transfer_writes_its_overlap_and_reads_a_changed_one(merl, tiny_ptbxl, cpsc, checkpoint, place):
    both = ("--data", f"ptb-xl={tiny_ptbxl}", "--data", f"cpsc2018={cpsc}", "--split", "all")
    done = merl(*transfer(checkpoint, *both, "--overlap-out", "overlap.yaml", "--json", "one.json"))
    assert done.code == 0, done.err
    assert "is a kind of conduction disturbance" in " ".join(done.out.split())
    one = json.loads((place / "one.json").read_text())
    assert [method["name"] for method in one["methods"]] == ["plain", "knowledge", "probe of ptbxl-super"]
    written = yaml.safe_load((place / "overlap.yaml").read_text())
    assert written["classes"]["1AVB"]["sources"] == ["CD"]
    written["classes"] = {"AFIB": {"sources": ["MI"]}}
    (place / "mine.yaml").write_text(yaml.safe_dump(written))
    done = merl(*transfer(checkpoint, *both, "--overlap", "mine.yaml", "--json", "two.json"))
    assert done.code == 0, done.err
    two = json.loads((place / "two.json").read_text())
    assert list(two["methods"][0]["per_class"]) == ["AFIB"]


def test_transfer_finds_both_data_sets_in_one_folder(merl, tiny_ptbxl, cpsc, checkpoint, place):
    shutil.copytree(tiny_ptbxl, place / "data" / "ptb-xl")
    shutil.copytree(cpsc, place / "data" / "cpsc2018")
    done = merl(*transfer(checkpoint, "--data", "data", "--split", "all", "--prompts", "plain"))
    assert done.code == 0, done.err
    assert "9 records" in " ".join(done.out.split())


@pytest.mark.parametrize(
    ("more", "code", "sentence"),
    [
        (("--data", "cpsc=x"), 2, "--data cpsc=x: unknown data set 'cpsc'; did you mean 'cpsc2018'"),
        (("--data", "cpsc2018=x"), 2, "no folder of PTB-XL is given; add --data ptb-xl=DIR"),
        (("--data", "x"), 1, "there is no CPSC2018 in x"),
        (("--data", "x", "--prompts", "knowlege"), 2, "did you mean 'knowledge'"),
        (("--data", "x", "--overlap", "no.yaml"), 2, "there is no file no.yaml"),
    ],
)
def test_a_wrong_transfer_is_one_sentence(fails, checkpoint, more, code, sentence):
    assert sentence in fails(code, *transfer(checkpoint, *more))
