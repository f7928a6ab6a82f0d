"""CPSC2018 as published: MATLAB files with a struct ``ECG`` of sex, age and data (Liu et al. 2018).

Twelve leads in the order below, 500 Hz, millivolts; the files themselves say none of this.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from merl.errors import RecordError
from merl.readers.checks import make_record, reader
from merl.records import STANDARD_LEADS, ECGRecord

SAMPLING_RATE = 500.0
LEADS = STANDARD_LEADS  # I II III aVR aVL aVF V1-V6, the order the challenge's description gives


@reader("a MATLAB file", "it is truncated or damaged, get it again")
def read_cpsc2018(path: str | Path) -> ECGRecord:
    """Read one original CPSC2018 record; sex and age are left behind.

    Raises:
        RecordError: the file is missing, damaged, or holds no ``ECG.data`` of 12 leads.
    """
    from scipy.io import loadmat

    path = Path(path)
    content = loadmat(path)
    if "ECG" not in content:
        hint = f"put its header {path.stem}.hea beside it" if "val" in content else "give a CPSC2018 record"
        raise RecordError(f"{path} has no variable ECG; {hint}")
    struct = content["ECG"]
    if struct.dtype.names is None or "data" not in struct.dtype.names or struct.size != 1:
        raise RecordError(f"{path}: the variable ECG has no field data; give a CPSC2018 record")
    signal = struct["data"].item()
    if signal.ndim != 2 or len(signal) != len(LEADS) or signal.dtype.kind not in "iuf":
        raise RecordError(
            f"{path}: ECG.data is {signal.dtype} of shape {signal.shape} and not real numbers of shape"
            " (12, samples); give an unchanged file"
        )
    return make_record(signal.astype(np.float64), SAMPLING_RATE, LEADS, path.stem)
