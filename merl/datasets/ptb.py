"""PTB Diagnostic ECG Database in the form of the Challenge 2021: 516 ECGs of 32-120 s at 1000 Hz.

Bousseljot et al., Biomedizinische Technik 40:S317 (1995), doi:10.13026/C28C71; the Challenge publishes twelve
of its fifteen leads as ``training/ptb/gN/S####`` (see :mod:`merl.datasets.challenge2021` for the licence).
The records come from fewer patients, whom this form does not tell: folds, by a hash of the record's name, may
share a patient, and intervals by patients are intervals by records.
"""

from merl.datasets.challenge2021 import challenge_form

DATASET = challenge_form("ptb", "PTB", 516, r"S\d{4}", "ptb")
