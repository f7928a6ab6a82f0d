"""Leads and groups of leads, as clinicians name them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from merl.findings.statement import Truth
from merl.measurements import LEADS

_Scalar = TypeVar("_Scalar", bound=np.generic)

CHEST = tuple(name for name in LEADS if name.startswith("V"))
LIMB = tuple(name for name in LEADS if name not in CHEST)
_NEIGHBOURS = (("aVL", "I"), ("II", "aVF"), ("aVF", "III"), *pairwise(CHEST))


def lead(values: NDArray[_Scalar], name: str) -> NDArray[_Scalar]:
    """Return one lead of values of shape (records, 12), shape (records,)."""
    return values[:, LEADS.index(name)]


def leads(values: NDArray[_Scalar], *names: str) -> NDArray[_Scalar]:
    """Return some leads of values of shape (records, 12), shape (records, len(names))."""
    return values[:, [LEADS.index(name) for name in names]]


def number(shown: Truth, *names: str) -> NDArray[np.int_]:
    """Count those of the leads named that show a finding, from shape (records, 12)."""
    return np.count_nonzero(leads(shown, *names), axis=1)


def in_every(shown: Truth, *names: str) -> Truth:
    """Tell the records in which every lead named shows a finding, from shape (records, 12)."""
    return number(shown, *names) == len(names)


def in_contiguous(shown: Truth) -> Truth:
    """Tell the records in which two neighbouring leads show a finding, from shape (records, 12).

    Neighbours are those of one region: aVL and I, or two of II, aVF and III in this order, or two chest
    leads side by side.
    """
    found = [in_every(shown, *pair) for pair in _NEIGHBOURS]
    return np.any(found, axis=0)


@dataclass(frozen=True)
class Region:
    """A group of leads, or one lead.

    Attributes:
        name: as it stands in a sentence after "in".
        leads: the leads it means, in standard spelling.
    """

    name: str
    leads: tuple[str, ...]

    @property
    def enough(self) -> int:
        """The number of leads that must show a finding: all of one or two, all but one of more."""
        return len(self.leads) if len(self.leads) < 3 else len(self.leads) - 1

    def most(self, shown: Truth) -> Truth:
        """Tell the records in which enough leads of the region show a finding, from shape (records, 12)."""
        return number(shown, *self.leads) >= self.enough

    def every(self, shown: Truth) -> Truth:
        """Tell the records in which every lead of the region shows a finding, from shape (records, 12)."""
        return in_every(shown, *self.leads)


def _region(name: str, names: str) -> Region:
    return Region(name, tuple(names.split()))


_GROUPS = (
    _region("II, III and aVF", "II III aVF"),
    _region("the inferior leads", "II III aVF"),
    _region("III and aVF", "III aVF"),
    _region("I and aVL", "I aVL"),
    _region("I and V6", "I V6"),
    _region("I, aVL and V6", "I aVL V6"),
    _region("I, aVL, V5 and V6", "I aVL V5 V6"),
    _region("the lateral leads", "I aVL V5 V6"),
    _region("V1 and V2", "V1 V2"),
    _region("V2 and V3", "V2 V3"),
    _region("V1 to V3", "V1 V2 V3"),
    _region("V1 to V4", "V1 V2 V3 V4"),
    _region("V2 to V4", "V2 V3 V4"),
    _region("the anterior leads", "V2 V3 V4"),
    _region("V5 and V6", "V5 V6"),
    _region("V4 to V6", "V4 V5 V6"),
    _region("V3 to V6", "V3 V4 V5 V6"),
    _region("V2 to V6", "V2 V3 V4 V5 V6"),
    _region("the chest leads", "V2 V3 V4 V5 V6"),
    _region("the precordial leads", "V2 V3 V4 V5 V6"),
    _region("the limb leads", "I II III aVL aVF"),
    _region("I, II and V4 to V6", "I II V4 V5 V6"),
    _region("I, II and V3 to V6", "I II V3 V4 V5 V6"),
)

#: Groups first, then every lead by itself.
REGIONS = (*_GROUPS, *(Region(name, (name,)) for name in LEADS))

#: Those in which Q waves, ST depression and negative T waves mean something: they are the rule in aVR.
FACING = tuple(region for region in REGIONS if region.name != "aVR")

#: The leads whose T wave is upright in a normal ECG.
MAIN = ("I", "II", "V3", "V4", "V5", "V6")
