"""What is said of a normal ECG, and what changes in it."""

import numpy as np
import pytest

from merl.errors import UsageError
from merl.findings import findings
from merl.findings.regions import REGIONS
from merl.measurements import LEADS, Measurements
from tests.findings.records import record, said

SAID_OF_NORMAL = {
    "narrow qrs complexes", "normal pr interval", "qtc within normal limits", "heart rate of 60 to 100/min",
    "regular rhythm", "one p wave before every qrs complex", "no premature beats",
    "frontal qrs axis between -30 and +90 degrees", "qrs amplitudes within normal limits",
    "r wave growing steadily from v2 to v4", "septal q waves in i and v6",
    "no pathological q waves in v1 to v4",
    "isoelectric st segments in all leads", "t waves of normal height in all leads", "no st-t abnormality",
}  # fmt: skip
ABNORMAL = (
    "premature wide",
    "pathological",
    "st depression",
    "st elevation",
    "inverted t waves in v",
    "wide qrs",
)


def test_a_normal_ecg_is_said_to_be_normal():
    true = said(record())
    assert true >= SAID_OF_NORMAL
    assert not [text for text in true if text.startswith(ABNORMAL)]


def test_texts_are_lower_case_and_stand_once():
    all_findings = findings(Measurements.stack([record()]))
    texts = [finding.text for finding in all_findings]
    assert texts == [text.lower() for text in texts]
    assert len(texts) == len(set(texts)) == 2269
    assert {finding.kind for finding in all_findings} == {
        "qrs duration", "pr interval", "qtc", "rate", "rhythm", "premature beats", "axis", "voltage",
        "qrs shape", "q waves", "st segment", "t waves", "st-t", "p waves",
    }  # fmt: skip


def test_the_texts_do_not_depend_on_the_records():
    table = Measurements.stack([record(), record(qrs_duration=150), record(qtc=480)])
    found = findings(table)
    assert [finding.text for finding in found] == [
        finding.text for finding in findings(Measurements.stack([record()]))
    ]
    assert all(finding.true_of.shape == (3,) and finding.true_of.dtype == bool for finding in found)
    true = {finding.text: finding.true_of.tolist() for finding in found}
    assert true["wide qrs complexes"] == [False, True, False]
    assert true["long qt interval"] == [False, False, True]


CHANGES = [
    ({"qrs_duration": 130}, "qrs duration above 120 ms", "narrow qrs complexes"),
    ({"qrs_duration": 115}, "qrs duration of 110 to 119 ms", "qrs of normal duration"),
    ({"pr_interval": 230}, "pr interval above 220 ms", "normal pr interval"),
    ({"qtc": 480}, "long qt interval", "qtc within normal limits"),
    ({"heart_rate": 45}, "slow regular rhythm with p waves", "heart rate of 60 to 100/min"),
    ({"rr_variation": 0.2}, "irregular rr intervals", "regular rr intervals"),
    ({"rr_variation": 0.08}, "pp intervals varying by more than 120 ms", "regular rhythm"),
    ({"p_consistency": 0.1}, "absent p waves", "one p wave before every qrs complex"),
    ({"premature_beats": 1}, "premature beat", "no premature beats"),
    ({"premature_beats": 2, "wide_premature": 2}, "several premature wide complexes", "regular rhythm"),
    (
        {"bigeminy": 0.8, "premature_beats": 4},
        "every second qrs complex comes early",
        "every third qrs complex comes early",
    ),
    ({"qrs_axis": -50}, "left axis deviation", "qrs axis between 0 and 90 degrees"),
    ({"qrs_axis": 110}, "right axis deviation", "left axis deviation"),
    ({"r_amplitude": {"aVL": 1.2}}, "r wave in avl above 1.1 mv", "r wave in avl above 1.3 mv"),
    ({"r_prime_amplitude": {"V1": 0.4}}, "rsr' complex in v1", "rsr' in v1 with wide qrs"),
    ({"r_amplitude": {"V1": 1.0}}, "dominant r wave in v1", "r wave growing steadily from v2 to v4"),
    (
        {"s_amplitude": {"V1": -2.5}},
        "sokolow-lyon index of 3.5 mv or more",
        "qrs amplitudes within normal limits",
    ),
    ({"qrs_peak_to_peak": 0.45}, "qrs amplitude below 0.5 mv in all limb leads", "high qrs amplitudes"),
    (
        {"st_60": {"V4": -0.12, "V5": -0.12}},
        "st depression of 1 mm or more in v4 to v6",
        "st segments on the baseline",
    ),
    (
        {"t_amplitude": {"V5": -0.2, "V6": -0.2}},
        "inverted t waves in v5 and v6",
        "upright t waves in v5 and v6",
    ),
    ({"p_duration": 112}, "broad p waves", "p wave duration below 110 ms"),
    (
        {"p_max": {"II": 0.27}},
        "p wave of 2.5 mm or more in ii",
        "peaked p wave above 0.25 mv in ii, iii and avf",
    ),
    (
        {"p_terminal_force": 4.2},
        "p terminal force in v1 of 0.04 mm·s or more",
        "deep negative terminal part of the p wave in v1",
    ),
]


@pytest.mark.parametrize(("changes", "becomes_true", "is_false"), CHANGES, ids=[case[1] for case in CHANGES])
def test_one_change_makes_a_finding(changes, becomes_true, is_false):
    true = said(record(**changes))
    assert becomes_true in true
    assert becomes_true not in said(record())
    assert is_false in {finding.text for finding in findings(Measurements.stack([record()]))}
    assert is_false not in true


def test_an_inverted_t_wave_is_said_of_its_leads_alone():
    true = said(record(t_amplitude={"V5": -0.2, "V6": -0.2}))
    inverted = {
        text.removeprefix("inverted t waves in ") for text in true if text.startswith("inverted t waves in")
    }
    assert inverted == {"v5 and v6", "v4 to v6", "v5", "v6"}


def test_a_qs_complex_is_a_q_wave_and_its_depth_an_s_wave():
    both = {"qs": 1, "q_amplitude": -1.6, "s_amplitude": 0, "r_amplitude": 0}
    true = said(record(**{name: {"V1": value, "V2": value} for name, value in both.items()}))
    assert true >= {"qs complexes in v1", "pathological q waves in v1", "s wave in v1 above 1.5 mv"}
    assert "no pathological q waves in v1" not in true
    alone = said(record(**{name: {"V1": value} for name, value in both.items()}))
    assert "qs complexes in v1" in alone
    assert "pathological q waves in v1" not in alone


def test_what_is_the_rule_in_avr_is_no_finding():
    texts = {finding.text for finding in findings(Measurements.stack([record()]))}
    assert not texts & {"st depression in avr", "inverted t waves in avr", "q waves in avr"}
    assert "st elevation in avr" in texts


def test_what_could_not_be_measured_is_not_spoken_of():
    assert not said(Measurements.of({}))
    true = said(record(pr_interval=np.nan, t_amplitude={"V5": np.nan}))
    assert not [text for text in true if "pr interval" in text or text.endswith("t waves in v5")]
    assert "upright t waves in v6" in true


def test_region_names_say_their_leads():
    names = [region.name for region in REGIONS]
    assert len(names) == len(set(names))
    for region in REGIONS:
        if region.name.startswith("the "):
            continue
        spelled = region.name.replace(" to ", " and ").replace(" and ", ", ").split(", ")
        assert set(spelled) <= set(region.leads)
        if " to " in region.name:
            first, last = (LEADS.index(name) for name in spelled[-2:])
            assert set(LEADS[first : last + 1]) <= set(region.leads)
        else:
            assert tuple(spelled) == region.leads


def test_one_record_alone_is_refused():
    with pytest.raises(UsageError, match=r"Measurements\.stack"):
        findings(record())
