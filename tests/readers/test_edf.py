import random

import edfio
import numpy as np
import pytest

from merl.errors import RecordError
from merl.readers import read_record
from merl.records import STANDARD_LEADS
from tests.readers import written
from tests.readers.written import write_bdf

LABELS = [f"ECG {lead}" for lead in STANDARD_LEADS]


def edf_signals(signal, *, rate=500, labels=LABELS, unit="mV", factor=1.0):
    return [
        edfio.EdfSignal(
            row * factor,
            rate,
            label=label,
            physical_dimension=unit,
            physical_range=(-10 * factor, 10 * factor),
        )
        for label, row in zip(labels, signal, strict=True)
    ]


def write_edf(path, signals, **more):
    patient = edfio.Patient(code=written.NUMBER, name=f"{written.FIRST}_{written.LAST}")
    edfio.Edf(signals, patient=patient, **more).write(path)
    return path


@pytest.mark.parametrize(("unit", "factor"), [("mV", 1.0), ("uV", 1e3)])
def test_edf_has_gain_unit_and_leads_by_label(tmp_path, simulated, unit, factor):
    signal = simulated(rate=500)
    path = write_edf(tmp_path / "x.edf", edf_signals(signal, unit=unit, factor=factor))
    record = read_record(path)
    assert (record.leads, record.sampling_rate, record.seconds) == (STANDARD_LEADS, 500, 10)
    np.testing.assert_allclose(record.signal, signal, atol=20 / 65535)


def test_edf_plus_with_annotations_and_other_signals(tmp_path, simulated):
    signal = simulated(rate=500)
    labels = ["I", "ECG II-Ref", "EKG V1", "Lead aVR"]
    signals = edf_signals(signal[:4], labels=labels)
    signals.append(edfio.EdfSignal(np.arange(10.0), 1, label="SpO2", physical_dimension="%"))
    notes = [edfio.EdfAnnotation(1, None, f"{written.LAST} coughs")]
    record = read_record(write_edf(tmp_path / "x.edf", signals, annotations=notes))
    assert record.leads == ("I", "II", "V1", "aVR", "III", "aVL", "aVF")
    assert record.derived == ("III", "aVL", "aVF")


def test_the_text_of_an_unknown_label_is_not_kept(tmp_path, simulated):
    labels = ["ECG II", "EKG Mustermann", "ECG MLII", "ECG", "ECG V3R"]
    record = read_record(write_edf(tmp_path / "x.edf", edf_signals(simulated(rate=500)[:5], labels=labels)))
    assert record.leads == ("II", "ECG2", "MLII", "ECG", "V3R")


def test_bdf_has_24_bits(tmp_path, simulated):
    signal = simulated(rate=500)
    record = read_record(write_bdf(tmp_path / "x.bdf", signal, LABELS))
    assert (record.leads, record.sampling_rate, record.seconds) == (STANDARD_LEADS, 500, 10)
    np.testing.assert_allclose(record.signal, signal, atol=0.0006)  # a microvolt a step
    fine = write_bdf(tmp_path / "f.bdf", signal, LABELS, physical=(-262144, 262143))
    np.testing.assert_allclose(read_record(fine).signal, signal, atol=0.00003)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"unit": ""}, "lead I has no unit"),
        ({"unit": "mmHg"}, "unit 'mmHg'"),
        ({"digital": (0, 0), "physical": (-100, 100)}, "no calibration"),
        ({"kind": "BDF+D"}, "was interrupted"),
        ({"labels": ["EEG Fpz"] * 12}, "no ECG lead; label the leads ECG I"),
        ({"labels": ["ECG I"] * 12}, "names a lead twice"),
    ],
)
def test_what_would_have_to_be_guessed_is_refused(tmp_path, simulated, options, message):
    given = {"labels": LABELS, **options}
    if given.get("digital") == (0, 0):
        path = write_bdf(tmp_path / "x.bdf", simulated(rate=500), given["labels"])
        raw = path.read_bytes()
        path.write_bytes(raw.replace(b"-8388608" * 12 + b"8388607 " * 12, b"0       " * 24, 1))
    else:
        path = write_bdf(tmp_path / "x.bdf", simulated(rate=500), **given)
    with pytest.raises(RecordError, match=message):
        read_record(path)


def test_leads_of_two_rates_are_refused(tmp_path, simulated):
    signals = edf_signals(simulated(rate=500)[:2], labels=LABELS[:2])
    signals += edf_signals(simulated(rate=250)[2:3], rate=250, labels=LABELS[2:3])
    with pytest.raises(RecordError, match="have the rates 250, 500 Hz"):
        read_record(write_edf(tmp_path / "x.edf", signals))


def test_a_cut_file_is_refused_and_no_patient_mentioned(tmp_path, simulated, caplog, capsys):
    for name in ("x.edf", "x.bdf"):
        path = tmp_path / name
        if name == "x.edf":
            write_edf(path, edf_signals(simulated(rate=500)))
        else:
            write_bdf(path, simulated(rate=500), LABELS)
        whole = path.read_bytes()
        rng = random.Random(0)
        said = [repr(read_record(path))]
        for cut in [0, 100, 200, 256, 3000, *(rng.randrange(len(whole)) for _ in range(15))]:
            path.write_bytes(whole[:cut])
            with pytest.raises(RecordError) as caught:
                read_record(path)
            said.append(str(caught.value))
            assert "\n" not in said[-1]
        said += [caplog.text, *capsys.readouterr()]
        assert not any(secret in text for secret in written.SECRETS for text in said)
