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
