"""Evaluation: AUROC with patient-level bootstrap intervals, paired comparison of prompt sets, results."""
