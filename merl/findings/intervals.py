"""Findings about the durations of the QRS complex, the PR interval and the QT interval."""

from __future__ import annotations

from collections.abc import Iterator

from merl.findings.derived import sinus_p
from merl.findings.statement import Statement, when
from merl.measurements import Measurements

# "above" and "or more" are one finding here: a measured interval is no finer than what lies between them


def qrs_duration(m: Measurements) -> Iterator[Statement]:
    """Say how long the QRS complex lasts."""
    qrs = m.qrs_duration
    for ms in (100, 110, 120, 130, 140, 150, 160):
        yield when(
            qrs >= ms,
            f"QRS duration of {ms} ms or more",
            f"QRS duration above {ms} ms",
            f"QRS complex of {ms} ms or longer",
            f"wide QRS of {ms / 1000:.2f} s or more",
            f"QRS longer than {ms} ms",
        )
    for ms in (90, 100, 110, 120):
        yield when(
            qrs < ms,
            f"QRS duration below {ms} ms",
            f"narrow QRS complexes below {ms} ms",
            f"QRS duration of {ms} ms or less",
        )
    yield when(qrs < 105, "narrow QRS complexes", "QRS of normal duration")
    yield when(qrs >= 120, "wide QRS complexes", "broad QRS complex", "widened QRS")
    yield when(
        (qrs >= 110) & (qrs < 120),
        "slightly broadened QRS",
        "QRS duration of 110 to 119 ms",
        "mildly prolonged QRS duration",
    )


def pr_interval(m: Measurements) -> Iterator[Statement]:
    """Say how long the PR interval lasts, where there are sinus P waves to measure it from."""
    pr, sinus = m.pr_interval, sinus_p(m)
    for ms in (180, 200, 210, 220, 240, 260, 280):
        yield when(
            sinus & (pr > ms),
            f"PR interval above {ms} ms",
            f"PR interval longer than {ms} ms",
            f"PR interval of {ms} ms or more",
            f"PQ time above {ms / 1000:.2f} s",
        )
    for ms in (120, 130, 140):
        yield when(sinus & (pr < ms), f"PR interval below {ms} ms", f"PR interval shorter than {ms} ms")
    short = sinus & (pr < 120)
    yield when(short & (m.qrs_duration >= 110), "PR interval below 120 ms with a wide QRS complex")
    yield when(sinus & (pr >= 120) & (pr <= 200), "PR interval of 120 to 200 ms", "normal PR interval")
    yield when(
        sinus & (pr > 215),
        "wide gap between P wave and QRS complex",
        "long PR segment",
        "delayed QRS after each P wave",
    )
    yield when(sinus & (pr < 130), "P wave close to the QRS complex", "short PR segment")


def qtc(m: Measurements) -> Iterator[Statement]:
    """Say how long the QT interval lasts, corrected for the heart rate."""
    for ms in (440, 450, 460, 470, 480, 500):
        yield when(
            m.qtc > ms,
            f"QTc above {ms} ms",
            f"QTc of {ms} ms or more",
            f"corrected QT interval longer than {ms} ms",
        )
    for ms in (340, 350, 360, 370):
        yield when(m.qtc < ms, f"QTc below {ms} ms", f"corrected QT interval shorter than {ms} ms")
    yield when(m.qtc > 465, "long QT interval")
    late = m.qt_interval > 30_000 / m.heart_rate
    yield when(late, "T wave ending late, beyond the middle of the RR interval")
    yield when((m.qtc > 370) & (m.qtc < 440), "QTc within normal limits")
