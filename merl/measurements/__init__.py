"""What a cardiologist measures on a 12-lead ECG: rhythm, intervals, and the waves of its typical beat."""

from merl.measurements.measuring import measure
from merl.measurements.table import LEADS, Measurements
from merl.measurements.waves import frontal_axis

__all__ = ["LEADS", "Measurements", "frontal_axis", "measure"]
