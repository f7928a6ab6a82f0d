import json
import os
import pickle

import numpy as np
import pytest
import torch

from merl.checkpoints import load_model, save_checkpoint
from merl.errors import CheckpointError, MerlError, UsageError
from merl.model import MERL, MERLConfig
from merl.official.convert import export_official, import_official
from merl.official.describe import describe
from merl.official.weights import read_state
from merl.preprocessing import SignalSpec
from merl.records import STANDARD_LEADS, ECGRecord
from tests.official import published

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "sinus", "rhythm", "atrial", "fibrillation", ","]


@pytest.fixture(scope="module")
def record(simulated):
    signal = simulated(seconds=10, rate=500).astype(np.float32)
    noise = np.random.default_rng(0).normal(0, 0.1, signal.shape).astype(np.float32)
    return ECGRecord(signal + noise, 500, STANDARD_LEADS)


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """A small random BERT with a tokenizer that tells upper from lower case."""
    from transformers import BertConfig, BertModel, BertTokenizer

    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("text") / "small-bert"
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    BertModel(BertConfig(vocab_size=len(WORDS), **sizes)).save_pretrained(folder)
    vocabulary = {word: index for index, word in enumerate(WORDS)}
    BertTokenizer(vocab=vocabulary, do_lower_case=False).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def bert(text):
    from transformers import BertModel

    return BertModel.from_pretrained(text).eval()


@pytest.fixture(scope="module")
def state(bert):
    torch.manual_seed(0)
    return published.whole("resnet18", text_dim=16, words=bert.state_dict())


@pytest.fixture
def file(tmp_path, state):
    torch.save(state, tmp_path / "best_ckpt.pth")
    return tmp_path / "best_ckpt.pth"


@pytest.mark.parametrize("encoder", ["resnet18", "resnet50", "vit_tiny"])
def test_ecg_embeddings_equal_the_published_architectures(encoder, record, tmp_path):
    torch.manual_seed(0)
    weights = published.whole(encoder)
    torch.save(weights, tmp_path / "ckpt.pth")
    import_official(tmp_path / "ckpt.pth", encoder, tmp_path / "ours")
    model = load_model(tmp_path / "ours")
    windows = torch.from_numpy(model.spec.windows(record))
    given = published.model_input(torch.from_numpy(record.signal), record.leads)[None]
    torch.testing.assert_close(windows, given, atol=1e-6, rtol=0)
    signals = torch.cat([windows, windows.flip(-1), torch.rand(1, 12, 5000)])
    with torch.inference_mode():
        expected = published.ecg_embedding(weights, signals)
        torch.testing.assert_close(model.encode_ecg(signals), expected, atol=1e-5, rtol=1e-5)
        assert (expected[0] - expected[2]).abs().max() > 1e-2  # the inputs are told apart
        double = {key: tensor.double() for key, tensor in weights.items()}
        expected = published.ecg_embedding(double, signals.double())
        torch.testing.assert_close(model.double().encode_ecg(signals.double()), expected, atol=1e-10, rtol=0)


def test_an_encoder_alone_gives_features_but_no_scores(record, tmp_path):
    torch.manual_seed(0)
    weights = published.resnet("resnet18")
    torch.save(weights, tmp_path / "encoder.pth")
    keys = import_official(tmp_path / "encoder.pth", "resnet18", tmp_path / "ours")
    assert keys.left == ["linear.weight", "linear.bias"]
    model = load_model(tmp_path / "ours")
    signals = torch.from_numpy(model.spec.windows(record))
    with torch.inference_mode():
        expected = published.resnet_features(weights, signals).mean(-1)
        torch.testing.assert_close(model.encode_ecg(signals), expected, atol=1e-5, rtol=1e-5)
    with pytest.raises(MerlError, match="embeds ECGs but cannot read text"):
        model.encode_text(["sinus rhythm"])


def test_text_embeddings_equal_the_published_ones(file, state, bert, text, tmp_path):
    keys = import_official(file, "resnet18", tmp_path / "ours", text=text)
    assert keys.left == ["ecg_encoder.linear.weight", "ecg_encoder.linear.bias"]
    model = load_model(tmp_path / "ours")
    ids = torch.tensor([[2, 5, 6, 9, 7, 8, 3]])  # lower-cased, between [CLS] and [SEP]
    with torch.inference_mode():
        pooled = bert(ids).pooler_output
        hidden = published.gelu(published.affine(state, "proj_t.0", pooled))
        expected = published.affine(state, "proj_t.2", hidden)
        found = model.encode_text(["Sinus Rhythm, atrial fibrillation", "sinus"])
    torch.testing.assert_close(found[:1], expected, atol=1e-5, rtol=1e-5)
    assert model.config.text.name == "small-bert"


def test_the_text_encoder_may_come_without_weights_and_travels_with_the_model(file, text, tmp_path):
    bare = tmp_path / "bare"
    bare.mkdir()
    for path in text.iterdir():
        if path.suffix == ".json":
            (bare / path.name).write_bytes(path.read_bytes())
    import_official(file, "resnet18", tmp_path / "one", text=text)
    import_official(file, "resnet18", tmp_path / "two", text=bare)
    one, two = load_model(tmp_path / "one"), load_model(tmp_path / "two")
    save_checkpoint(two, tmp_path / "three", half=False)
    three = load_model(tmp_path / "three")
    expected = one.encode_text(["sinus rhythm"])
    torch.testing.assert_close(two.encode_text(["sinus rhythm"]), expected)
    torch.testing.assert_close(three.encode_text(["sinus rhythm"]), expected)


def test_every_key_is_accounted_for(file, state, tmp_path):
    keys = import_official(file, "resnet18", tmp_path / "ours")
    assert sorted([*keys.used, *keys.converted, *keys.left]) == sorted(state)
    assert keys.converted == ["att_pool_head.positional_embedding"]
    assert all(key.startswith(("ecg_encoder.linear.", "lm_model.")) for key in keys.left)
    with pytest.raises(CheckpointError, match="import it again with --text"):
        load_model(tmp_path / "ours").encode_text(["sinus rhythm"])


def test_wrappers_and_prefixes_of_training_loops_are_taken_off(state, tmp_path):
    for index, wrapper in enumerate(("state_dict", "model", "model_state_dict")):
        wrapped = {wrapper: {f"module.{key}": tensor for key, tensor in state.items()}, "epoch": 3}
        torch.save(wrapped, tmp_path / f"{index}.pth")
        found = read_state(tmp_path / f"{index}.pth")
        assert found.keys() == state.keys()


def test_there_and_back(file, state, text, tmp_path):
    import_official(file, "resnet18", tmp_path / "ours", text=text)
    export_official(load_model(tmp_path / "ours"), tmp_path / "back.pth")
    back = torch.load(tmp_path / "back.pth", weights_only=True)
    assert back.keys() == state.keys()
    for key, tensor in state.items():
        expected = torch.zeros_like(tensor) if key.startswith("ecg_encoder.linear.") else tensor
        assert torch.equal(back[key], expected), key


def test_what_was_trained_of_the_text_encoder_goes_with_it(file, text, tmp_path):
    import_official(file, "resnet18", tmp_path / "ours", text=text)
    config = load_model(tmp_path / "ours").config
    trained = config.model_copy(update={"text": config.text.model_copy(update={"trained_layers": 1})})
    model = MERL(trained, text_folder=tmp_path / "ours" / "text")
    name = "output.dense.bias"
    with torch.no_grad():
        model.text_layers[0].get_parameter(name).fill_(0.5)
    export_official(model, tmp_path / "back.pth")
    back = torch.load(tmp_path / "back.pth", weights_only=True)
    assert (back[f"lm_model.encoder.layer.1.{name}"] == 0.5).all()
    assert not any(key.startswith("text_layers") for key in back)


def test_an_encoder_alone_goes_back_under_its_bare_names(tmp_path):
    weights = published.vit()
    torch.save(weights, tmp_path / "encoder.pth")
    import_official(tmp_path / "encoder.pth", "vit_tiny", tmp_path / "ours")
    export_official(load_model(tmp_path / "ours"), tmp_path / "back.pth")
    back = torch.load(tmp_path / "back.pth", weights_only=True)
    assert back.keys() == weights.keys()
    assert all(torch.equal(back[key], tensor) for key, tensor in weights.items())


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"encoder": "cnn"}, "the release has no encoder cnn; it has resnet18, "),
        (
            {"projection": "linear"},
            "the release has MERL's heads and cannot hold those of m, linear; to",
        ),
        ({"projection": "concat"}, "cannot hold those of m, concat; "),
    ],
)
def test_only_what_the_release_has_is_exported(parts, sentence, tmp_path):
    model = MERL(MERLConfig(name="m", embed_dim=8, spec=SignalSpec(), **parts))
    with pytest.raises(CheckpointError, match=sentence):
        export_official(model, tmp_path / "x.pth")
    assert not (tmp_path / "x.pth").exists()


class RunsCode:
    def __reduce__(self):
        return os.mkdir, ("pwned",)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            {"conv1.weight": RunsCode()},
            r"wants to run code \(posix.mkdir\) when read and was not run; save it",
        ),
        ([1, 2], "is no dictionary of tensors; save it again"),
        ({"epoch": 3}, "is no dictionary of tensors"),
        ({}, "is no dictionary of tensors"),
        (b"", "is damaged or no PyTorch checkpoint"),
        (pickle.dumps({"epoch": 3}, protocol=4), "is damaged or no PyTorch checkpoint"),  # torch warns of it
        (b"hello", "is damaged or no PyTorch checkpoint"),
    ],
)
def test_files_that_are_no_checkpoints(content, sentence, tmp_path, monkeypatch, recwarn):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "x.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(CheckpointError, match=sentence) as raised:
        import_official(path, "resnet18", tmp_path / "ours")
    assert "\n" not in str(raised.value)
    assert [path.name for path in tmp_path.iterdir()] == ["x.pth"]
    assert not recwarn.list


def test_a_truncated_file(file, tmp_path):
    file.write_bytes(file.read_bytes()[:100_000])
    with pytest.raises(CheckpointError, match="is damaged or no PyTorch checkpoint; fetch it again"):
        import_official(file, "resnet18", tmp_path / "ours")


def change(state, path, **changes):
    changed = {**state, **{key.replace("__", "."): value for key, value in changes.items()}}
    torch.save({key: value for key, value in changed.items() if value is not None}, path)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"downconv__weight": None}, r"1 weights missing, 0 unknown, 0 of another shape .*downconv.weight"),
        ({"downconv__weight": torch.zeros(128, 512, 1)}, r"1 of another shape .*downconv.weight"),
        (
            {"att_pool_head__positional_embedding": torch.zeros(2, 157, 256)},
            r"1 of another shape .*positional",
        ),
        ({"adapter__weight": torch.zeros(3)}, r"0 weights missing, 1 unknown, .*adapter.weight"),
        ({"proj_t__0__weight": torch.zeros(3)}, r"1 of another shape .*proj_t.0.weight"),
    ],
)
def test_weights_that_do_not_fit(state, changes, sentence, tmp_path):
    change(state, tmp_path / "x.pth", **changes)
    with pytest.raises(CheckpointError, match=f"x.pth does not fit resnet18: .*{sentence}|{sentence}"):
        import_official(tmp_path / "x.pth", "resnet18", tmp_path / "ours")
    assert not (tmp_path / "ours").exists()


def test_another_encoder_than_the_file_holds(file, tmp_path):
    with pytest.raises(UsageError, match="unknown encoder 'resnt18'; did you mean 'resnet18'"):
        import_official(file, "resnt18", tmp_path / "ours")
    with pytest.raises(CheckpointError, match="does not fit resnet34, it holds resnet18: "):
        import_official(file, "resnet34", tmp_path / "ours")


def test_an_existing_folder_is_left_alone(file, tmp_path):
    (tmp_path / "ours").mkdir()
    with pytest.raises(CheckpointError, match="ours exists already; name a new folder, or delete it"):
        import_official(file, "resnet18", tmp_path / "ours")
    assert not list((tmp_path / "ours").iterdir())


def test_text_encoders_that_do_not_belong_to_the_file(state, text, tmp_path):
    moved = {**state, "lm_model.pooler.dense.bias": state["lm_model.pooler.dense.bias"] + 1}
    smaller = {key: value for key, value in state.items() if "layer.1." not in key or "lm_model" not in key}
    wide = {**state, "proj_t.0.weight": torch.zeros(256, 24)}
    bare = {key: value for key, value in state.items() if "lm_model" not in key}
    for weights, sentence in (
        (moved, r"is not the one in .*small-bert \(1 weights differ, for example pooler.dense.bias\); give"),
        (smaller, r"does not fit .*small-bert: 16 weights missing"),
        (wide, "makes embeddings of 16 and .* takes 24"),
        (bare, r"holds no text encoder \(lm_model\); import it without --text"),
    ):
        torch.save(weights, tmp_path / "x.pth")
        with pytest.raises(CheckpointError, match=sentence):
            import_official(tmp_path / "x.pth", "resnet18", tmp_path / "ours", text=text)
        assert not (tmp_path / "ours").exists()


def test_folders_that_are_no_text_encoders(file, tmp_path):
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "nowhere", tmp_path / "empty"):
        with pytest.raises(CheckpointError, match=f"{folder} is no text encoder .* give a folder") as raised:
            import_official(file, "resnet18", tmp_path / "ours", text=folder)
        assert "\n" not in str(raised.value)


def test_descriptions(file, text, tmp_path):
    of_file = describe(str(file))
    assert (of_file["encoder"], of_file["kind"]) == ("resnet18", "published MERL, whole model")
    import_official(file, "resnet18", tmp_path / "ours", text=text)
    ours = describe(str(tmp_path / "ours"))
    assert ours["parameters"]["ecg_encoder"] == of_file["parameters"]["ecg_encoder"] == 3_848_832
    assert ours["input"]["leads"][4:6] == ["aVF", "aVL"]
    assert (ours["input"]["sampling_rate"], ours["input"]["seconds"]) == (500, 10)
    assert ours["text_encoder"]["pooling"] == "pooler"
    json.dumps(ours)
