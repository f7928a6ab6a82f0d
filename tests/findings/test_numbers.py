"""A text with a number is true from that number on, and texts that exclude each other are never both true."""

import re

import pytest

from merl.findings import Finding, findings
from merl.measurements import Measurements
from tests.findings.records import record, unrelated

_NUMBER = re.compile(r"(\d+(?:\.\d+)?) (mv|mm|ms)\b")

# how texts begin, the measurements they name, and which way from 0; None where less is meant
SWEPT = [
    (r"st depression of \d", ("st_60",), -1),
    (r"j point depression of \d", ("st_j",), -1),
    (r"(st|j point) elevation of \d", ("st_60", "st_j"), 1),
    (r"t wave inversion of \d|t waves negative by", ("t_amplitude",), -1),
    (r"r wave (in|of)(?!.*(plus|less))", ("r_amplitude",), 1),
    (r"(deep )?s wave (in|of)(?!.*plus)", ("s_amplitude",), -1),
    (r"qrs (duration|complex) (above|of \d+ ms or (more|longer))", ("qrs_duration",), 1),
    (r"pr interval (above|longer|of \d+ ms or more)", ("pr_interval",), 1),
    (r"qtc (above|of)|corrected qt interval longer", ("qtc",), 1),
    (r"(narrow qrs complexes|qrs duration) below", ("qrs_duration",), None),
    (r"qtc below|corrected qt interval shorter", ("qtc",), None),
    (r"pr interval (below \d+ ms$|shorter)", ("pr_interval",), None),
    (r"qrs amplitude below", ("qrs_peak_to_peak",), None),
]


def _around(text: str) -> tuple[float, float]:
    """Return what is just below and just above the number of a text, in millivolts or milliseconds."""
    value, unit = _NUMBER.search(text).groups()
    if unit == "ms":
        return float(value) - 1, float(value) + 1
    number = float(value) / (10 if unit == "mm" else 1)
    return number - 0.001, number + 0.001


@pytest.mark.parametrize(("beginning", "names", "sign"), SWEPT, ids=[case[0] for case in SWEPT])
def test_the_number_of_a_text_is_its_threshold(beginning, names, sign):
    texts = [
        finding.text
        for finding in findings(Measurements.stack([record()]))
        if re.match(beginning, finding.text)
    ]
    texts = [text for text in texts if _NUMBER.search(text)]
    assert len(texts) > 1
    for numbered in {_NUMBER.search(text)[0] for text in texts}:
        below, above = ((sign or 1) * value for value in _around(numbered))
        table = Measurements.stack(
            [record(qs={"aVR": 0}, **dict.fromkeys(names, level)) for level in (below, above)]
        )
        true = {finding.text: finding.true_of.tolist() for finding in findings(table)}
        switches = [True, False] if sign is None else [False, True]
        wrong = [text for text in texts if _NUMBER.search(text)[0] == numbered and true[text] != switches]
        assert not wrong


def test_the_numbers_of_sums_are_their_thresholds():
    texts = [
        finding.text
        for finding in findings(Measurements.stack([record()]))
        if re.search(r"plus|index|voltage above", finding.text)
    ]
    assert len(texts) == 24
    for text in texts:
        halves = [value / 2 for value in _around(text)]
        table = Measurements.stack(
            [record(r_amplitude=half, s_amplitude=-half, qs={"aVR": 0}) for half in halves]
        )
        assert next(f.true_of.tolist() for f in findings(table) if f.text == text) == [False, True], text


EXCLUSIVE = [
    ("narrow qrs complexes", "wide qrs complexes"),
    ("qrs of normal duration", "mildly prolonged qrs duration"),
    ("normal pr interval", "long pr segment"),
    ("normal pr interval", "pr interval below 120 ms"),
    ("qtc within normal limits", "long qt interval"),
    ("regular rhythm", "irregular rr intervals"),
    ("no premature beats", "premature beat"),
    ("absent p waves", "one p wave before every qrs complex"),
    ("left axis deviation", "right axis deviation"),
    ("broad p waves", "narrow p waves"),
    ("tall p wave in lead ii", "low p waves"),
    ("low qrs amplitude in the limb leads", "high qrs amplitudes"),
    ("no st-t abnormality", "widespread t wave inversion"),
    ("no st-t abnormality", "widespread st depression"),
    ("isoelectric st segments in all leads", "st depression of 0.5 mm or more in v5"),
    ("irregularly irregular rr intervals", "every second qrs complex comes early"),
    ("irregularly irregular rr intervals", "premature beat"),
    ("t waves of normal height in {}", "tall t waves in {}"),
    ("t waves of normal height in {}", "low t waves in {}"),
    ("isoelectric t waves in {}", "t wave inversion of 1 mm or more in {}"),
    ("q waves with inverted t waves in {}", "no pathological q waves in {}"),
    ("pathological q waves in {}", "no pathological q waves in {}"),
    ("st elevation in {}", "st depression in {}"),
    ("isoelectric st segments in {}", "st depression in {}"),
    ("isoelectric st segments in {}", "st elevation in {}"),
    ("upright t waves in {}", "inverted t waves in {}"),
    ("tall t waves in {}", "flat t waves in {}"),
]


@pytest.fixture(scope="module")
def anything() -> dict[str, Finding]:
    """What is said of records whose measurements have nothing to do with one another."""
    return {finding.text: finding for finding in findings(unrelated(4_000))}


@pytest.mark.parametrize(("one", "other"), EXCLUSIVE)
def test_what_excludes_each_other_is_never_said_together(anything, one, other):
    regions = ("v5", "v1 and v2", "v4 to v6", "the inferior leads") if "{}" in one else ("",)
    for region in regions:
        first, second = anything[one.format(region)].true_of, anything[other.format(region)].true_of
        assert first.any()
        assert second.any()
        assert not (first & second).any(), region
