"""Every data set there is, by its name on the command line."""

from __future__ import annotations

from merl.datasets import (
    code15,
    cpsc2018,
    cpsc_extra,
    csn,
    georgia,
    ludb,
    mimic_ecg,
    mitbih,
    ningbo,
    ptb,
    ptbxl,
    sph,
)
from merl.datasets.published import Published

DATASETS: dict[str, Published] = {
    module.DATASET.key: module.DATASET
    for module in (
        ptbxl,
        cpsc2018,
        csn,
        georgia,
        cpsc_extra,
        ptb,
        ningbo,
        mitbih,
        ludb,
        code15,
        sph,
        mimic_ecg,
    )
}
