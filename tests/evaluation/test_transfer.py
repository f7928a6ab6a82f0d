import json

import numpy as np
import pytest
import torch

from merl.errors import UsageError
from merl.evaluation.transfer import transfer
from merl.evaluation.transfer_table import print_transfer
from merl.knowledge.entries import load_entries
from merl.knowledge.overlap import find_overlap
from merl.label_sets import load_label_set
from merl.model import MERL, MERLConfig, TrainingData
from merl.overlap import ClassOverlap, Overlap
from merl.preprocessing import SignalSpec
from tests import layouts

pytestmark = pytest.mark.usefixtures("eye_text_encoder")


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    seen = TrainingData(dataset="ptbxl", folds=(1, 2), records=6, licence="CC BY 4.0", attribution="nobody")
    spec = SignalSpec(seconds=6)
    made = MERL(
        MERLConfig(name="toy", encoder="cnn", embed_dim=8, spec=spec, training=seen), sha256="ab" * 32
    )
    return made.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def cpsc(tmp_path_factory):
    """Twelve records in CPSC2018's layout: normal, atrial fibrillation and first degree AV block in turn."""
    labels = {f"A{number:04d}": (number % 3 + 1,) for number in range(1, 13)}
    return layouts.cpsc2018(tmp_path_factory.mktemp("cpsc") / "cpsc2018", labels)


def overlap(source="ptbxl-super", target="cpsc2018"):
    return find_overlap(load_label_set(source), load_label_set(target), load_entries())


def run(data, cpsc, model, found=None, **options):
    options = {"split": "all", "bootstrap": 20, **options}
    return transfer(found or overlap(), source_data=data, target_data=cpsc, model=model, **options)


def test_probe_and_prompts_are_measured_over_the_overlap(tiny_ptbxl, cpsc, model, tmp_path, capsys):
    result = run(tiny_ptbxl, cpsc, model, prompts=["plain", "knowledge"])
    assert [method.name for method in result.methods] == ["plain", "knowledge", "probe of ptbxl-super"]
    assert (result.n_records, result.n_training, result.records) == (12, 16, (16,))
    probe = result.methods[-1].per_class
    assert list(probe) == ["NORM", "1AVB", "CLBBB", "CRBBB"]  # STTC has no positive in the source
    assert result.left_out == ("STD", "STE")
    assert probe["CLBBB"].auroc is None  # which nobody has in the target
    assert not result.checkpoint.in_distribution
    result.save(tmp_path / "result.json")
    assert type(result).model_validate(json.loads((tmp_path / "result.json").read_text())) == result
    print_transfer(result)
    shown = " ".join(capsys.readouterr().out.split())
    assert "first degree AV block [1AVB] is a kind of conduction disturbance [CD]" in shown
    assert "Out of distribution: the encoder was pretrained on ptbxl, folds 1, 2." in shown
    assert "nothing on the target" in shown


def test_a_targets_score_is_that_of_the_classes_that_stand_for_it(tiny_ptbxl, cpsc, model, monkeypatch):
    """Two target classes with the same source have the same scores; several sources the highest or lowest."""
    from merl.evaluation import transfer as module

    given = {}
    compare = module.compare_methods

    def record(scores, *more, **options):
        given.update(scores)
        return compare(scores, *more, **options)

    monkeypatch.setattr(module, "compare_methods", record)
    sources = [("NORM",), ("CD",), ("NORM", "CD"), ("NORM", "CD"), ("NORM", "HYP")]
    takes = ["highest", "highest", "highest", "lowest", "lowest"]
    codes = ["NORM", "AFIB", "1AVB", "PAC", "VPC"]
    classes = {
        code: ClassOverlap(sources=some, take=take)
        for code, some, take in zip(codes, sources, takes, strict=True)
    }
    run(tiny_ptbxl, cpsc, model, Overlap(source="ptbxl-super", target="cpsc2018", classes=classes))
    norm, cd, highest, lowest, learnt = given["probe of ptbxl-super"][0].T
    assert not np.array_equal(norm, cd)
    assert np.array_equal(highest, np.maximum(norm, cd))
    assert np.array_equal(lowest, np.minimum(norm, cd))
    assert np.array_equal(learnt, norm)  # HYP has no positive to learn from, so NORM stands alone


def test_of_one_data_set_only_what_was_not_learnt_from_is_scored(tiny_ptbxl, model):
    found = overlap(target="ptbxl-sub")
    result = run(tiny_ptbxl, tiny_ptbxl, model, found, split="val")
    assert (result.dataset, result.n_records) == ("PTB-XL", 2)
    assert result.checkpoint.in_distribution
    with pytest.raises(UsageError, match="scored on val, test of ptbxl-sub, not on 'all'"):
        run(tiny_ptbxl, tiny_ptbxl, model, found)


@pytest.mark.parametrize(
    ("source", "target", "sentence"),
    [
        ("ptbxl-super", "ptbxl-super", "both ptbxl-super; that is `merl probe ptbxl-super`"),
        ("ptbxl-super", "mitbih-aami", "no class of ptbxl-super stands for one of mitbih-aami"),
    ],
)
def test_what_cannot_be_transferred(tiny_ptbxl, cpsc, model, *, source, target, sentence):
    with pytest.raises(UsageError, match=sentence):
        run(tiny_ptbxl, cpsc, model, overlap(source, target))


@pytest.mark.realdata
def test_real_georgia_records_are_scored_by_a_probe_of_real_ptbxl(merl_data, monkeypatch, tmp_path):
    """On the few records that are here, with an encoder of random weights: that it runs, not how well."""
    from merl.datasets import tasks

    load = tasks.load_task

    def few(name, data, split, **options):
        found = load(name, data, split, **options)
        return found.without(set(found.names[100:]))

    monkeypatch.setattr(tasks, "load_task", few)
    torch.manual_seed(0)
    tiny = MERL(MERLConfig(name="toy", encoder="cnn", embed_dim=8, spec=SignalSpec())).eval()
    found = overlap("ptbxl-rhythm", "georgia")
    result = run(merl_data / "ptb-xl", merl_data / "challenge-2021-samples", tiny, found)
    assert (result.dataset, result.n_records) == ("Georgia", 22)
    assert result.methods[-1].per_class["NSR"].positives == 6
