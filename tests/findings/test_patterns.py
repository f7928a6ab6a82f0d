"""Findings of several measurements: true of the whole pattern, no longer when one measurement is missing."""

import pytest

from tests.findings.records import record, said

INFERIOR, LEFT, RIGHT = ("II", "III", "aVF"), ("I", "V5", "V6"), ("V1", "V2", "V3")
MAIN = ("I", "II", "V3", "V4", "V5", "V6")


def at(names, value):
    return dict.fromkeys(names, value)


LEFT_BUNDLE = {
    "qrs_duration": 150,
    "q_amplitude": at(LEFT, 0),
    "r_amplitude": at(("V1", "V2"), 0.2),
    "s_amplitude": at(LEFT, 0) | at(RIGHT, -1.8),
    "st_60": at(LEFT, -0.1) | at(RIGHT, 0.2),
    "t_amplitude": at(LEFT, -0.3) | at(RIGHT, 0.6),
}
RIGHT_BUNDLE = {"qrs_duration": 140, "r_prime_amplitude": {"V1": 0.6}, "s_amplitude": at(("I", "V6"), -0.18)}
INCOMPLETE = RIGHT_BUNDLE | {"qrs_duration": 112}
FIBRILLATION = {"rr_variation": 0.25, "rr_successive": 0.3, "p_consistency": 0.1}
HYPERTROPHY = {
    "r_amplitude": {"V5": 2.5, "V6": 1.7},
    "s_amplitude": {"V1": -1.8},
    "st_60": {"V6": -0.08},
    "t_amplitude": {"V6": -0.1},
}
INFARCTION = {
    "q_amplitude": at(INFERIOR, -0.3),
    "q_duration": at(INFERIOR, 40),
    "st_60": at(INFERIOR, 0.15) | at(("I", "aVL"), -0.06),
    "st_j": at(INFERIOR, 0.15),
    "t_amplitude": at(INFERIOR, -0.2),
}
HEMIBLOCK = {
    "qrs_axis": -55,
    "q_amplitude": at(INFERIOR, 0) | {"aVL": -0.1},
    "r_amplitude": at(INFERIOR, 0.2) | {"aVL": 0.9},
    "s_amplitude": at(("II", "aVF"), -0.6) | {"III": -0.9},
}
LOW = {"qrs_peak_to_peak": 0.7, "t_amplitude": 0.09}
FLAT = {"t_amplitude": 0.065, "r_amplitude": at(("V4", "V5", "V6"), 1.2)}
WANDERING = {"rr_variation": 0.09, "rr_successive": 0.06}
EARLY = {"premature_beats": 1, "rr_variation": 0.1}
THIRD = {"trigeminy": 0.6, "rr_variation": 0.2}
PREEXCITATION = {"pr_interval": 100, "qrs_duration": 116}
RETROGRADE = {"p_min": at(("II", "III", "aVF"), -0.1), "p_max": at(("II", "III", "aVF"), 0.02)}
DEPRESSED = {"st_60": at((*INFERIOR, "V4", "V5", "V6"), -0.048)}
INVERTED = {"t_amplitude": at(MAIN[:4], -0.1)}

PATTERNS = [
    (LEFT_BUNDLE, {"qrs_duration": 110}, "secondary st segment and t wave opposite to a wide qrs"),
    (LEFT_BUNDLE, {"t_amplitude": 0.3}, "secondary st segment and t wave opposite to a wide qrs"),
    (LEFT_BUNDLE, {"qrs_duration": 110}, "discordant st elevation with upright t wave in v1 to v3"),
    (LEFT_BUNDLE, {"st_60": 0}, "discordant st elevation with upright t wave in v1 to v3"),
    (LEFT_BUNDLE, {"s_amplitude": -0.3}, "broad monophasic r wave in i and v6"),
    (LEFT_BUNDLE, {"q_amplitude": -0.1}, "broad monophasic r wave in i and v6"),
    (LEFT_BUNDLE, {"qs": 1}, "broad monophasic r wave in i and v6"),
    (LEFT_BUNDLE, {"q_amplitude": -0.1}, "missing septal q waves in i and v6"),
    (LEFT_BUNDLE, {"r_amplitude": 0.5}, "deep wide qs or rs complex in v1 to v3"),
    (LEFT_BUNDLE, {"qrs_duration": 110}, "deep wide qs or rs complex in v1 to v3"),
    (RIGHT_BUNDLE, {"qrs_duration": 110}, "m-shaped qrs in v1"),
    (RIGHT_BUNDLE, {"r_prime_amplitude": 0.1}, "m-shaped qrs in v1"),
    (RIGHT_BUNDLE, {"s_amplitude": -0.1}, "broad s wave in i and v6 with wide qrs"),
    (RIGHT_BUNDLE, {"qrs_duration": 110}, "broad s wave in i and v6 with wide qrs"),
    (INCOMPLETE, {"r_prime_amplitude": 0}, "rsr' in v1 with nearly normal qrs duration"),
    (INCOMPLETE, {"r_prime_amplitude": 0}, "small terminal r' in v1 with qrs of 110 to 119 ms"),
    (FIBRILLATION, {"p_consistency": 0.6}, "irregularly irregular rr intervals"),
    (FIBRILLATION, {"rr_successive": 0.1}, "irregularly irregular rr intervals"),
    (FIBRILLATION, {"wide_premature": 3}, "irregularly irregular rr intervals"),
    (HYPERTROPHY, {"t_amplitude": 0.3}, "strain pattern in v5 or v6 with high voltage"),
    (HYPERTROPHY, {"st_60": 0}, "strain pattern in v5 or v6 with high voltage"),
    (HYPERTROPHY, {"r_amplitude": 0.5}, "strain pattern in v5 or v6 with high voltage"),
    (HYPERTROPHY, {"s_amplitude": -0.2}, "tall r waves in v5 and v6 with deep s waves in v1"),
    (INFARCTION, {"q_duration": 20}, "pathological q waves in the inferior leads"),
    (INFARCTION, {"q_amplitude": -0.08}, "pathological q waves in the inferior leads"),
    (INFARCTION, {"r_amplitude": 2}, "pathological q waves in the inferior leads"),
    (INFARCTION, {"t_amplitude": 0.3}, "q waves with inverted t waves in ii, iii and avf"),
    (INFARCTION, {"st_60": 0.1}, "reciprocal st depression in i and avl"),
    (INFARCTION, {"st_j": 0}, "st elevation of 1 mm or more in iii and avf"),
    (INFARCTION, {"st_60": 0}, "st elevation of 1 mm or more in iii and avf"),
    (HEMIBLOCK, {"qrs_duration": 130}, "superior axis with narrow qrs complexes"),
    (HEMIBLOCK, {"qrs_axis": -120}, "superior axis with narrow qrs complexes"),
    (HEMIBLOCK, {"s_amplitude": {"II": -0.1}}, "rs complexes in ii, iii and avf"),
    (HEMIBLOCK, {"q_amplitude": {"aVL": 0}}, "rs in the inferior leads and qr in avl"),
    (HEMIBLOCK, {"s_amplitude": {"II": -1.2}}, "s wave in iii deeper than in ii"),
    (LOW, {"qrs_peak_to_peak": {"II": 0.9}}, "diffusely low qrs amplitudes"),
    (LOW, {"qrs_peak_to_peak": {"V3": 1.6}}, "diffusely low qrs amplitudes"),
    (LOW, {"t_amplitude": {"V4": 0.2, "V5": 0.2}}, "t wave peak below 1 mm in i, ii, avl, v4 to v6"),
    (FLAT, {"t_amplitude": 0.085}, "flat t waves in v5 and v6 despite tall r waves"),
    (FLAT, {"t_amplitude": 0.2}, "generally flat t waves"),
    (WANDERING, {"rr_successive": 0.3}, "rr intervals lengthening and shortening gradually"),
    (WANDERING, {"premature_beats": 1}, "rr intervals lengthening and shortening gradually"),
    (WANDERING, {"heart_rate": 95}, "pp intervals varying by more than 120 ms"),
    (EARLY, {"wide_premature": 1}, "early narrow beat"),
    (EARLY, {"premature_beats": 5}, "early narrow beat"),
    (EARLY, {"qrs_duration": 125}, "early narrow beat"),
    (THIRD, {"bigeminy": 0.6}, "every third qrs complex comes early"),
    (THIRD, {"rr_variation": 0.03}, "every third qrs complex comes early"),
    (PREEXCITATION, {"qrs_duration": 90}, "pr interval below 120 ms with a wide qrs complex"),
    (PREEXCITATION, {"p_consistency": 0.5}, "pr interval below 120 ms with a wide qrs complex"),
    (INVERTED, {"t_amplitude": {"I": 0.2}}, "widespread t wave inversion"),
    (INVERTED, {"st_60": {"V4": 0.06}}, "t wave abnormality with isoelectric st segment"),
    ({"t_min": at(("V5", "V6"), -0.06)}, {"t_max": 0.02}, "t waves biphasic or negative by less than 1 mm"),
    ({"r_notches": at(("II", "V5"), 1)}, {"qrs_peak_to_peak": {"II": 0.4}}, "notched qrs in several leads"),
    ({"r_peak_time": at(("V5", "V6"), 50)}, {"r_peak_time": {"V6": 40}}, "late r peak in v5 and v6"),
    (DEPRESSED, {"st_60": {"II": 0, "V5": 0}}, "widespread st depression"),
    (RETROGRADE, {"p_consistency": 0.2}, "abnormal p wave axis"),
    (RETROGRADE, {"p_min": {"III": -0.01}}, "negative p waves in ii, iii and avf"),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "spoiler", "text"), PATTERNS)
def test_a_pattern_needs_each_of_its_measurements(pattern, spoiler, text):
    assert text in said(record(**pattern))
    spoiled = dict(pattern)
    for (
        name,
        change,
    ) in spoiler.items():  # leads that the spoiler does not name keep what the pattern says of them
        both = isinstance(change, dict) and isinstance(pattern.get(name), dict)
        spoiled[name] = pattern[name] | change if both else change
    assert text not in said(record(**spoiled))
