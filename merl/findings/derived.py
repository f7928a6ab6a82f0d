"""What several findings rest on, derived from the measurements; shapes are (records, 12) or (records,)."""

from __future__ import annotations

import numpy as np

from merl.findings.regions import CHEST, in_every, lead
from merl.findings.statement import Truth, Values
from merl.measurements import LEADS, Measurements, frontal_axis


def r_height(m: Measurements) -> Values:
    """Return the taller of R and R' in millivolts, 0 or more."""
    return np.fmax(m.r_amplitude, m.r_prime_amplitude)


def s_depth(m: Measurements) -> Values:
    """Return the depth of S in millivolts, 0 or more; a QS complex counts as an S wave."""
    return np.where(m.qs == 1, -m.q_amplitude, -m.s_amplitude)


def sokolow_lyon(m: Measurements) -> Values:
    """Return S in V1 plus the taller R of V5 and V6, in millivolts (Sokolow and Lyon 1949)."""
    r = r_height(m)
    return lead(s_depth(m), "V1") + np.fmax(lead(r, "V5"), lead(r, "V6"))


def cornell(m: Measurements) -> Values:
    """Return R in aVL plus S in V3, in millivolts: the Cornell voltage (Casale et al. 1985)."""
    return lead(r_height(m), "aVL") + lead(s_depth(m), "V3")


def r_peak_time(m: Measurements, name: str) -> Values:
    """Return the time from the onset of the QRS complex to the peak of R in a lead, in milliseconds.

    The measured time begins at the inner edge of the QRS complex; 7 ms are half of what ``qrs_duration``
    allows for both edges.
    """
    return lead(m.r_peak_time, name) + 7


def sinus_p(m: Measurements) -> Truth:
    """Tell the records with alike P waves, upright in II."""
    upright, inverted = lead(m.p_max, "II"), -lead(m.p_min, "II")
    return (m.p_consistency > 0.55) & (upright > 0.04) & (upright > inverted)


def p_axis(m: Measurements) -> Values:
    """Return the frontal axis of the P wave in degrees: 0 is lead I, 90 is aVF."""
    net = m.p_max + m.p_min
    return frontal_axis(lead(net, "I"), lead(net, "aVF"))


def regular(m: Measurements) -> Truth:
    """Tell the records whose RR intervals are equal, without a premature beat."""
    return (m.rr_variation < 0.05) & (m.premature_beats == 0)


def qs_complexes(m: Measurements) -> Truth:
    """Tell the leads whose QRS complex is one negative deflection, of more than noise."""
    return (m.qs == 1) & (m.q_amplitude < -0.15)


def pathological_q(m: Measurements) -> Truth:
    """Tell the leads with a QS complex, or a Q wave that is broad, deep and no small part of the R wave.

    About 30 ms and 0.1 mV, as the Fourth Universal Definition of Myocardial Infarction has it for most leads
    (Thygesen et al. 2018); a fifth of the R wave is ours. Never in aVR, where Q is the rule, and in V1 only
    together with V2.
    """
    depth = -m.q_amplitude
    broad = (m.q_duration >= 28) & (depth > 0.09) & (depth > 0.2 * m.r_amplitude)
    found = (qs_complexes(m) | broad) & (np.array(LEADS) != "aVR")
    found[:, LEADS.index("V1")] &= found[:, LEADS.index("V2")]
    return found


def inverted_t(m: Measurements) -> Truth:
    """Tell the leads whose T wave points down by more than noise."""
    return m.t_amplitude < -0.07


#: Millivolts above which a T wave is tall, lead by lead; ours: in each, 0 to 7 % of PTB-XL's folds 1-8.
TALL_T = np.where([name in CHEST for name in LEADS], 0.9, 0.45)


def flat_t(m: Measurements) -> Truth:
    """Tell the leads whose T wave is no more than noise."""
    return np.abs(m.t_amplitude) <= 0.07


def low_t(m: Measurements) -> Truth:
    """Tell the leads whose T wave is upright and small, by itself or beside the R wave."""
    return (m.t_amplitude >= -0.07) & (m.t_amplitude < np.maximum(0.09, 0.08 * r_height(m)))


def normal_t(m: Measurements) -> Truth:
    """Tell the leads whose T wave is upright, at least a tenth of the R wave and not tall."""
    return (m.t_amplitude > np.maximum(0.1, 0.1 * r_height(m))) & (m.t_amplitude <= TALL_T)


def biphasic_t(m: Measurements, millivolts: float) -> Truth:
    """Tell the leads whose T wave goes further than some millivolts both up and down."""
    return (m.t_min < -millivolts) & (m.t_max > millivolts)


def isoelectric_st(m: Measurements, millivolts: float, *names: str) -> Truth:
    """Tell the records whose ST segment stays within some millivolts of the baseline in every lead named."""
    return in_every(np.abs(m.st_60) < millivolts, *names)
