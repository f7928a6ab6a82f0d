import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from merl.checkpoints import WEIGHTS, load_model, read_config, save_checkpoint, shipped_models
from merl.errors import CheckpointError, ConfigError, MerlError, UsageError
from merl.files import sha256
from merl.model import MERL, MERLConfig, TextIdentity, TrainingData
from merl.preprocessing import SignalSpec

SPEC = SignalSpec(leads=("V1", "II"), sampling_rate=50, seconds=2, scaling="minmax")
SEEN = TrainingData(dataset="ptbxl", folds=(1, 2), records=7, licence="CC BY 4.0", attribution="someone")


@pytest.fixture
def model():
    torch.manual_seed(0)
    return MERL(MERLConfig(name="tiny", embed_dim=8, heads=2, spec=SPEC, training=SEEN)).eval()


@pytest.fixture
def folder(model, tmp_path):
    save_checkpoint(model, tmp_path / "tiny")
    return tmp_path / "tiny"


def change_config(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_half_precision_comes_back_rounded_and_whole(model, folder):
    loaded = load_model(folder)
    assert loaded.config == model.config
    assert loaded.sha256 == sha256(folder / WEIGHTS)
    assert not loaded.training
    for name, tensor in model.state_dict().items():
        again = loaded.state_dict()[name]
        assert again.dtype == tensor.dtype
        assert torch.equal(again, tensor.half().to(tensor.dtype) if tensor.is_floating_point() else tensor)
    assert {path.name for path in folder.iterdir()} == {"README.md", "config.json", WEIGHTS}


def test_single_precision_comes_back_bit_for_bit(model, tmp_path):
    save_checkpoint(model, tmp_path / "full", half=False)
    loaded = load_model(tmp_path / "full")
    assert all(torch.equal(loaded.state_dict()[name], tensor) for name, tensor in model.state_dict().items())
    signals = torch.randn(2, 2, 100)
    with torch.inference_mode():
        torch.testing.assert_close(loaded.encode_ecg(signals), model.encode_ecg(signals))


def test_saving_leaves_the_model_as_it_was(model, folder):
    assert model.sha256 is None  # its own weights are not the rounded ones in the file
    assert next(model.parameters()).dtype == torch.float32
    assert next(model.parameters()).requires_grad


@pytest.mark.parametrize("half", [True, False])
def test_weights_that_are_no_numbers_are_refused(model, tmp_path, half):
    with torch.no_grad():
        model.linear1.weight[0, 0] = float("nan")
    with pytest.raises(CheckpointError, match=r"linear1\.weight of tiny are not finite; the training failed"):
        save_checkpoint(model, tmp_path / "out", half=half)
    assert not (tmp_path / "out").exists()


def test_weights_too_large_for_half_precision_stay_single(model, tmp_path):
    with torch.no_grad():
        model.linear1.weight[0, 0] = 1e6
    save_checkpoint(model, tmp_path / "out")
    assert load_model(tmp_path / "out").linear1.weight[0, 0] == 1e6


def test_truncated_weights(folder):
    whole = (folder / WEIGHTS).read_bytes()
    for size in (0, 5, len(whole) // 2):
        (folder / WEIGHTS).write_bytes(whole[:size])
        with pytest.raises(CheckpointError, match=r"is damaged .* fetch or train it again"):
            load_model(folder)


def test_weights_that_do_not_fit(folder):
    change_config(folder, embed_dim=16)
    with pytest.raises(CheckpointError, match=r"0 weights missing, 0 unknown, 1[0-9] of another shape"):
        load_model(folder)
    change_config(folder, embed_dim=8)
    state = load_file(folder / WEIGHTS)
    state["surplus"] = state.pop("linear1.weight")
    save_file(state, folder / WEIGHTS)
    with pytest.raises(CheckpointError, match=r"1 weights missing, 1 unknown.*linear1.weight"):
        load_model(folder)


@pytest.mark.parametrize(
    ("name", "sentence"), [("config.json", "no config.json"), (WEIGHTS, f"no {WEIGHTS}")]
)
def test_a_missing_file(folder, name, sentence):
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=f"{sentence}.*; a checkpoint is a folder"):
        load_model(folder)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "not readable JSON"),
        ("[]", "expected a mapping"),
        ('{"name": "x"}', "spec: field required"),
        (
            '{"name": "x", "spec": {"sampling": 3}}',
            "unknown key 'sampling'; did you mean 'scaling' or 'sampling_rate'. in spec",
        ),
        ('{"name": "x", "spec": {}, "heads": 0}', "heads: input should be greater than 0"),
    ],
)
def test_a_bad_configuration(folder, text, sentence):
    (folder / "config.json").write_text(text)
    with pytest.raises(CheckpointError, match=sentence) as raised:
        read_config(folder)
    assert "\n" not in str(raised.value)


def test_an_encoder_of_another_release(folder):
    change_config(folder, encoder="vit_huge")
    with pytest.raises(ConfigError, match="unknown encoder 'vit_huge'"):
        load_model(folder)


def test_an_unknown_name(tmp_path):
    with pytest.raises(UsageError, match=r"unknown checkpoint .*nowhere"):
        load_model(tmp_path / "nowhere")


def test_another_text_encoder_is_noticed_before_any_score(folder):
    change_config(folder, text={"name": "MedCPT", "sha256": "0" * 64, "dim": 384})
    with pytest.raises(MerlError, match="trained with the text encoder MedCPT"):
        load_model(folder).encode_text(["sinus rhythm"])


@pytest.mark.parametrize("name", ["ptbxl-r18-100hz", "folder"])
def test_only_what_is_on_the_hub_has_revisions(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match=f"{name} is not on the hub, and there is no revision 'v1' of it"):
        load_model(name, revision="v1")


def test_every_shipped_model_loads():
    for name, path in shipped_models().items():
        model = load_model(name)
        assert (model.name, model.sha256) == (name, sha256(path / WEIGHTS))
        assert (path / WEIGHTS).stat().st_size <= 24e6


def test_a_checkpoint_says_what_it_is(folder):
    card = (folder / "README.md").read_text()
    assert "joined by merl heads" in card
    assert "Not a medical device" in card
    assert "Trained on: ptbxl, folds 1, 2: 7 pairs of waveform and report text, no labels." in card


def test_the_card_names_the_licence_of_text_layers_trained_further(folder, trained):
    says = "the text layers in the weights are all-MiniLM-L6-v2's, changed by training"
    assert says in (trained[0] / "README.md").read_text()
    assert says not in (folder / "README.md").read_text()
    shipped = shipped_models()["ptbxl-r18-100hz"]
    assert says in (shipped / "README.md").read_text()
    assert "SPDX-License-Identifier: CC-BY-4.0 AND Apache-2.0" in (shipped / "LICENSE").read_text()


@pytest.fixture
def trained(tmp_path):
    """A checkpoint with a trained text layer, and the model it was made of."""
    torch.manual_seed(0)
    config = MERLConfig(name="tiny", embed_dim=8, spec=SignalSpec(), text=TextIdentity(trained_layers=1))
    model = MERL(config).requires_grad_(False)
    model.text_layers[0].get_parameter("output.dense.bias").fill_(0.5)
    save_checkpoint(model, tmp_path / "trained", half=False)
    return tmp_path / "trained", model.eval()


def test_text_layers_wait_until_a_text_is_read(trained):
    folder, made = trained
    loaded = load_model(folder)
    assert "text_encoder" not in vars(loaded)
    assert loaded.state_dict().keys() == made.state_dict().keys()  # what is saved again is whole
    save_checkpoint(loaded, folder.parent / "again", half=False)
    assert "text_encoder" not in vars(loaded)
    for model in (loaded, load_model(folder.parent / "again")):
        torch.testing.assert_close(model.encode_text(["sinus rhythm"]), made.encode_text(["sinus rhythm"]))
        assert model.text_weights is None
        assert model.text_encoder.retrained
        assert not any(weight.requires_grad for weight in model.text_layers.parameters())


def test_text_layers_that_are_not_there_or_do_not_fit(trained):
    folder, _ = trained
    state = load_file(folder / WEIGHTS)
    bias = "text_layers.0.output.dense.bias"
    save_file({name: weight for name, weight in state.items() if name != bias}, folder / WEIGHTS)
    with pytest.raises(CheckpointError, match="the text layers of tiny do not fit all-MiniLM-L6-v2"):
        load_model(folder).encode_text(["sinus rhythm"])
    save_file({k: v for k, v in state.items() if not k.startswith("text_layers.")}, folder / WEIGHTS)
    with pytest.raises(CheckpointError, match="that names 1 text layers"):
        load_model(folder)
