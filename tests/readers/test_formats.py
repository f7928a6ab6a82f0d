from pathlib import Path

import numpy as np
import pytest

import merl
from merl.readers import FORMATS
from merl.readers.formats import as_markdown
from merl.records import STANDARD_LEADS, canonical_lead

ROOT = Path(__file__).parent.parent.parent


def test_the_table_of_the_documentation_is_the_one_of_the_code():
    assert as_markdown() in (ROOT / "docs" / "readers.md").read_text(encoding="utf-8")


def test_the_example_of_the_documentation_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "readers.md").read_text(encoding="utf-8")
    told: dict = {}
    exec(page.split("```python\n")[1].split("```")[0], told)  # noqa: S102 - our own page
    assert told["record"].leads == STANDARD_LEADS
    np.testing.assert_allclose(told["record"].signal * 1000, told["ecg"], rtol=1e-5)


def test_every_format_has_one_reader_and_says_what_it_was_tested_on():
    for item in FORMATS:
        assert (item.read is None) != (item.read_stated is None)
        assert item.honoured
        assert item.tested_on
        assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in item.suffixes)


@pytest.mark.parametrize(
    ("written", "lead"),
    [
        ("AVR", "aVR"),
        ("Lead II", "II"),
        ("LEAD_III", "III"),
        ("ECG v1", "V1"),
        ("EKG Lead V2", "V2"),
        ("ECG I-Ref", "I"),
        ("MDC_ECG_LEAD_AVF", "aVF"),
        (" V6 ", "V6"),
        ("MLII", "MLII"),
        ("ECG MLII", "MLII"),
        ("-aVR", "-aVR"),
        ("ECG", "ECG"),
        ("V1R", "V1R"),
        ("I-cal", "I-cal"),
        ("", ""),
    ],
)
def test_leads_have_one_spelling(written, lead):
    assert canonical_lead(written) == lead


def test_suffixes_may_be_in_capitals(tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(2, 100)))
    (tmp_path / "x.npy").rename(tmp_path / "X.NPY")
    assert merl.read_record(tmp_path / "X.NPY", sampling_rate=50, unit="mV", leads=["I", "II"]).seconds == 2
