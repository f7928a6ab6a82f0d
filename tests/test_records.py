import numpy as np
import pytest

from merl.errors import RecordError
from merl.records import ECGRecord


def test_some_leads_of_a_record():
    record = ECGRecord(np.arange(6, dtype=np.float32).reshape(3, 2), 100, ("I", "II", "V1"), "r")
    some = record.select(["V1", "I"])
    assert (some.leads, some.signal.tolist(), some.name) == (("V1", "I"), [[4, 5], [0, 1]], "r")
    with pytest.raises(RecordError, match="record 'r' has no lead V2; it has I, II, V1"):
        record.select(["V2"])


def test_missing_limb_leads_are_computed_and_named():
    record = ECGRecord(np.array([[1, 2], [3, 5], [7, 7]], np.float32), 100, ("II", "I", "aVL"), "r")
    full = record.with_limb_leads()
    assert full.leads == ("II", "I", "aVL", "III", "aVR", "aVF")
    assert full.derived == ("III", "aVR", "aVF")
    assert full.signal[:3].tolist() == record.signal.tolist()  # aVL was recorded and stays
    assert full.signal[3:].tolist() == [[-2, -3], [-2, -3.5], [-0.5, -0.5]]
    assert full.with_limb_leads() is full
    assert full.select(["aVR", "I"]).derived == ("aVR",)
    for leads in (("I", "III", "V1"), ("MLII", "V1", "V5"), ("V1", "V2", "V3")):
        assert ECGRecord(record.signal, 100, leads, "r").with_limb_leads().derived == ()


@pytest.mark.parametrize("rate", [float("nan"), float("inf"), -1, 0, 0.9, 1e5 + 1])
def test_a_rate_that_no_recorder_has_is_refused(rate):
    with pytest.raises(RecordError, match="is not possible; give one from 1 to 100000"):
        ECGRecord(np.zeros((1, 9), np.float32), rate, ("I",), "r")
