"""What can be said of ECGs from their waveforms: findings in clinicians' words, and where each is true.

Nothing but measurements is read, no label and no report. A text encoder that meets "ST depression of 0.5 mm
or more in V4 to V6" together with the ECGs that show it learns what the words look like.

The measured amplitudes are those of a median beat at 100 Hz, and where words name no number ("tall R waves",
"low voltage") the thresholds are ours. A text with a number is true at that number, and one that names three
leads or more if all of them but one show it. Where a text names what is not measured, such as how a T wave is
curved, the nearest measured sign stands for it. A finding that rests on something that could not be measured
in a record is not true of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from merl.errors import UsageError
from merl.findings.intervals import pr_interval, qrs_duration, qtc
from merl.findings.p_waves import p_waves
from merl.findings.q_waves import q_waves
from merl.findings.qrs_shape import axis, qrs_shape
from merl.findings.rhythm import premature_beats, rate, rhythm
from merl.findings.st_segment import st_segment
from merl.findings.st_t import st_t
from merl.findings.statement import Statement
from merl.findings.t_waves import t_waves
from merl.findings.voltage import voltage
from merl.measurements import Measurements

__all__ = ["Finding", "findings"]

_KINDS: dict[str, Callable[[Measurements], Iterator[Statement]]] = {
    "qrs duration": qrs_duration,
    "pr interval": pr_interval,
    "qtc": qtc,
    "rate": rate,
    "rhythm": rhythm,
    "premature beats": premature_beats,
    "axis": axis,
    "voltage": voltage,
    "qrs shape": qrs_shape,
    "q waves": q_waves,
    "st segment": st_segment,
    "t waves": t_waves,
    "st-t": st_t,
    "p waves": p_waves,
}


class Finding(NamedTuple):
    """One thing that can be said of an ECG.

    Attributes:
        kind: what it is about, such as ``st segment``.
        text: the finding in lower case; no two findings share it.
        true_of: the records it is true of, shape (records,).
    """

    kind: str
    text: str
    true_of: NDArray[np.bool_]


def findings(measurements: Measurements) -> list[Finding]:
    """Say all that can be said of some records.

    Returns:
        The findings, always the same texts in the same order, also those true of no record or of all.

    Raises:
        UsageError: the measurements are those of a single record, without an axis of records.
    """
    if measurements.beats.ndim != 1:
        raise UsageError(
            "findings are told of a table of records; make one of a record by Measurements.stack"
        )
    with np.errstate(invalid="ignore"):  # what could not be measured is nan, and compares as false
        return [
            Finding(kind, text.lower(), statement.true_of)
            for kind, statements in _KINDS.items()
            for statement in statements(measurements)
            for text in statement.texts
        ]
