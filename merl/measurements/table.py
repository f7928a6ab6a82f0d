"""The measurements of one ECG or of many, by name and by lead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from merl.errors import UsageError, unknown
from merl.records import STANDARD_LEADS

#: The leads along the last axis of what is measured in each lead.
LEADS = STANDARD_LEADS

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LeadMeasurements:
    """What was measured in each lead: float64, shape (12,) of one record, (records, 12) of many.

    The leads are in the order of ``LEADS``; NaN stands for what could not be measured. Amplitudes are those
    of the median beat above the level just before its QRS complex.

    Attributes:
        q_amplitude: least value before the first R wave, in millivolts, at most 0; without an R wave the
            least value of the complex.
        q_duration: of the Q wave in milliseconds, 0 where it is above -0.03 mV; without an R wave for how
            long the complex is below -0.015 mV.
        r_amplitude: of the R wave in millivolts, the first one where there is an R' wave, else the highest.
        s_amplitude: least value after the first R wave, in millivolts, at most 0; 0 without an R wave.
        r_prime_amplitude: of the highest R' wave in millivolts, 0 without one.
        qs: 1 where the complex has no R wave, else 0.
        st_60: mean level around 60 ms after the end of the QRS complex, in millivolts.
        st_j: level 10 ms after the end of the QRS complex, in millivolts.
        t_amplitude: the one of ``t_max`` and ``t_min`` that is farther from 0, in millivolts.
        t_min: least value of the T wave in millivolts.
        t_max: highest value of the T wave in millivolts.
        p_max: highest value of the P wave above the line through its feet, in millivolts.
        p_min: least value of the P wave above the line through its feet, in millivolts.
        r_peak_time: from the start of the QRS complex to the highest R peak, in milliseconds.
        qrs_peak_to_peak: highest less least value of the QRS complex, in millivolts.
        qrs_area: area under the QRS complex, in millivolt seconds; what is negative counts against it.
        r_notches: peaks of the QRS complex beyond the R and R' waves.
    """

    q_amplitude: Values
    q_duration: Values
    r_amplitude: Values
    s_amplitude: Values
    r_prime_amplitude: Values
    qs: Values
    st_60: Values
    st_j: Values
    t_amplitude: Values
    t_min: Values
    t_max: Values
    p_max: Values
    p_min: Values
    r_peak_time: Values
    qrs_peak_to_peak: Values
    qrs_area: Values
    r_notches: Values


@dataclass(frozen=True, eq=False)
class Measurements(LeadMeasurements):
    """All that was measured: in each lead, and here of the record, float64, shape () or (records,).

    NaN stands for what could not be measured.

    Attributes:
        heart_rate: beats a minute, by the median RR interval.
        rr_variation: standard deviation of the RR intervals as a share of their mean.
        rr_successive: root mean square difference of successive RR intervals as a share of their median.
        premature_beats: how many beats come early and are followed by a pause or by none, or are unlike the
            typical beat.
        wide_premature: how many of the premature beats are unlike the typical beat.
        qrs_duration: in milliseconds.
        pr_interval: from the start of P to the start of QRS, in milliseconds.
        qt_interval: from the start of QRS to the end of T, in milliseconds.
        qtc: QT interval corrected for the heart rate by Bazett's formula, in milliseconds.
        qrs_axis: frontal axis of the QRS complex in degrees, -180 to 180; 0 is lead I, 90 is aVF.
        p_duration: of the P wave in milliseconds.
        p_consistency: mean correlation, -1 to 1, between the beats of what lies before the QRS complex.
        p_terminal_force: depth times duration of the negative second half of P in V1, in millivolt
            milliseconds, at least 0.
        bigeminy: 0 to 1, how regularly a short RR interval alternates with a long one.
        trigeminy: -1 to 1, autocorrelation of the RR intervals at three beats.
        beats: how many beats were found.
    """

    heart_rate: Values
    rr_variation: Values
    rr_successive: Values
    premature_beats: Values
    wide_premature: Values
    qrs_duration: Values
    pr_interval: Values
    qt_interval: Values
    qtc: Values
    qrs_axis: Values
    p_duration: Values
    p_consistency: Values
    p_terminal_force: Values
    bigeminy: Values
    trigeminy: Values
    beats: Values

    @classmethod
    def of(cls, found: Mapping[str, ArrayLike]) -> Measurements:
        """Take what was found in one record by attribute; what is not in it is NaN."""
        each_lead = _names(LeadMeasurements)
        values = {name: np.full(len(LEADS) if name in each_lead else (), np.nan) for name in _names(cls)}
        return cls(**(values | {name: np.asarray(value, np.float64) for name, value in found.items()}))

    @classmethod
    def stack(cls, records: Sequence[Measurements]) -> Measurements:
        """Put the measurements of single records together, in order, along a new first axis.

        Raises:
            UsageError: there are none.
        """
        if not len(records):
            raise UsageError("there are no measurements to stack; give those of one record or more")
        return cls(**{name: np.stack([getattr(record, name) for record in records]) for name in _names(cls)})

    def rows(self, chosen: slice) -> Measurements:
        """Return some of many records."""
        return Measurements(**{name: getattr(self, name)[chosen] for name in _names(Measurements)})

    def lead(self, name: str, lead: str) -> Values:
        """Return one lead's column of what is measured in each lead.

        Args:
            name: an attribute of ``LeadMeasurements``.
            lead: in standard spelling.

        Returns:
            Shape () of one record, (records,) of many.

        Raises:
            UsageError: there is no such measurement of each lead, or no such lead.
        """
        if name not in _names(LeadMeasurements):
            raise UsageError(unknown("measurement of each lead", name, _names(LeadMeasurements)))
        if lead not in LEADS:
            raise UsageError(unknown("lead", lead, LEADS))
        return np.asarray(getattr(self, name)[..., LEADS.index(lead)], np.float64)


def _names(kind: type[LeadMeasurements]) -> list[str]:
    return [item.name for item in fields(kind)]
