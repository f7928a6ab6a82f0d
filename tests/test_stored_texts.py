import subprocess
import sys

import numpy as np
import pytest
import torch

from merl.model import MERL, MERLConfig
from merl.preprocessing import SignalSpec
from merl.stored_texts import embed_texts

TEXTS = ["sinus rhythm", "atrial fibrillation"]


@pytest.fixture
def model(monkeypatch, eye_text_encoder):
    """A model of random weights whose text encoder counts how often it is asked."""
    torch.manual_seed(0)
    made = MERL(MERLConfig(name="tiny", embed_dim=8, spec=SignalSpec()), sha256="ab" * 32).requires_grad_(
        False
    )
    made.asked = 0
    encode = MERL.encode_text

    def counted(self, texts, **options):
        made.asked += 1
        return encode(self, texts, **options)

    monkeypatch.setattr(MERL, "encode_text", counted)
    return made


def files(tmp_path):
    return sorted((tmp_path / "cache" / "prompts").glob("*"))


def test_texts_are_embedded_once_for_each_checkpoint_and_list(model, tmp_path):
    first = embed_texts(model, TEXTS)
    torch.testing.assert_close(embed_texts(model, TEXTS), first, rtol=0, atol=0)
    assert model.asked == 1
    torch.testing.assert_close(embed_texts(model, TEXTS[::-1]), first.flip(0))
    model.sha256 = "cd" * 32
    embed_texts(model, TEXTS)
    assert model.asked == 3
    assert len(files(tmp_path)) == 3


def test_a_model_in_training_is_not_kept(model, tmp_path):
    model.sha256 = None
    embed_texts(model, TEXTS)
    embed_texts(model, TEXTS)
    assert model.asked == 2
    assert not files(tmp_path)


@pytest.mark.parametrize("damage", ["cut", "shape", "nan", "pickle"])
def test_a_damaged_file_is_made_anew(model, tmp_path, damage):
    first = embed_texts(model, TEXTS)
    (path,) = files(tmp_path)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-7])
    else:
        rows = {"shape": first[:1].numpy(), "nan": first.numpy() * np.nan, "pickle": np.array([{}], object)}
        np.save(path, rows[damage], allow_pickle=True)
    torch.testing.assert_close(embed_texts(model, TEXTS), first)
    torch.testing.assert_close(embed_texts(model, TEXTS), first)
    assert model.asked == 2


def test_a_cache_that_cannot_be_written_costs_only_time(model, tmp_path, monkeypatch, caplog):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MERL_CACHE", str(tmp_path / "file"))
    assert embed_texts(model, TEXTS).shape == (2, 8)
    assert "could not be written" in caplog.text


def test_known_prompts_are_scored_without_transformers(tmp_path, monkeypatch):
    code = """
import sys
import merl
from merl.embedding import embed_records
from merl.zeroshot import embed_prompts
from merl.simulation import Rhythm, simulate
model = merl.load_model()
prompts = merl.PromptSet.find("ptbxl-rhythm/plain")
scores = embed_prompts(model, prompts).score(embed_records(model, [simulate(Rhythm(), sampling_rate=100)]))
print(scores[0, :3].tolist(), "transformers" in sys.modules, "sklearn" in sys.modules)
"""
    monkeypatch.setenv("MERL_CACHE", str(tmp_path))
    run = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in "ab"
    ]
    first, second = (done.stdout.strip().rsplit(" ", 2) for done in run)
    assert first[0] == second[0]
    assert (first[1:], second[1:]) == (["True", "False"], ["False", "False"])
