import dataclasses
import pickle

import numpy as np
import pytest

from merl.errors import UsageError
from merl.measurements import LEADS, Measurements


def test_what_was_not_found_is_nan_in_its_own_shape():
    found = Measurements.of({"heart_rate": 60, "r_amplitude": np.arange(12.0)})
    assert found.heart_rate == 60
    assert found.pr_interval.shape == ()
    assert np.isnan(found.pr_interval)
    assert found.st_j.shape == (12,)
    assert np.isnan(found.st_j).all()
    assert {getattr(found, item.name).dtype for item in dataclasses.fields(found)} == {np.dtype(np.float64)}
    with pytest.raises(TypeError):
        Measurements.of({"heartrate": 60})


def test_nothing_is_shared_between_two_measurements():
    found = Measurements.of({})
    found.st_j[0] = 1
    assert np.isnan(found.st_60[0])


def test_records_are_stacked_in_order_along_a_first_axis():
    records = [Measurements.of({"heart_rate": rate, "t_max": np.full(12, rate)}) for rate in (60, 70, 80)]
    table = Measurements.stack(records)
    assert table.heart_rate.tolist() == [60, 70, 80]
    assert table.t_max.shape == (3, 12)
    assert table.lead("t_max", "V3").tolist() == [60, 70, 80]
    assert np.isnan(table.qtc).all()
    assert pickle.loads(pickle.dumps(table)).heart_rate.tolist() == [60, 70, 80]  # noqa: S301
    with pytest.raises(UsageError, match="no measurements to stack"):
        Measurements.stack([])


def test_a_lead_is_taken_by_its_name():
    found = Measurements.of({"r_amplitude": np.arange(12.0)})
    assert [float(found.lead("r_amplitude", lead)) for lead in LEADS] == list(range(12))
    with pytest.raises(UsageError, match="unknown lead 'v1'; did you mean 'V1'"):
        found.lead("r_amplitude", "v1")
    with pytest.raises(UsageError, match="unknown measurement of each lead 'r_amplitud'; did you"):
        found.lead("r_amplitud", "V1")
    with pytest.raises(UsageError, match="unknown measurement of each lead 'heart_rate'"):
        found.lead("heart_rate", "V1")
