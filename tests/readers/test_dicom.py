"""DICOM: the real recording that pydicom carries, as it is and with one thing changed."""

import logging
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from merl.errors import RecordError
from merl.readers import read_record
from merl.records import STANDARD_LEADS
from tests.readers import written

EIGHT = [0, 1, *range(6, 12)]


def dicom_file() -> Path:
    return Path(str(get_testdata_file("waveform_ecg.dcm", download=False)))


def test_dicom_agrees_with_pydicom_and_obeys_einthoven():
    record = read_record(dicom_file())
    assert (record.leads, record.sampling_rate, record.name) == (STANDARD_LEADS, 1000, "waveform_ecg")
    reference = pydicom.dcmread(dicom_file()).waveform_array(0).T / 1000  # microvolts
    np.testing.assert_allclose(record.signal, reference, rtol=1e-6)
    one, two, three = record.signal[:3]
    np.testing.assert_allclose(three, two - one, atol=0.002)


def change_dicom(path: Path, change) -> Path:
    data = pydicom.dcmread(dicom_file())
    change(data.WaveformSequence[0])
    data.save_as(path)
    return path


def test_dicom_scale_has_sensitivity_correction_and_baseline(tmp_path):
    def change(group):
        channel = group.ChannelDefinitionSequence[1]
        channel.ChannelSensitivityCorrectionFactor = "2"
        channel.ChannelBaseline = "10"

    plain, changed = read_record(dicom_file()), read_record(change_dicom(tmp_path / "no_suffix", change))
    np.testing.assert_allclose(changed.signal[1], plain.signal[1] * 2 + 0.010, atol=1e-6)
    np.testing.assert_array_equal(changed.signal[0], plain.signal[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda group: setattr(group, "WaveformData", group.WaveformData[:-100]), "announces 240000"),
        (
            lambda group: delattr(group.ChannelDefinitionSequence[2], "ChannelSensitivity"),
            "III has no channel",
        ),
        (
            lambda group: delattr(group.ChannelDefinitionSequence[2], "ChannelSensitivityUnitsSequence"),
            "no unit",
        ),
        (
            lambda group: setattr(
                group.ChannelDefinitionSequence[2].ChannelSensitivityUnitsSequence[0], "CodeValue", "mm[Hg]"
            ),
            "lead III has the unit",
        ),
        (lambda group: setattr(group, "WaveformSampleInterpretation", "MB"), "type MB"),
        (lambda group: delattr(group, "SamplingFrequency"), "lacks something"),
        (lambda group: setattr(group, "SamplingFrequency", "0"), "0 Hz is not possible"),
    ],
)
def test_faulty_dicom_is_refused(tmp_path, change, message):
    with pytest.raises(RecordError, match=message):
        read_record(change_dicom(tmp_path / "x.dcm", change))


def test_truncated_dicom_is_refused(tmp_path):
    (tmp_path / "x.dcm").write_bytes(dicom_file().read_bytes()[:100_000])
    with pytest.raises(RecordError, match="truncated"):
        read_record(tmp_path / "x.dcm")


def keep(group, rows) -> None:
    """Leave some of a group's channels."""
    raw = np.frombuffer(group.WaveformData, "<i2").reshape(-1, group.NumberOfWaveformChannels)
    group.WaveformData = raw[:, rows].tobytes()
    group.ChannelDefinitionSequence = [group.ChannelDefinitionSequence[row] for row in rows]
    group.NumberOfWaveformChannels = len(rows)


def test_the_recording_is_read_and_not_a_beat_with_more_leads(tmp_path):
    path = change_dicom(tmp_path / "x.dcm", lambda group: keep(group, EIGHT))
    beat = pydicom.dcmread(path).WaveformSequence[1]
    assert (beat.WaveformOriginality, beat.NumberOfWaveformChannels) == ("DERIVED", 12)
    record = read_record(path)
    assert record.derived == ("III", "aVR", "aVL", "aVF")
    np.testing.assert_array_equal(record.signal[:8], read_record(dicom_file()).signal[EIGHT])
    with pytest.raises(RecordError, match="names a lead twice"):
        read_record(change_dicom(tmp_path / "y.dcm", lambda group: keep(group, [*range(11), 0])))


def test_a_file_of_several_recordings_is_refused(tmp_path):
    data = pydicom.dcmread(dicom_file())
    data.WaveformSequence.insert(1, data.WaveformSequence[0])
    data.save_as(tmp_path / "x.dcm")
    with pytest.raises(RecordError, match="holds several recordings"):
        read_record(tmp_path / "x.dcm")


@pytest.mark.parametrize(
    ("keyword", "value", "read"),
    [
        ("ChannelSampleSkew", "0.5", True),
        ("ChannelSampleSkew", "2500", False),
        ("ChannelTimeSkew", "0.0005", True),
        ("ChannelTimeSkew", "-0.002", False),
        ("ChannelOffset", "2.5", False),
    ],
)
def test_a_lead_that_begins_later_is_refused(tmp_path, keyword, value, read):
    path = change_dicom(
        tmp_path / "x.dcm", lambda group: setattr(group.ChannelDefinitionSequence[6], keyword, value)
    )
    if read:
        np.testing.assert_array_equal(read_record(path).signal, read_record(dicom_file()).signal)
    else:
        with pytest.raises(RecordError, match="lead V1 begins later than others"):
            read_record(path)


def test_no_patient_is_mentioned_whatever_is_damaged(tmp_path, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    data = pydicom.dcmread(dicom_file())
    data.PatientName, data.PatientID = f"{written.LAST}^{written.FIRST}", written.NUMBER
    path = tmp_path / "x.dcm"
    data.save_as(path)
    whole = bytearray(path.read_bytes())
    said = [repr(read_record(path))]
    length = whole.index(b"\x02\x00\x10\x00UI") + 6  # of the transfer syntax, before the patient
    whole[length : length + 2] = b"\x6e\x17"
    path.write_bytes(whole)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with pytest.raises(RecordError) as caught:
            read_record(path)
    said += [str(caught.value), caplog.text, *capsys.readouterr(), *(str(item.message) for item in warned)]
    assert not any(secret in text for secret in written.SECRETS for text in said)
