"""CPSC-Extra: 3,453 12-lead ECGs of 8-98 s at 500 Hz, the unused records of CPSC2018, with 72 diagnoses.

Published in the form of the Challenge 2021 (see :mod:`merl.datasets.challenge2021` for citation and licence)
as ``training/cpsc_2018_extra/gN/Q####``. Folds are ours, by a hash of the record's name.
"""

from merl.datasets.challenge2021 import challenge_form

DATASET = challenge_form("cpsc-extra", "CPSC-Extra", 3453, r"Q\d{4}", "cpsc_2018_extra")
