"""A statement: several ways to say one thing, and the records it is true of."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Truth = NDArray[np.bool_]
Values = NDArray[np.float64]


class Statement(NamedTuple):
    """Texts that mean the same, and the records they are true of, shape (records,)."""

    true_of: Truth
    texts: tuple[str, ...]


def when(true_of: Truth, *texts: str) -> Statement:
    """Return what can be said of the records where something holds."""
    return Statement(true_of, texts)
