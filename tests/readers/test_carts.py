import logging
import random
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from merl.errors import RecordError
from merl.readers import read_record
from merl.records import STANDARD_LEADS
from tests.readers import written
from tests.readers.written import write_aecg, write_muse, write_philips, write_scp

PHILIPS = Path(__file__).parent.parent / "files" / "129DYPRG.XML"
EIGHT = [0, 1, *range(6, 12)]


@pytest.fixture
def signal(simulated):
    return simulated(rate=500)


def test_aecg_has_scale_origin_rate_and_leads_by_code(tmp_path, signal):
    record = read_record(write_aecg(tmp_path / "a.xml", signal))
    assert (record.leads, record.sampling_rate, record.name) == (STANDARD_LEADS, 500, "a")
    np.testing.assert_allclose(record.signal, signal, atol=0.0013)
    shifted = write_aecg(tmp_path / "b.xml", signal, origin='<origin value="0.25" unit="mV"/>')
    np.testing.assert_allclose(read_record(shifted).signal, signal + 0.25, atol=0.0013)
    nano = write_aecg(tmp_path / "c.xml", signal, scale='<scale value="2500" unit="nV"/>')
    np.testing.assert_allclose(read_record(nano).signal, signal, atol=0.0013)


@pytest.mark.parametrize(
    ("increment", "rate"),
    [('value="2" unit="ms"', 500), ('value="0.00390625" unit="s"', 256), ('value="0.0016" unit="s"', 625)],
)
def test_aecg_rates_are_exact(tmp_path, signal, increment, rate):
    path = write_aecg(tmp_path / "a.xml", signal, increment=f"<increment {increment}/>")
    assert read_record(path).sampling_rate == pytest.approx(rate, abs=1e-6)


def test_a_rate_that_is_no_whole_number_is_kept(tmp_path, signal):
    path = write_aecg(tmp_path / "a.xml", signal, increment='<increment value="0.0075" unit="s"/>')
    assert read_record(path).sampling_rate == pytest.approx(133.333333)


def test_muse_has_eight_leads_of_which_four_more_follow(tmp_path, signal):
    record = read_record(write_muse(tmp_path / "m.xml", signal[EIGHT]))
    assert record.leads == ("I", "II", *STANDARD_LEADS[6:], "III", "aVR", "aVL", "aVF")
    assert record.derived == ("III", "aVR", "aVL", "aVF")
    assert (record.sampling_rate, record.seconds) == (500, 10)
    np.testing.assert_allclose(record.select(STANDARD_LEADS).signal, signal, atol=0.008)  # 4.88 µV a step
    slow = write_muse(
        tmp_path / "s.xml",
        signal[EIGHT],
        sample_base="<SampleBase>2500</SampleBase><SampleExponent>-1</SampleExponent>",
    )
    assert read_record(slow).sampling_rate == 250


def test_a_lead_that_was_off_is_left_out(tmp_path, signal):
    record = read_record(write_muse(tmp_path / "m.xml", signal[EIGHT], off=["V3"]))
    assert "V3" not in record.leads
    assert "V4" in record.leads


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_philips_has_resolution_and_offset(tmp_path, signal, encoding):
    record = read_record(write_philips(tmp_path / "p.xml", signal, encoding=encoding, offset=100))
    assert (record.leads, record.sampling_rate) == (STANDARD_LEADS, 500)
    np.testing.assert_allclose(record.signal, signal, atol=0.0026)


def test_a_real_philips_export_is_scaled_by_its_calibration_pulse_and_loses_it():
    import sierraecg

    record = read_record(PHILIPS)
    raw = np.stack([lead.samples for lead in sierraecg.read_file(str(PHILIPS)).leads])
    np.testing.assert_allclose(record.signal, raw[:, :5264] * 0.005, atol=1e-6)
    assert set(raw[:, 5400]) == {200}  # the pulse of 1 mV, 5 µV a step
    assert (record.leads, record.seconds, record.sampling_rate) == (STANDARD_LEADS, 10.528, 500)
    one, two, three = record.signal[:3]
    np.testing.assert_allclose(three, two - one, atol=0.0101)  # two steps
    qrs = record.signal[0, 500:1000]
    assert np.ptp(qrs) == pytest.approx(1.032, abs=0.01)  # <qrsppk> of lead I, in microvolts


@pytest.mark.parametrize("huffman", [False, True])
def test_scp_has_multiplier_interval_and_both_encodings(tmp_path, signal, huffman):
    record = read_record(write_scp(tmp_path / "s.scp", signal, huffman=huffman))
    assert (record.leads, record.sampling_rate, record.seconds) == (STANDARD_LEADS, 500, 10)
    np.testing.assert_allclose(record.signal, signal, atol=0.0013)
    fine = write_scp(tmp_path / "f.scp", signal, nanovolts=1000, interval=4000, huffman=huffman)
    np.testing.assert_allclose(read_record(fine).signal, signal, atol=0.0006)
    assert read_record(fine).sampling_rate == 250
    odd = write_scp(tmp_path / "odd", signal, interval=1042)  # no suffix: known by its first bytes
    assert read_record(odd).sampling_rate == pytest.approx(959.692898)


def write_any(kind: str, path: Path, signal) -> Path:
    writer = {"aecg": write_aecg, "muse": write_muse, "philips": write_philips, "scp": write_scp}[kind]
    return writer(path, signal[EIGHT] if kind == "muse" else signal)


KINDS = ["aecg", "muse", "philips", "scp"]


@pytest.mark.parametrize("kind", KINDS)
def test_no_patient_is_ever_mentioned(tmp_path, signal, kind, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    path = write_any(kind, tmp_path / ("x.scp" if kind == "scp" else "x.xml"), signal[:, :500])
    whole = path.read_bytes()
    said, refused = [repr(read_record(path))], []
    rng = random.Random(0)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for _ in range(40):  # every way of being damaged ends in our words
            at = rng.randrange(len(whole))
            broken = whole[:at] if rng.random() < 0.5 else whole[:at] + b"\x85<" + whole[at + 2 :]
            path.write_bytes(broken)
            try:
                said.append(repr(read_record(path)))
            except RecordError as problem:
                refused.append(str(problem))
    assert len(refused) > 20
    assert not any("\n" in text for text in refused)
    said += refused
    said += [caplog.text, *capsys.readouterr(), *(str(item.message) for item in warned)]
    assert not any(secret in text for secret in written.SECRETS for text in said)


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("aecg", {"scale": '<scale value="2.5" unit="mm"/>'}, "has no gain in volts"),
        ("aecg", {"scale": '<scale value="2.5"/>'}, "has no gain in volts"),
        ("aecg", {"scale": '<scale unit="uV"/>'}, "has no gain in volts"),
        ("aecg", {"increment": '<increment value="2"/>'}, "cannot read"),
        ("aecg", {"increment": ""}, "cannot read"),
        ("muse", {"unit": "COUNTS"}, "has no gain in volts"),
        ("muse", {"sample_base": ""}, "cannot read"),
        ("muse", {"crc_error": 1}, "checksums of .* do not fit"),
        ("muse", {"baseline": 12}, "an offset of which nobody says what it means"),
        ("muse", {"leads": ("I", "I", *STANDARD_LEADS[6:])}, "differ in length or name"),
        ("philips", {"resolution": ""}, "has no gain in volts"),
        ("philips", {"version": "9.9"}, "variant that is not read"),
        ("scp", {"nanovolts": 0}, "has no gain in volts"),
    ],
)
def test_what_would_have_to_be_guessed_is_refused(tmp_path, signal, kind, options, message):
    if options.get("nanovolts") == 0:
        path = write_scp(tmp_path / "x.scp", signal)
        path.write_bytes(_with_multiplier_zero(path.read_bytes()))
    else:
        writer = {"aecg": write_aecg, "muse": write_muse, "philips": write_philips, "scp": write_scp}[kind]
        path = writer(tmp_path / "x.xml", signal[EIGHT] if kind == "muse" else signal, **options)
    with pytest.raises(RecordError, match=message):
        read_record(path)


def _with_multiplier_zero(raw: bytes) -> bytes:
    import binascii
    import struct

    number, size, index = struct.unpack_from("<HII", raw, 22 + 6 * 10)
    assert number == 6
    start = index - 1
    body = raw[start + 2 : start + 16] + b"\0\0" + raw[start + 18 : start + size]
    rest = raw[2:start] + struct.pack("<H", binascii.crc_hqx(body, 0xFFFF)) + body + raw[start + size :]
    return struct.pack("<H", binascii.crc_hqx(rest, 0xFFFF)) + rest


@pytest.mark.parametrize("kind", ["aecg", "muse", "philips"])
def test_xml_entities_are_refused(tmp_path, signal, kind):
    path = write_any(kind, tmp_path / "x.xml", signal)
    text = (
        path.read_text(encoding="utf-8")
        .split("?>", 1)[1]
        .replace('<!DOCTYPE RestingECG SYSTEM "restecg.dtd">', "")
    )
    root = {"aecg": "AnnotatedECG", "muse": "RestingECG", "philips": "restingecgdata"}[kind]
    for entity in ('<!ENTITY a "b">', '<!ENTITY a SYSTEM "file:///etc/hostname">'):
        path.write_text(
            f"<?xml version='1.0'?><!DOCTYPE {root} [{entity}]>{text}".replace(written.LAST, "&a;")
        )
        with pytest.raises(RecordError, match="cannot read"):
            read_record(path)


def test_a_billion_laughs_cost_nothing(tmp_path):
    lol = "".join(
        f'<!ENTITY l{n} "{"&l" + str(n - 1) + ";" if n else "lol"}{"&l" + str(n - 1) + ";" if n else ""}">'
        for n in range(40)
    )
    for root in ("AnnotatedECG", "RestingECG", "restingecgdata"):
        (tmp_path / "x.xml").write_text(f"<!DOCTYPE {root} [{lol}]><{root}>&l39;</{root}>")
        with pytest.raises(RecordError, match="cannot read"):
            read_record(tmp_path / "x.xml")


def test_xml_of_other_kinds_is_refused(tmp_path):
    (tmp_path / "x.xml").write_text(f"<patient>{written.LAST}</patient>")
    with pytest.raises(RecordError, match="in no format merl reads") as caught:
        read_record(tmp_path / "x.xml")
    assert written.LAST not in str(caught.value)


def test_a_giant_file_is_not_read(tmp_path, signal):
    path = write_aecg(tmp_path / "x.xml", signal[:, :500])
    with path.open("ab") as handle:
        handle.truncate(65 * 2**20)
    with pytest.raises(RecordError, match="more than 64 MB"):
        read_record(path)


def test_without_the_library_the_extra_is_named(tmp_path, signal, monkeypatch):
    monkeypatch.setitem(sys.modules, "ecgdatakit", None)
    with pytest.raises(RecordError, match=r"pip install 'merl-ckepe\[readers\]'"):
        read_record(write_aecg(tmp_path / "x.xml", signal[:, :500]))
