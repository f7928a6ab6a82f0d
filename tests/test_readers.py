from pathlib import Path

import numpy as np
import pytest
import scipy.io

from merl.errors import RecordError
from merl.readers import read_record
from merl.records import STANDARD_LEADS


@pytest.fixture
def header(tmp_path, simulated, write_record) -> Path:
    return write_record(tmp_path / "x.1", simulated(), leads=tuple(lead.upper() for lead in STANDARD_LEADS))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize("suffix", ["", ".hea", ".dat"])
def test_wfdb_is_found_by_any_of_its_names(header, simulated, suffix):
    record = read_record(str(header.with_suffix("")) + suffix)
    assert record.leads == STANDARD_LEADS
    assert (record.sampling_rate, record.name) == (100, "x.1")
    assert record.signal.dtype == np.float32
    np.testing.assert_allclose(record.signal, simulated(), atol=0.0005)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("/mv", 1), ("/uV", 1e-3), ("/µV", 1e-3), ("/\N{GREEK SMALL LETTER MU}V", 1e-3), ("/V", 1e3), ("", 1)],
)
def test_units_become_millivolts(header, simulated, unit, factor):
    edit(header, "/mV", unit)
    np.testing.assert_allclose(read_record(header).signal, simulated() * factor, atol=0.0005 * factor)


def test_latin_1_micro_sign_is_micro(header, simulated):
    header.write_bytes(header.read_text().replace("/mV", "/µV").encode("latin-1"))
    assert np.abs(read_record(header).signal).max() < 0.002


def test_baseline_or_else_adc_zero_is_zero_volt(header):
    plain = read_record(header).signal
    edit(header, "1000(0)/mV 16 0 ", "1000(40)/mV 16 99 ")
    np.testing.assert_allclose(read_record(header).signal, plain - 0.040, atol=1e-6)
    edit(header, "1000(40)/mV 16 99 ", "1000/mV 16 99 ")
    np.testing.assert_allclose(read_record(header).signal, plain - 0.099, atol=1e-6)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("/mV", "/mmHg", "unit 'mmHg'"),
        ("1000(0)/mV", "0/mV", "no calibration"),
        (" 12 100 1000", " 12", "no sampling rate"),
        (" 12 100 1000", " 12 0 1000", "0 Hz"),
        (" 12 100 1000", " 13 100 1000", "describes 12 signals and announces another number"),
        (" 12 100 1000", " 12 nan 1000", "nan Hz"),
        (" 12 100 1000", " 12 100 1001", "truncated"),
        (" 12 100 1000", " 12 100 -5", "announces -5 samples"),
        (" 12 100 1000", " 12 fast 1000", "damaged in its first line"),
        ("0 V6", "0 V5", "a lead twice"),
        ("0 V6", "0", "no lead name"),
        ("x.1.dat", "y.dat", "y.dat, which is not there"),
        (" 0 V6", "1 0 V6", "checksums in V6"),
        ("x.1.dat 16 ", "x.1.dat 16x2 ", "another rate"),
        ("x.1.dat 16 ", "x.1.dat 999 ", "unknown format"),
    ],
)
def test_a_faulty_header_is_refused_by_name(header, old, new, message):
    edit(header, old, new)
    with pytest.raises(RecordError, match=message):
        read_record(header)


@pytest.mark.parametrize("keep", [0, 1, 2400, 23999])
def test_a_truncated_signal_file_is_refused(header, keep):
    dat = header.with_suffix(".dat")
    dat.write_bytes(dat.read_bytes()[:keep])
    with pytest.raises(RecordError, match="truncated"):
        read_record(header)
    edit(header, " 12 100 1000", " 12 100")  # the length is optional; checksums still tell
    with pytest.raises(RecordError, match=r"truncated|checksums"):
        read_record(header)


def test_invalid_samples_are_refused_with_their_lead(tmp_path, simulated, write_record):
    signal = simulated()
    signal[6, 10:20] = -32.768  # format 16 marks a missing sample by its lowest number
    header = write_record(tmp_path / "gap", signal)
    with pytest.raises(RecordError, match=r"invalid in V1 \(1.0%\)"):
        read_record(header)


@pytest.mark.parametrize("fmt", ["16", "212", "24", "32"])
def test_every_format_agrees_with_the_wfdb_library(tmp_path, simulated, fmt):
    import wfdb

    wfdb.wrsamp(
        "y", 250, ["mV"] * 12, list(STANDARD_LEADS), simulated().T, fmt=[fmt] * 12, write_dir=str(tmp_path)
    )
    reference = wfdb.rdrecord(str(tmp_path / "y")).p_signal.T
    record = read_record(tmp_path / "y")
    np.testing.assert_array_equal(record.signal, reference.astype(np.float32))
    assert record.sampling_rate == 250
    dat = tmp_path / "y.dat"
    dat.write_bytes(dat.read_bytes()[:-12])
    with pytest.raises(RecordError, match="truncated"):
        read_record(tmp_path / "y")


def test_segments_are_joined(tmp_path, simulated, write_record):
    for name in ("a", "b"):
        write_record(tmp_path / name, simulated())
    (tmp_path / "m.hea").write_text("m/2 12 100 2000\na 1000\nb 1000\n")
    assert read_record(tmp_path / "m").signal.shape == (12, 2000)
    (tmp_path / "m.hea").write_text("m/3 12 100 2000\na 1000\n~ 50\nb 1000\n")
    with pytest.raises(RecordError, match="gaps"):
        read_record(tmp_path / "m")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("m/2 12 100 99999\na 1000\nb 1000\n", "announces other segments or samples than it has"),
        ("m/3 12 100 2000\na 1000\nb 1000\n", "announces other segments or samples than it has"),
        ("m/2 12 100 2000\na 1000\nb 900\n", "m.hea and its segment b.hea differ in length"),
        ("m/2 12 100 2000\na 1000\n../a 1000\n", "names a file in another folder"),
    ],
)
def test_segments_that_do_not_fit_are_refused(tmp_path, simulated, write_record, lines, message):
    for name in ("a", "b"):
        write_record(tmp_path / name, simulated())
    (tmp_path / "m.hea").write_text(lines)
    with pytest.raises(RecordError, match=message):
        read_record(tmp_path / "m")


@pytest.mark.parametrize("elsewhere", ["../{}", "{folder}/{}", "sub/{}"])
def test_a_signal_file_in_another_folder_is_not_read(header, elsewhere):
    edit(header, "x.1.dat", elsewhere.format("x.1.dat", folder=header.parent))
    with pytest.raises(
        RecordError, match=r"x.1.hea names a file in another folder; put it beside the header"
    ):
        read_record(header)


def test_a_header_may_have_capitals(header, simulated):
    header = header.rename(header.with_suffix(".HEA"))
    np.testing.assert_allclose(read_record(header).signal, simulated(), atol=0.0005)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (" 12 100 1000", " 12 100 {}"),
        (" 12 100 1000", " {} 100 1000"),
        ("1000(0)/mV", "{}"),
        (" 16 0 ", " 16 {} "),
    ],
)
def test_no_text_of_a_header_is_quoted(header, old, new):
    edit(header, old, new.format("Mustermann"))
    with pytest.raises(RecordError) as caught:
        read_record(header)
    assert "Mustermann" not in str(caught.value)


def challenge(folder: Path, simulated, write_record, gain: float) -> Path:
    header = write_record(folder / "c", simulated(rate=500), rate=500, unit="/mv", gain=gain)
    raw = header.with_suffix(".dat").read_bytes()
    header.with_suffix(".dat").unlink()
    scipy.io.savemat(folder / "c.mat", {"val": np.frombuffer(raw, "<i2").reshape(-1, 12).T}, format="4")
    edit(header, "c.dat 16 ", "c.mat 16+24 ")
    return header


@pytest.mark.parametrize("gain", [1000, 4880, 200])
@pytest.mark.parametrize("name", ["c", "c.hea", "c.mat"])
def test_challenge_records(tmp_path, simulated, write_record, gain, name):
    challenge(tmp_path, simulated, write_record, gain)
    record = read_record(tmp_path / name)
    np.testing.assert_allclose(record.signal, simulated(rate=500), atol=0.6 / gain)


def test_challenge_mat_needs_its_header(tmp_path, simulated, write_record):
    challenge(tmp_path, simulated, write_record, 1000).unlink()
    with pytest.raises(RecordError, match=r"put its header c.hea beside it"):
        read_record(tmp_path / "c.mat")


def test_cpsc2018_struct(tmp_path, simulated):
    data = simulated(rate=500)
    scipy.io.savemat(tmp_path / "A1.mat", {"ECG": {"sex": "Male", "age": 60, "data": data}})
    record = read_record(tmp_path / "A1")
    assert (record.leads, record.sampling_rate, record.name) == (STANDARD_LEADS, 500, "A1")
    np.testing.assert_array_equal(record.signal, data.astype(np.float32))
    scipy.io.savemat(tmp_path / "A2.mat", {"ECG": {"data": data[:8]}})
    with pytest.raises(RecordError, match=r"\(8, 5000\)"):
        read_record(tmp_path / "A2.mat")
    scipy.io.savemat(tmp_path / "A2.mat", {"ECG": {"data": data * 1j}})
    with pytest.raises(RecordError, match="is complex128 of shape"):
        read_record(tmp_path / "A2.mat")
    (tmp_path / "A3.mat").write_bytes((tmp_path / "A1.mat").read_bytes()[:5000])
    with pytest.raises(RecordError, match="truncated or damaged"):
        read_record(tmp_path / "A3.mat")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("nothing", None, "no record at"),
        ("x.txt", b"hello", "no format merl reads"),
        ("x.mat", b"", "truncated or damaged"),
        ("x.hea", b"", "no WFDB header"),
        ("x.hea", b"\x00\xff\x00garbage", "no WFDB header"),
        ("x.dat", b"\x00\x00", "has no header"),
        ("x.dcm", b"", "truncated or damaged"),
    ],
)
def test_what_is_no_record_is_refused(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(RecordError, match=message) as caught:
        read_record(tmp_path / name)
    assert "\n" not in str(caught.value)
    with pytest.raises(RecordError, match="is a folder"):
        read_record(tmp_path)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("pattern", "count", "rate"),
    [
        ("challenge-2021-samples/[AQE]/*.mat", 41, 500),
        ("challenge-2021-samples/JS/*.mat", 28, 500),
        ("challenge-2021-samples/S/*.mat", 3, 1000),
        ("cpsc2018-original/*.mat", 5, 500),
        ("ptb-xl/records500/*/*.hea", 40, 500),
    ],
)
def test_real_records(merl_data, pattern, count, rate):
    records = [read_record(path) for path in sorted(merl_data.glob(pattern))]
    assert len(records) == count
    assert {record.leads for record in records} == {STANDARD_LEADS}
    assert {record.sampling_rate for record in records} == {rate}
    spans = [np.median(np.ptp(record.signal, axis=1)) for record in records]
    assert 0.3 < np.median(spans) < 5  # millivolts
    laws = [np.median(np.abs(r.signal[1] - r.signal[0] - r.signal[2])) for r in records]
    assert np.median(laws) < 0.01


@pytest.mark.realdata
def test_real_ptbxl_and_mitbih_agree_with_the_wfdb_library(merl_data):
    import wfdb

    headers = sorted((merl_data / "ptb-xl/records100/00000").glob("*.hea"))[:20]
    headers += sorted((merl_data / "mitbih").glob("*.hea"))[:2]
    for header in headers:
        reference = wfdb.rdrecord(str(header.with_suffix("")))
        record = read_record(header)
        np.testing.assert_array_equal(record.signal, reference.p_signal.T.astype(np.float32))
        assert record.sampling_rate == reference.fs
