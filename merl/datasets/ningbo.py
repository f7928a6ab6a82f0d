"""Ningbo First Hospital, in the form of the Challenge 2021: 34,905 12-lead ECGs of 10 s at 500 Hz.

Zheng et al., Scientific Reports 10:2898 (2020), doi:10.1038/s41598-020-59821-7, as
``training/ningbo/gN/JS#####`` (see :mod:`merl.datasets.challenge2021` for citation and licence): the
records of Chapman-Shaoxing-Ningbo from JS10647 on. Folds are those of CSN, so that training on the one
never meets the other's test fold.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from merl.datasets import csn
from merl.datasets.challenge2021 import challenge_form
from merl.datasets.published import Records

#: JS10647 and later; what comes before is Chapman-Shaoxing.
NAMES = r"JS(1064[789]|106[5-9]\d|10[7-9]\d\d|1[1-9]\d{3}|[2-9]\d{4})"


def _records(root: Path, _sampling_rate: int) -> Records:
    records = csn.DATASET.records(root, 500)
    return records.take(i for i, name in enumerate(records.names) if re.fullmatch(NAMES, name))


DATASET = dataclasses.replace(challenge_form("ningbo", "Ningbo", 34905, NAMES, "ningbo"), records=_records)
