import numpy as np
import pytest

from merl.datasets.tasks import TaskData
from merl.errors import DataError
from merl.evaluation.evidence import Waveform
from merl.evaluation.examples import choose, gather_evidence, histogram
from merl.evaluation.leading import kind_of, leading
from merl.records import STANDARD_LEADS, ECGRecord
from merl.simulation import Rhythm, simulate
from tests.report.comparisons import compare, make_prompts


def test_a_waveform_comes_back_to_within_its_step():
    record = simulate(Rhythm(), sampling_rate=100).select(STANDARD_LEADS[:8]).with_limb_leads()
    packed = Waveform.of(record, whole=record)
    back = Waveform.model_validate_json(packed.model_dump_json()).record("one")
    np.testing.assert_allclose(back.signal, record.signal, atol=0.0026)
    assert (back.leads, back.derived, back.sampling_rate) == (record.leads, record.derived, 100)
    assert len(packed.microvolts) < 16_000


def test_a_waveform_survives_leaps_between_the_ends_of_its_range():
    signal = np.array([[-40.0, 40.0, 0.0, 32.765, -32.765]], np.float32)
    record = ECGRecord(signal, 100, ("I",))
    back = Waveform.of(record, whole=record).record("one")
    np.testing.assert_allclose(back.signal, [[-32.765, 32.765, 0, 32.765, -32.765]])


@pytest.mark.parametrize("microvolts", ["?", "AAAA", ""])
def test_a_damaged_waveform_is_refused(microvolts):
    packed = Waveform(sampling_rate=100, seconds=10, leads=("I",), microvolts=microvolts)
    with pytest.raises(DataError, match="'one' in this result is damaged"):
        packed.record("one")


def test_best_and_worst_are_those_with_the_class_and_never_the_same():
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2])
    labels = np.array([0, 1, 1, 0, 1, 0, 1, 0], bool)
    assert choose(scores, labels) == {"best": [1, 2], "worst": [6, 4], "mistaken": [0, 3, 5]}
    only = np.arange(8) == 3
    assert choose(scores, only) == {"best": [3], "worst": [], "mistaken": [0, 1, 2]}
    assert choose(scores, ~only)["mistaken"] == [3]


def test_a_histogram_counts_every_record_once():
    scores, labels = np.array([0.1, 0.1, 0.5, 0.9]), np.array([True, False, False, True])
    counted = histogram(scores, labels)
    assert (counted.low, counted.high) == (0.1, 0.9)
    assert (counted.positives[0], counted.positives[-1], sum(counted.positives)) == (1, 1, 2)
    assert sum(counted.negatives) == 2
    assert sum(histogram(np.zeros(4), labels).positives) == 2


def test_records_are_cut_thinned_and_known_by_name_alone(tmp_path):
    labels = np.array([[1], [0], [1], [0]], bool)
    records = TaskData(
        task="toy",
        dataset="Toy",
        split="val",
        classes=("A",),
        labels=labels,
        patients=np.array([11, 22, 33, 44]),
        split_patients=np.array([11, 22, 33, 44]),
        names=("one", "two", "three", "four"),
        paths=(tmp_path / "patient-smith",) * 4,
        rows=np.arange(4),
        reader=lambda _, row: simulate(Rhythm(), seconds=20, sampling_rate=500, seed=row),
    )
    scores = {"plain": np.array([[0.4], [0.3], [0.2], [0.1]]), "mine": np.array([[0.1], [0.2], [0.3], [0.4]])}
    sets = [make_prompts("plain", ["A"], 1), make_prompts("mine", ["A"], 3)]
    evidence = gather_evidence(sets, scores, records, examples_by="mine")
    (best,) = evidence.examples["A"].best
    assert (best.record, best.labels, best.ranks) == ("three", ("A",), {"plain": 3, "mine": 2})
    wave = evidence.ecgs["three"]
    assert (wave.sampling_rate, wave.recorded_rate, wave.seconds) == (125, 500, 20)
    drawn = wave.record("three").signal
    assert drawn.shape == (12, 1250)
    whole = records.read(2).signal[:, :5000]
    assert np.abs(drawn[:, 5:-5] - whole[:, ::4][:, 5:-5]).mean() < 0.01
    assert "patient" not in evidence.model_dump_json()


@pytest.mark.parametrize(
    ("sets", "baseline", "others"),
    [
        (["plain", "mine"], "plain", ["mine"]),
        (["mine", "plain", "better"], "plain", ["better", "mine"]),
        (["shuffled", "mine", "better"], "mine", ["better"]),
        (["plain", "shuffled"], "plain", ["shuffled"]),
        (["shuffled"], "shuffled", []),
    ],
)
def test_who_is_set_against_whom(sets, baseline, others):
    kinds = {
        name: kind_of(name, control="its classes shuffled" if name == "shuffled" else None) for name in sets
    }
    macro = {"plain": 0.7, "mine": 0.6, "better": 0.9, "shuffled": 0.5}
    assert leading(kinds, macro) == (baseline, others)


def test_a_generator_knows_its_kind_better_than_a_name():
    assert kind_of("plain", "imported") == "imported"
    assert kind_of("names", "plain", "class names alone") == "plain"
    assert kind_of("shuffled", "control") == "control"
    assert kind_of("random-encoder", "ckepe", "with an untrained encoder") == "control"
    assert kind_of("mine") is None


def test_evidence_is_a_small_part_of_the_file():
    result = compare(["A", "B"], {"plain": 1, "mine": 2})
    assert len(result.model_dump_json(indent=2)) < 20_000 * len(result.evidence.ecgs) + 200_000
