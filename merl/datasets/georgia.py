"""Georgia 12-lead ECG Challenge Database: 10,344 ECGs of 5-10 s at 500 Hz from Emory University, Atlanta.

Published in the form of the Challenge 2021 (see :mod:`merl.datasets.challenge2021` for citation and licence)
as ``training/georgia/gN/E#####``. It is out of distribution for models trained on PTB-XL. Folds are ours, by
a hash of the record's name, since neither folds nor patients are published.
"""

from merl.datasets.challenge2021 import challenge_form

DATASET = challenge_form("georgia", "Georgia", 10344, r"E\d{5}", "georgia")
