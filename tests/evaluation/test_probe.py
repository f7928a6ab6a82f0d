import json
import shutil

import pytest
import torch

from merl.errors import DataError, RecordError, UsageError
from merl.evaluation.fine_tuning import FineTuning
from merl.evaluation.probe import probe
from merl.evaluation.probe_table import print_probe
from merl.evaluation.run import evaluate
from merl.model import MERL, MERLConfig, TextIdentity, TrainingData
from merl.preprocessing import SignalSpec

pytestmark = pytest.mark.usefixtures("eye_text_encoder")


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    seen = TrainingData(dataset="ptbxl", folds=(1, 2), records=6, licence="CC BY 4.0", attribution="nobody")
    config = MERLConfig(name="toy", encoder="cnn", embed_dim=8, spec=SignalSpec(), training=seen)
    made = MERL(config, sha256="ab" * 32)
    return made.eval().requires_grad_(False)


def run(data, model, task="ptbxl-rhythm", **options):
    return probe(task, data=data, model=model, **{"bootstrap": 20, "fractions": [0.5, 1], **options})


def test_every_share_has_its_rows_and_the_json_reads_back(tiny_ptbxl, model, tmp_path, capsys):
    result = run(tiny_ptbxl, model, task="ptbxl-super", seeds=2)
    half, whole = result.fractions
    assert [method.name for method in half.methods] == ["zero-shot", "random encoder", "linear probe"]
    assert (result.n_records, result.n_training, len(half.records), whole.records) == (2, 16, 2, (16,))
    assert half.methods[-1].deviation is not None is whole.methods[-1].deviation
    assert len(half.methods[-1].strengths) == 2
    assert set(half.left_out) == {"STTC", "HYP"}  # which nobody has
    assert set(whole.methods[0].per_class) == {"NORM", "MI", "CD"}
    pairs = [(pair.a, pair.b) for pair in whole.comparisons]
    assert pairs[1:] == [("zero-shot", "linear probe"), ("random encoder", "linear probe")]
    assert result.checkpoint.in_distribution
    assert (result.features.layer, result.features.width) == ("encoder", model.ecg_encoder.width)
    result.save(tmp_path / "result.json")
    assert type(result).model_validate(json.loads((tmp_path / "result.json").read_text())) == result
    print_probe(result)
    shown = " ".join(capsys.readouterr().out.split())
    assert "STTC, HYP left out of these figures" in shown
    assert "In distribution: the encoder was pretrained on ptbxl, folds 1, 2" in shown
    assert "pretraining never does" in shown


def test_what_tells_labels_apart_is_learnt(tiny_ptbxl, model, tmp_path, simulated, write_record):
    data = shutil.copytree(tiny_ptbxl, tmp_path / "data")
    for number in range(3, 31, 3):  # those with AFIB
        write_record(data / "records100" / "00000" / f"{number:05d}_lr", 3 * simulated(seed=number, bpm=99))
    (whole,) = run(data, model, fractions=[1.0]).fractions
    assert whole.methods[-1].per_class["AFIB"].auroc == 1


def test_the_penalty_is_chosen_where_nothing_is_scored(tiny_ptbxl, model, monkeypatch):
    from merl.evaluation import learning

    given = []
    fit = learning.fit_probe
    monkeypatch.setattr(learning, "fit_probe", lambda part, **more: given.append(more) or fit(part, **more))
    on_val, on_test = (run(tiny_ptbxl, model, split=split, fractions=[1.0]) for split in ("val", "test"))
    assert [more["validation"] is None for more in given] == [True, True, False, False]
    assert "cross-validation over 5 groups of patients within the drawn labels" in on_val.penalty_chosen_on
    assert on_test.penalty_chosen_on == "the validation split (2 records, all of its labels)"


def test_fine_tuning_is_a_row_beside_the_others(tiny_ptbxl, model):
    tuning = FineTuning(epochs=1, batch_size=16)
    (whole,) = run(tiny_ptbxl, model, fractions=[1.0], fine_tuning=tuning).fractions
    assert whole.methods[-1].name == "fine-tuned"
    assert whole.methods[-1].per_class.keys() == whole.methods[1].per_class.keys()


def test_features_are_cached(tiny_ptbxl, model, monkeypatch):
    first = run(tiny_ptbxl, model, fractions=[1.0])
    monkeypatch.setattr("merl.embedding.embed_windows", None)
    assert run(tiny_ptbxl, model, fractions=[1.0]) == first


def test_an_encoder_without_text_is_probed_without_a_zero_shot_row(tiny_ptbxl):
    torch.manual_seed(0)
    text = TextIdentity(place="absent")
    silent = MERL(MERLConfig(name="toy", encoder="cnn", embed_dim=8, spec=SignalSpec(), text=text)).eval()
    result = run(tiny_ptbxl, silent, fractions=[1.0])
    assert result.zero_shot is None
    assert [method.name for method in result.fractions[0].methods] == ["random encoder", "linear probe"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"fractions": [0.5, 2]}, "a fraction of 2 of the labels"),
        ({"fractions": [0.001]}, "0.001 of 16 training records is less than one; give at least 0.062"),
        ({"seeds": 0}, "0 seeds draw no labels"),
        ({"bootstrap": 5}, "5 bootstrap resamples are too few"),
        ({"split": "all"}, "scored on val or test, not on 'all'"),
        ({"task": "ptbxl-rythm"}, "did you mean 'ptbxl-rhythm'"),
    ],
)
def test_a_wrong_request_is_found_before_records_are_read(tiny_ptbxl, options, sentence, model, monkeypatch):
    monkeypatch.setattr("merl.embedding.embed_windows", None)
    with pytest.raises(UsageError, match=sentence):
        run(tiny_ptbxl, model, **options)


def without_folds(data, tmp_path, *folds):
    """Copy the data set without the records of some folds."""
    copied = shutil.copytree(data, tmp_path / "part")
    table = (copied / "ptbxl_database.csv").read_text().splitlines()
    kept = [line for line in table[1:] if int(line.split(",")[-3]) not in folds]
    (copied / "ptbxl_database.csv").write_text("\n".join([table[0], *kept]) + "\n")
    return copied


def test_a_data_set_without_training_folds_says_what_to_do(tiny_ptbxl, model, tmp_path):
    part = without_folds(tiny_ptbxl, tmp_path, *range(1, 9))
    with pytest.raises(DataError, match=r"no records of fold 1, .*learns from the labels.*merl transfer"):
        run(part, model)


def test_a_share_that_teaches_no_class_is_said(tiny_ptbxl, model, tmp_path):
    data = shutil.copytree(tiny_ptbxl, tmp_path / "data")
    table = (data / "ptbxl_database.csv").read_text().splitlines()
    same = [line.replace("AFIB", "SR") if int(line.split(",")[-3]) < 9 else line for line in table[1:]]
    (data / "ptbxl_database.csv").write_text("\n".join([table[0], *same]) + "\n")
    with pytest.raises(DataError, match=r"16 of the 16 training records of ptbxl-rhythm leave no class"):
        run(data, model, fractions=[1.0])


def test_a_checkpoint_of_another_rate_wants_the_records_of_that_rate(tiny_ptbxl, model):
    fast = MERL(model.config.model_copy(update={"spec": SignalSpec(sampling_rate=500)}))
    with pytest.raises(DataError, match=r"have no .*00025_hr"):
        run(tiny_ptbxl, fast)


def test_the_zero_shot_row_is_what_evaluate_says(tiny_ptbxl, model):
    (whole,) = run(tiny_ptbxl, model, fractions=[1.0]).fractions
    (plain,) = evaluate(
        "ptbxl-rhythm", data=tiny_ptbxl, prompts=["plain"], model=model, bootstrap=20
    ).prompt_sets
    assert list(whole.methods[0].per_class) == ["SR", "AFIB"]  # what fold 9 has, and nothing else is learnt
    assert (whole.methods[0].macro_auroc, whole.methods[0].interval) == (plain.macro_auroc, plain.interval)


def test_records_that_cannot_be_used_are_left_out_if_allowed(tiny_ptbxl, model, tmp_path):
    data = shutil.copytree(tiny_ptbxl, tmp_path / "data")
    signal = data / "records100" / "00000" / "00001_lr.dat"
    signal.write_bytes(signal.read_bytes()[:500])
    with pytest.raises(RecordError, match="00001_lr"):
        run(data, model, fractions=[1.0])
    result = run(data, model, fractions=[1.0], allow_missing=True)
    assert (result.n_training, result.missing_records, result.fractions[0].records) == (15, 1, (15,))
