import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from merl.errors import UsageError
from merl.evaluation.evidence import Waveform
from merl.records import STANDARD_LEADS, ECGRecord
from merl.report.ecg_paper import draw_ecg, draw_kept, figure_svg, save_figure
from merl.simulation import Rhythm, simulate

RECORD = simulate(Rhythm(), sampling_rate=250)


def texts(figure):
    return [item.get_text() for item in figure.axes[0].texts]


def traces(figure):
    """The drawn curves of more than a calibration pulse, in millimetres."""
    return [line.get_xydata() for line in figure.axes[0].lines if len(line.get_xdata()) > 6]


def test_a_second_is_25_mm_and_a_millivolt_10():
    figure = draw_ecg(RECORD)
    width, height = figure.get_size_inches() * 25.4
    assert figure.axes[0].get_xlim() == pytest.approx((0, width))  # one unit is one millimetre
    assert figure.axes[0].get_ylim() == pytest.approx((0, height))
    rhythm = traces(figure)[-1]
    assert np.ptp(rhythm[:, 0]) == pytest.approx(249.9, abs=0.01)  # 2,500 samples
    assert np.ptp(rhythm[:, 1]) == pytest.approx(10 * np.ptp(RECORD.signal[1]), rel=1e-5)
    column = traces(figure)[0]
    assert np.ptp(column[:, 0]) == pytest.approx(62.5)


def test_columns_follow_one_another_in_time():
    figure = draw_ecg(RECORD)
    v5 = STANDARD_LEADS.index("V5")
    drawn = next(curve for curve, lead in zip(traces(figure), texts(figure), strict=False) if lead == "V5")
    part = RECORD.signal[v5, round(7.5 * 250) :]
    np.testing.assert_allclose(np.diff(drawn[:, 1]), 10 * np.diff(part), atol=1e-4)
    order = [text for text in texts(figure) if text in STANDARD_LEADS]
    assert order == ["I", "aVR", "V1", "V4", "II", "aVL", "V2", "V5", "III", "aVF", "V3", "V6", "II"]


def test_it_says_what_was_computed_and_what_is_missing():
    eight = RECORD.select(["I", "II", "V1", "V2", "V3", "V4", "V5"]).with_limb_leads()
    said = texts(draw_ecg(eight))
    assert {"III computed", "aVF computed", "V6 not recorded", "II"} <= set(said)
    assert "25 mm/s   10 mm/mV   250 Hz   10 s" in said


@pytest.mark.parametrize(("seconds", "length"), [(3, "3 s"), (60, "first 10 of 60 s")])
def test_short_and_long_records_say_their_length(seconds, length):
    record = simulate(Rhythm(), seconds=seconds, sampling_rate=100)
    figure = draw_ecg(record, foot=["For research."])
    assert f"100 Hz   {length}   For research." in texts(figure)[-1]
    assert max(np.ptp(curve[:, 0]) for curve in traces(figure)) <= 250.5


def test_an_ecg_that_was_thinned_says_how_it_was_recorded():
    whole = simulate(Rhythm(), seconds=30, sampling_rate=500)
    wave = Waveform.of(simulate(Rhythm(), seconds=10, sampling_rate=125), whole=whole)
    assert "500 Hz, drawn at 125 Hz   first 10 of 30 s" in texts(draw_kept(wave, "one"))[-1]


def test_leads_that_are_not_standard_have_strips_of_their_own():
    holter = ECGRecord(RECORD.signal[:2], 250, ("MLII", "V1"), "holter")
    figure = draw_ecg(holter)
    assert len(traces(figure)) == 2
    assert {"MLII", "V1"} <= set(texts(figure))


def test_pictures_are_written_whole_or_not_at_all(tmp_path):
    hostile = "<script>alert(1)</script> $x_"
    figure = draw_ecg(RECORD, heading=hostile, lines=["AFIB atrial fibrillation +0.41"])
    for name in ("a.png", "a.SVG"):
        save_figure(figure, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    svg = (tmp_path / "a.SVG").read_text()
    ET.fromstring(svg)  # noqa: S314 - our own file
    assert "<script" not in svg
    assert "AFIB atrial fibrillation" in svg
    with pytest.raises(UsageError, match=r"a.pdf is neither .png nor .svg"):
        save_figure(figure, tmp_path / "a.pdf")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.SVG", "a.png"]


def test_an_svg_is_small_and_the_same_every_time():
    svg = figure_svg(draw_ecg(simulate(Rhythm(), sampling_rate=100)))
    assert svg == figure_svg(draw_ecg(simulate(Rhythm(), sampling_rate=100)))
    assert svg.startswith("<svg")
    assert len(svg) < 100_000
    assert not re.search(r"https?://(?!www\.w3\.org|purl\.org|creativecommons|matplotlib)", svg)
