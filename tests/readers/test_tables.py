import json
import os

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from merl.errors import RecordError, UsageError
from merl.readers import read_record
from merl.records import STANDARD_LEADS


def text(signal, names=STANDARD_LEADS, *, times=None, mark=",", decimal="."):
    """A table as text: names if there are any, then one row a sample."""
    columns = signal if times is None else [times, *signal]
    rows = [
        mark.join(f"{value:.6f}".replace(".", decimal) for value in row) for row in zip(*columns, strict=True)
    ]
    return "\n".join([*([mark.join(names)] if names else []), *rows]) + "\n"


def seconds(count, rate, digits=3):
    return np.round(np.arange(count) / rate, digits)


def test_a_table_that_says_everything(tmp_path, simulated):
    signal = simulated()
    names = ["time_s", *(f"Lead {lead.upper()} (mV)" for lead in STANDARD_LEADS)]
    (tmp_path / "x.csv").write_text(text(signal, names, times=seconds(1000, 100)))
    record = read_record(tmp_path / "x.csv")
    assert (record.leads, record.sampling_rate, record.name) == (STANDARD_LEADS, 100, "x")
    np.testing.assert_allclose(record.signal, signal, atol=1e-6)


@pytest.mark.parametrize(
    ("suffix", "mark", "decimal"),
    [("csv", ",", "."), ("tsv", "\t", "."), ("csv", ";", "."), ("csv", ";", ",")],
)
def test_separators(tmp_path, simulated, suffix, mark, decimal):
    path = tmp_path / f"x.{suffix}"
    path.write_text("# exported\n" + text(simulated(), mark=mark, decimal=decimal), encoding="utf-8-sig")
    record = read_record(path, sampling_rate=100, unit="mV")
    np.testing.assert_allclose(record.signal, simulated(), atol=1e-6)


@pytest.mark.parametrize(
    ("name", "factor"),
    [
        ("{}_uV", 1e-3),
        ("{} [µV]", 1e-3),
        ("ECG {} (nV)", 1e-6),
        ("{} (V)", 1e3),
        ("MDC_ECG_LEAD_{}_mV", 1),
        ("{}_uv", 1e-3),
        ("{}_MV", 1),
        ("{}/mV", 1),
        ("{} (UV)", 1e-3),
    ],
)
def test_units_stand_in_the_columns_names(tmp_path, simulated, name, factor):
    names = [name.format(lead) for lead in STANDARD_LEADS]
    (tmp_path / "x.csv").write_bytes(text(simulated(), names).encode("latin-1"))
    record = read_record(tmp_path / "x.csv", sampling_rate=100)
    assert record.leads == STANDARD_LEADS
    np.testing.assert_allclose(record.signal, simulated() * factor, atol=1e-6 * factor, rtol=1e-5)


@pytest.mark.parametrize(
    ("rate", "digits", "found"), [(360, 3, 360), (500, 3, 500), (257.3, 6, 257.3), (1000, 4, 1000)]
)
def test_a_time_column_says_the_rate(tmp_path, simulated, rate, digits, found):
    signal = simulated()
    times = seconds(1000, rate, digits)
    for name, factor in (("time (s)", 1), ("Time [ms]", 1000)):
        names = [name, *(f"{lead} (mV)" for lead in STANDARD_LEADS)]
        (tmp_path / "x.csv").write_text(text(signal, names, times=times * factor))
        assert read_record(tmp_path / "x.csv").sampling_rate == pytest.approx(found, rel=1e-5)
        assert read_record(tmp_path / "x.csv", sampling_rate=found).sampling_rate == found
        with pytest.raises(RecordError, match="sampling_rate is stated as"):
            read_record(tmp_path / "x.csv", sampling_rate=2 * found)


def test_what_stands_beside_a_table(tmp_path, simulated):
    (tmp_path / "x.csv").write_text(text(simulated(), names=None))
    sidecar = tmp_path / "x.json"
    stated = {"sampling_rate": 100, "unit": "mV", "leads": list(STANDARD_LEADS)}
    sidecar.write_text(json.dumps(stated))
    np.testing.assert_allclose(read_record(tmp_path / "x.csv").signal, simulated(), atol=1e-6)
    with pytest.raises(RecordError, match="unit is stated as uV and as mV"):
        read_record(tmp_path / "x.csv", unit="uV")
    sidecar.write_text(json.dumps(stated | {"patient": "Mustermann"}))
    with pytest.raises(RecordError, match="unknown key 'patient'") as caught:
        read_record(tmp_path / "x.csv")
    assert "Mustermann" not in str(caught.value)
    sidecar.write_text("Mustermann")
    with pytest.raises(RecordError, match="not readable JSON") as caught:
        read_record(tmp_path / "x.csv")
    assert "Mustermann" not in str(caught.value)


def test_missing_limb_leads_follow_and_are_named(tmp_path, simulated):
    eight = [0, 1, *range(6, 12)]
    names = [STANDARD_LEADS[number] for number in eight]
    (tmp_path / "x.csv").write_text(text(simulated()[eight], names))
    record = read_record(tmp_path / "x.csv", sampling_rate=100, unit="mV")
    assert record.derived == ("III", "aVR", "aVL", "aVF")
    np.testing.assert_allclose(record.select(STANDARD_LEADS).signal, simulated(), atol=2e-6)


def test_tables_of_pandas_and_pyarrow(tmp_path, simulated):
    frame = pd.DataFrame(simulated().T, columns=list(STANDARD_LEADS))
    frame["label"] = "sinus rhythm"  # a column that is no lead is left
    frame.to_csv(tmp_path / "x.csv")
    frame.to_parquet(tmp_path / "x.parquet")
    for name in ("x.csv", "x.parquet"):
        record = read_record(tmp_path / name, sampling_rate=100, unit="mV")
        np.testing.assert_allclose(record.signal, simulated(), atol=1e-6)
    table = pa.table(dict(zip(STANDARD_LEADS, simulated().astype(np.float32), strict=True)))
    noted = table.replace_schema_metadata({"sampling_rate": "100", "unit": "mV"})
    parquet.write_table(noted, tmp_path / "y.parquet")
    assert read_record(tmp_path / "y.parquet").sampling_rate == 100
    with pytest.raises(RecordError, match=r"sampling_rate is stated as 250 and as 100"):
        read_record(tmp_path / "y.parquet", sampling_rate=250)


def test_an_empty_cell_is_a_gap_and_is_refused(tmp_path, simulated):
    lines = text(simulated()).splitlines()
    lines[11] = lines[11].rsplit(",", 1)[0] + ","
    (tmp_path / "x.csv").write_text("\n".join(lines))
    with pytest.raises(RecordError, match=r"invalid in V6 \(0.1%\)"):
        read_record(tmp_path / "x.csv", sampling_rate=100, unit="mV")


STATED = {"sampling_rate": 100, "unit": "mV"}


@pytest.mark.parametrize(
    ("change", "stated", "message"),
    [
        (None, {"unit": "mV"}, "does not say its sampling rate; give sampling_rate, or name a column"),
        (None, {"sampling_rate": 100}, "lead I has no unit; name the column I \\(mV\\)"),
        (None, STATED | {"unit": "mmHg"}, "unit 'mmHg'"),
        (None, STATED | {"leads": ["I", "II"]}, "has 12 signals and 2 leads are stated"),
        (None, STATED | {"leads": ["II", "I", *STANDARD_LEADS[2:]]}, "the column I is stated to be lead II"),
        (None, STATED | {"sampling_rate": -1}, "-1 Hz is not possible"),
        (None, STATED | {"sampling_rate": float("nan")}, "nan Hz is not possible"),
        (("V6\n", "V5\n"), STATED, "names a lead twice"),
        (("V6\n", "V6 (uV)\n"), STATED, "lead V6 is in uV, and the unit is stated as mV"),
        (("\n0.", "\nMustermann0."), STATED, "lead I holds something else than numbers"),
        (("V6\n", "V6\n1,2\n"), STATED, "cannot read .* as a table"),
        (("I,", "time (min),"), STATED, "has the unit 'min'; give it in s or ms"),
    ],
)
def test_what_would_have_to_be_guessed_is_refused(tmp_path, simulated, change, stated, message):
    written = text(simulated())
    if change:
        assert change[0] in written
        written = written.replace(*change, 1)
    (tmp_path / "x.csv").write_text(written)
    with pytest.raises(RecordError, match=message) as caught:
        read_record(tmp_path / "x.csv", **stated)
    assert "Mustermann" not in str(caught.value)


def test_columns_that_are_no_leads_are_left_and_a_table_of_such_is_refused(tmp_path, simulated):
    names = ["PatientID", *STANDARD_LEADS[1:]]
    (tmp_path / "x.csv").write_text(text(simulated(), names))
    assert read_record(tmp_path / "x.csv", **STATED).leads == STANDARD_LEADS[1:]
    (tmp_path / "x.csv").write_text(text(simulated()[:2], ["Mustermann", "ch1"]))
    with pytest.raises(RecordError, match="no column named as a lead") as caught:
        read_record(tmp_path / "x.csv", **STATED)
    assert "Mustermann" not in str(caught.value)
    assert read_record(tmp_path / "x.csv", **STATED, leads=["MLII", "V5"]).leads == ("MLII", "V5")


@pytest.mark.parametrize("name", ["V1-filtered (mV)", "Lead V1 raw", "v1_quality"])
def test_a_lead_under_a_name_that_is_not_understood_is_no_other_column(tmp_path, simulated, name):
    names = [name if lead == "V1" else lead for lead in STANDARD_LEADS]
    (tmp_path / "x.csv").write_text(text(simulated(), names))
    with pytest.raises(RecordError, match="whether a column that begins with V1 is that lead"):
        read_record(tmp_path / "x.csv", **STATED)
    (tmp_path / "x.csv").write_text(text([*simulated(), simulated()[6]], [*STANDARD_LEADS, name]))
    assert read_record(tmp_path / "x.csv", **STATED).leads == STANDARD_LEADS


@pytest.mark.parametrize("columns", [range(12), range(1, 13), ["", *range(12)]])
def test_numbers_of_columns_are_no_sample(tmp_path, simulated, columns):
    signal = simulated() if len(columns) == 12 else [np.arange(1000), *simulated()]
    (tmp_path / "x.csv").write_text(text(signal, [str(name) for name in columns]))
    with pytest.raises(RecordError, match="numbers its columns; write the leads' names there"):
        read_record(tmp_path / "x.csv", **STATED, leads=STANDARD_LEADS)


def test_a_path_that_is_not_utf_8(tmp_path, simulated):
    frame = pd.DataFrame(simulated().T, columns=list(STANDARD_LEADS))
    for suffix, write in ((b"csv", frame.to_csv), (b"parquet", frame.to_parquet)):
        write(tmp_path / "x")
        path = tmp_path / os.fsdecode(b"m\xfcller." + suffix)
        (tmp_path / "x").rename(path)
        record = read_record(path, **STATED)
        assert (record.leads, record.name) == (STANDARD_LEADS, "m\\xfcller")


@pytest.mark.parametrize("lost", [1, 500, 998])
def test_a_sample_that_is_missing_is_noticed(tmp_path, simulated, lost):
    names = ["time_s", *(f"{lead}_mV" for lead in STANDARD_LEADS)]
    times, signal = np.delete(seconds(1000, 100), lost), np.delete(simulated(), lost, 1)
    (tmp_path / "x.csv").write_text(text(signal, names, times=times))
    with pytest.raises(RecordError, match="does not rise evenly"):
        read_record(tmp_path / "x.csv")


@pytest.mark.parametrize("rate", [360, 400, 1000])
def test_times_rounded_to_milliseconds_are_even(tmp_path, simulated, rate):
    names = ["time_s", *(f"{lead}_mV" for lead in STANDARD_LEADS)]
    signal = simulated(rate=rate)
    (tmp_path / "x.csv").write_text(text(signal, names, times=seconds(signal.shape[1], rate)))
    assert read_record(tmp_path / "x.csv").sampling_rate == rate


def test_uneven_time_is_refused(tmp_path, simulated):
    times = seconds(1000, 100)
    times[500:] += 0.05
    names = ["time_s", *(f"{lead}_mV" for lead in STANDARD_LEADS)]
    (tmp_path / "x.csv").write_text(text(simulated(), names, times=times))
    with pytest.raises(RecordError, match="does not rise evenly"):
        read_record(tmp_path / "x.csv")


@pytest.mark.parametrize("content", [b"", b"#", b"\x00\xff\x00", b"Mustermann, Eulalia\n1950\n", b"I,II\n"])
@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet"])
def test_what_is_no_table_is_refused(tmp_path, content, suffix):
    (tmp_path / f"x.{suffix}").write_bytes(content)
    with pytest.raises(RecordError) as caught:
        read_record(tmp_path / f"x.{suffix}", **STATED)
    assert "Mustermann" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_table(tmp_path):
    with pytest.raises(RecordError, match="there is no file"):
        read_record(tmp_path / "x.csv", **STATED)


def test_a_file_that_says_everything_takes_no_statements(tmp_path, simulated, write_record):
    header = write_record(tmp_path / "x", simulated())
    with pytest.raises(UsageError, match="says its own sampling rate, unit and leads"):
        read_record(header, sampling_rate=100)
