from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.special import log_softmax
from sklearn.base import clone

from merl.ckepe.prompt_set import ClassPrompts, Generator, Phrase, PromptSet
from merl.classifier import ZeroShotClassifier
from merl.embedding import embed_records
from merl.errors import PromptError, RecordError, UsageError
from merl.preprocessing import SignalSpec
from merl.records import ECGRecord
from merl.zeroshot import ENSEMBLES, class_embeddings, phrase_cosines

AXES = torch.eye(3)
TEXTS = {"sinus rhythm": AXES[0], "regular P waves": AXES[1], "atrial fibrillation": AXES[2]}


@dataclass(eq=False)
class FakeModel:
    """Embeds each known text as an axis, and a window as the axis its lead I is as high as (1, 2 or 3 mV)."""

    spec: SignalSpec = field(
        default_factory=lambda: SignalSpec(leads=("I", "II"), sampling_rate=1, seconds=4)
    )
    sha256: str | None = "a" * 64
    texts: list = field(default_factory=list)
    batches: list = field(default_factory=list)
    config: object = field(default_factory=lambda: SimpleNamespace(projection="merl", embed_dim=3))

    def encode_text(self, texts, *, normalize=False):
        assert normalize
        self.texts += texts
        return torch.stack([TEXTS[text] for text in texts])

    def encode_ecg(self, signals):
        self.batches.append(len(signals))
        heights = signals[:, 0].float().amax(-1)  # (windows,)
        return 5 * AXES[heights.round().long() - 1]  # not of unit length: a window's size must not count


def record(*heights, leads=("I", "II"), name="r"):
    """A record whose windows of four samples have the given heights."""
    one = np.concatenate([[0, height, 0, 0] for height in heights])
    return ECGRecord(np.array([one, one], np.float32), 1, leads, name)


def prompt_set(**classes):
    """Make a set of the given texts; those that begin with "not" speak against their class."""

    def phrase(text):
        sign = "absent" if text.startswith("not ") else "present"
        return Phrase(text=text.removeprefix("not "), polarity=sign)

    entries = {
        code: ClassPrompts(name=code, prompts=tuple(phrase(text) for text in texts))
        for code, texts in classes.items()
    }
    return PromptSet(label_set="toy", generator=Generator(kind="manual"), classes=entries)


PROMPTS = prompt_set(
    SR=["sinus rhythm", "regular P waves"], AFIB=["atrial fibrillation", "not regular P waves"]
)


def test_a_class_is_the_unit_mean_of_its_present_phrases():
    half = 0.5**0.5
    torch.testing.assert_close(
        class_embeddings(FakeModel(), PROMPTS), torch.tensor([[half, half, 0], [0, 0, 1]])
    )


def named(name, *others, against=()):
    """A set of one class: its name, other phrases that speak for it, and what speaks against it."""
    phrases = (
        Phrase(text=name, role="name"),
        *(Phrase(text=text) for text in others),
        *(Phrase(text=text, polarity="absent") for text in against),
    )
    entry = ClassPrompts(name=name, prompts=phrases)
    return PromptSet(label_set="toy", generator=Generator(kind="manual"), classes={"SR": entry})


TEXTS["sinus rhythm, regular p waves, atrial fibrillation"] = AXES[2]


@pytest.mark.parametrize(
    ("ensemble", "expected"),
    [
        ("mean", [3**-0.5] * 3),
        ("joined", [0, 0, 1]),
        ("max", [1, 1, 1]),
        ("name-weighted", np.array([2, 1, 1]) / 6**0.5),  # the name 1, the two others a half each
    ],
)
def test_phrases_are_combined_as_the_ensemble_says(ensemble, expected):
    prompts = named("sinus rhythm", "regular P waves", "atrial fibrillation")
    scorer = ZeroShotClassifier(FakeModel(), prompts, ensemble=ensemble)
    scores = scorer.decision_function([record(1), record(2), record(3)])
    np.testing.assert_allclose(scores[:, 0], expected, atol=1e-6)


@pytest.mark.parametrize("ensemble", ENSEMBLES)
def test_a_name_alone_is_itself_under_every_ensemble(ensemble):
    scorer = ZeroShotClassifier(FakeModel(), named("sinus rhythm"), ensemble=ensemble)
    np.testing.assert_allclose(scorer.decision_function([record(1), record(2)]), [[1], [0]], atol=1e-6)


@pytest.mark.parametrize("ensemble", ["mean", "max"])
def test_what_speaks_against_a_class_counts_only_with_a_weight(ensemble):
    prompts = named("sinus rhythm", against=["regular P waves", "atrial fibrillation"])
    scorer = ZeroShotClassifier(FakeModel(), prompts, ensemble=ensemble)
    records = [record(1), record(2), record(3)]
    np.testing.assert_allclose(scorer.decision_function(records)[:, 0], [1, 0, 0], atol=1e-6)
    assert scorer.model.texts == ["sinus rhythm"]  # the others are not even read
    scorer.set_params(absent_weight=0.5)
    less = {"mean": -0.5 / 2**0.5, "max": -0.5}[ensemble]
    np.testing.assert_allclose(scorer.decision_function(records)[:, 0], [1, less, less], atol=1e-6)


def test_a_class_without_counter_findings_is_scored_as_ever():
    scorer = ZeroShotClassifier(FakeModel(), PROMPTS, absent_weight=0.25)
    half = 0.5**0.5
    np.testing.assert_allclose(
        scorer.decision_function([record(1), record(2)]), [[half, 0], [half, -0.25]], atol=1e-6
    )


def test_contrast_takes_off_what_a_record_has_in_common_with_all_classes():
    records = [record(1), record(2), record(3)]
    cosines = ZeroShotClassifier(FakeModel(), PROMPTS).decision_function(records)
    some, all_of_it = (
        ZeroShotClassifier(FakeModel(), PROMPTS, contrast=contrast).decision_function(records)
        for contrast in (0.5, 1.0)
    )
    for scores in (some, all_of_it):
        np.testing.assert_allclose(
            np.diff(scores), np.diff(cosines), atol=1e-6
        )  # classes keep their distances
    np.testing.assert_allclose(
        all_of_it, 0.07 * log_softmax(cosines / 0.07, axis=1) + 0.07 * np.log(2), atol=1e-6
    )
    np.testing.assert_allclose(some, (cosines + all_of_it) / 2, atol=1e-6)


def test_a_contrast_needs_another_class():
    one = prompt_set(SR=["sinus rhythm"])
    with pytest.raises(UsageError, match="one class, and a contrast is with others"):
        ZeroShotClassifier(FakeModel(), one, contrast=0.5).decision_function([record(1)])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"contrast": 1.5}, "contrast is 1.5; give 0"),
        ({"ensemble": "avg"}, "unknown ensemble 'avg'; allowed are joined, max, mean, name-weighted"),
        ({"ensemble": "joint"}, "did you mean 'joined'"),
        ({"absent_weight": -0.1}, "absent_weight is -0.1; give 0"),
        ({"absent_weight": 2}, "absent_weight is 2; give 0"),
        ({"absent_weight": float("nan")}, "absent_weight is nan; give 0"),
    ],
)
def test_an_unknown_way_of_scoring_is_refused_before_anything_is_encoded(options, sentence):
    model = FakeModel()
    with pytest.raises(UsageError, match=sentence):
        ZeroShotClassifier(model, PROMPTS, **options).decision_function([record(1)])
    assert (model.texts, model.batches) == ([], [])


def test_max_has_no_class_embedding():
    with pytest.raises(UsageError, match="max keeps every phrase apart"):
        class_embeddings(FakeModel(), PROMPTS, ensemble="max")


@pytest.mark.parametrize("texts", [[], ["not regular P waves"]])
def test_a_class_that_nothing_speaks_for_is_refused(texts):
    with pytest.raises(PromptError, match="class 'AFIB' has no phrase that speaks for it; give"):
        class_embeddings(FakeModel(), prompt_set(SR=["sinus rhythm"], AFIB=texts))


def test_a_long_record_is_the_mean_of_its_windows():
    half = 0.5**0.5
    found = embed_records(FakeModel(), [record(1), record(1, 3), record(3, 3, 3)])
    np.testing.assert_allclose(found, [[1, 0, 0], [half, 0, half], [0, 0, 1]], atol=1e-6)
    assert found.dtype == np.float32


def test_batches_change_nothing_and_stay_small():
    records = [record(*heights) for heights in ((1,), (2, 2, 3), (3,), (1, 2), (2,))]
    whole, model, seen = embed_records(FakeModel(), records), FakeModel(), []
    found = embed_records(model, (r for r in records), batch_size=2, progress=seen.append)
    np.testing.assert_array_equal(found, whole)
    assert max(model.batches) == 2  # also the four windows of the first two records
    assert seen == [2, 4, 5]


def test_leads_go_by_name():
    swapped = ECGRecord(np.array([[0, 0, 0, 0], [0, 2, 0, 0]], np.float32), 1, ("II", "I"), "swapped")
    np.testing.assert_array_equal(embed_records(FakeModel(), [swapped]), [[0, 1, 0]])


def test_a_record_without_a_lead_is_named():
    model = FakeModel()
    with pytest.raises(RecordError, match="record 'short' has no lead II; it has I, V1"):
        embed_records(model, [record(1), record(1, leads=("I", "V1"), name="short")])
    assert not model.batches


def test_no_records_make_no_rows():
    assert embed_records(FakeModel(), []).shape == (0, 3)


def test_scores_are_cosines_in_the_order_of_the_classes():
    classifier = ZeroShotClassifier(FakeModel(), PROMPTS).fit()
    scores = classifier.decision_function([record(1), record(3), record(1, 3)])
    half = 0.5**0.5
    np.testing.assert_allclose(scores, [[half, 0], [0, 1], [0.5, half]], atol=1e-6)
    assert list(classifier.classes_) == ["SR", "AFIB"]
    assert list(classifier.predict([record(1), record(3)])) == ["SR", "AFIB"]
    assert not hasattr(classifier, "predict_proba")


def test_prompts_are_embedded_once_until_they_change():
    model = FakeModel()
    classifier = ZeroShotClassifier(model, PROMPTS)
    for _ in range(2):
        classifier.decision_function([record(1)])
    assert len(model.texts) == 3
    classifier.set_params(prompts=prompt_set(AFIB=["atrial fibrillation"]))
    assert classifier.decision_function([record(3)]).tolist() == [[1.0]]


def test_a_clone_shares_the_model():
    model = FakeModel()
    copy = clone(ZeroShotClassifier(model, PROMPTS, ensemble="max", absent_weight=0.1, contrast=0.2))
    assert copy.model is model
    assert (copy.ensemble, copy.absent_weight, copy.contrast) == ("max", 0.1, 0.2)
    assert copy.prompts is PROMPTS


def test_a_single_record_is_no_list():
    with pytest.raises(UsageError, match=r"write \[record\]"):
        ZeroShotClassifier(FakeModel(), PROMPTS).decision_function(record(1))


def test_a_faulty_prompt_is_said_before_any_ecg_is_encoded():
    model = FakeModel()
    with pytest.raises(PromptError):
        ZeroShotClassifier(model, prompt_set(SR=[])).decision_function([record(1)])
    assert not model.batches


def test_phrases_of_each_class_are_compared_in_their_order():
    model = FakeModel()
    ecgs = embed_records(model, [record(1), record(3), record(1, 3)])
    of_sr, of_afib = phrase_cosines(model, PROMPTS, ecgs)
    half = 0.5**0.5
    np.testing.assert_allclose(of_sr, [[1, 0], [0, 0], [half, 0]], atol=1e-6)
    np.testing.assert_allclose(of_afib, [[0], [1], [half]], atol=1e-6)  # what speaks against it is no column


LABELLED = [record(height) for height in (1, 1, 2, 3, 3, 3)]
TRUTH = np.array([[1, 0], [1, 0], [1, 0], [0, 1], [0, 1], [0, 0]])


def test_there_is_no_predict_proba_before_a_calibration():
    scorer = ZeroShotClassifier(FakeModel(), PROMPTS)
    assert not hasattr(scorer, "predict_proba")
    assert hasattr(scorer.calibrate(LABELLED, TRUTH), "predict_proba")
    assert not hasattr(clone(scorer), "predict_proba")  # a clone is not fitted


def test_probabilities_follow_the_scores_and_the_rates():
    scorer = ZeroShotClassifier(FakeModel(), PROMPTS).calibrate(LABELLED, TRUTH)
    proba = scorer.predict_proba(LABELLED)
    assert proba.shape == (6, 2)
    assert ((proba > 0) & (proba < 1)).all()
    assert proba[0, 0] > 0.5 > proba[3, 0]
    targets = 3 / 4, 3 / 4, 1 / 6  # of the three records like it, by Platt: two positives, four negatives
    assert proba[3, 1] == pytest.approx(sum(targets) / 3, abs=1e-3)


def test_a_calibration_is_stored_and_serves_its_own_model_and_prompts_only(tmp_path):
    scorer = ZeroShotClassifier(FakeModel(), PROMPTS).calibrate(LABELLED, TRUTH)
    scorer.calibration_.save(tmp_path / "calibration.json")
    again = ZeroShotClassifier(FakeModel(), PROMPTS).load_calibration(tmp_path / "calibration.json")
    np.testing.assert_array_equal(again.predict_proba(LABELLED), scorer.predict_proba(LABELLED))
    other = ZeroShotClassifier(FakeModel(sha256="b" * 64), PROMPTS)
    with pytest.raises(UsageError, match="made for another checkpoint"):
        other.load_calibration(tmp_path / "calibration.json")
    assert not hasattr(other, "predict_proba")
    scorer.set_params(ensemble="max")
    with pytest.raises(UsageError, match="made for another ensemble"):
        scorer.predict_proba(LABELLED)


def test_a_calibration_of_some_leads_looks_at_no_others():
    scorer = ZeroShotClassifier(FakeModel(), PROMPTS).calibrate(LABELLED, TRUTH)
    scorer.calibration_ = scorer.calibration_.model_copy(update={"leads": ("I", "V1")})
    with pytest.raises(RecordError, match="V1"):
        scorer.predict_proba(LABELLED)


@pytest.mark.parametrize("truth", [TRUTH[:3], TRUTH[:, :1], TRUTH + 1, np.zeros((6, 2)) + 0.5])
def test_labels_of_another_shape_or_kind_are_refused(truth):
    with pytest.raises(UsageError, match="give 0 or 1 for each of 6 records and 2 classes"):
        ZeroShotClassifier(FakeModel(), PROMPTS).calibrate(LABELLED, truth)


def test_a_model_without_a_hash_cannot_be_calibrated():
    with pytest.raises(UsageError, match="save the model"):
        ZeroShotClassifier(FakeModel(sha256=None), PROMPTS).calibrate(LABELLED, TRUTH)
