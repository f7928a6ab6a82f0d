"""Pretraining on pairs of ECG and report: the data made ready, the loop, and one run from start to end."""
