import json

import pytest
import torch

from merl.checkpoints import load_model
from tests.official import published


@pytest.fixture
def file(place):
    torch.manual_seed(0)
    torch.save(published.whole("resnet18"), place / "best_ckpt.pth")
    return place / "best_ckpt.pth"


def test_import_lists_every_key(merl, file, place):
    done = merl("checkpoint", "import", file, "--encoder", "resnet18", "--out", "ours")
    assert done.code == 0, done.err
    lines = [line.split() for line in done.out.splitlines()]
    assert {key for _, key in lines} == published.whole("resnet18").keys()
    assert ["converted", "att_pool_head.positional_embedding"] in lines
    assert ["left", "ecg_encoder.linear.weight"] in lines
    assert "1 converted, 2 left" in done.err
    assert load_model(place / "ours").spec.leads[4:6] == ("aVF", "aVL")


def test_export_and_inspect(merl, file, place):
    merl("checkpoint", "import", file, "--encoder", "resnet18", "--out", "ours", "--json")
    done = merl("checkpoint", "export", "ours", "--out", "back.pth")
    assert (done.code, done.out) == (0, ""), done.err
    ours, back = (
        json.loads(merl("checkpoint", "inspect", name, "--json").out) for name in ("ours", "back.pth")
    )
    assert ours["encoder"] == back["encoder"] == "resnet18"
    assert ours["parameters"] == back["parameters"]
    assert ours["sha256"] == load_model(place / "ours").sha256
    shown = merl("checkpoint", "inspect", "ours").out
    assert "ecg_encoder 3,848,832" in shown
    assert "aVF aVL V1" in shown


def test_wrong_requests(fails, file, checkpoint, place):
    arguments = ["checkpoint", "import", file, "--out", "ours", "--encoder"]
    assert "did you mean 'resnet18'" in fails(2, *arguments, "resnt18")
    assert "it holds resnet18" in fails(1, *arguments, "resnet50")
    assert "there is no file nowhere.pth" in fails(
        2, "checkpoint", "import", "nowhere.pth", "--encoder", "resnet18", "--out", "ours"
    )
    assert "unknown checkpoint 'nowhere'" in fails(2, "checkpoint", "inspect", "nowhere")
    (place / "notes.txt").write_text("not weights")
    assert "is damaged or no PyTorch checkpoint" in fails(1, "checkpoint", "inspect", "notes.txt")
    assert "name a file in it" in fails(1, "checkpoint", "export", checkpoint, "--out", ".")
