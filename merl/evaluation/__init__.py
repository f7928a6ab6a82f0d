"""Evaluation: areas and decisions with patient-level intervals, paired comparison, the result, tables."""
