"""What files of bare numbers may not say of themselves: sampling rate, unit and lead names."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from merl.errors import RecordError
from merl.files import validate


@dataclass(frozen=True)
class Stated:
    """Facts that somebody states about a file: its header, a file beside it, or the caller.

    Attributes:
        sampling_rate: in hertz.
        unit: of all signals that have none of their own.
        leads: names of the signals, in the file's order.
    """

    sampling_rate: float | None = None
    unit: str | None = None
    leads: tuple[str, ...] | None = None

    def agreeing(self, other: Stated, path: Path) -> Stated:
        """Put together what two have stated.

        Raises:
            RecordError: they contradict each other.
        """
        both = {}
        for name in (field.name for field in fields(self)):
            one, two = getattr(self, name), getattr(other, name)
            if one is not None and two is not None and one != two:
                raise RecordError(
                    f"{path}: {name} is stated as {one} and as {two}; leave out what is not true"
                )
            both[name] = one if one is not None else two
        return Stated(**both)


class _Sidecar(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sampling_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    unit: str | None = None
    leads: tuple[str, ...] | None = None


def beside(path: Path) -> Stated:
    """Read what ``X.json`` beside ``X.csv`` states: ``sampling_rate``, ``unit`` and ``leads``; it may lack.

    Raises:
        RecordError: it is no JSON object, or has other keys or values.
    """
    sidecar = path.with_suffix(".json")
    try:
        data = json.loads(sidecar.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Stated()
    except (OSError, ValueError, RecursionError):  # the text of the problem may quote the file
        raise RecordError(f"{sidecar} is not readable JSON; it belongs to {path.name}") from None
    return Stated(**dict(validate(_Sidecar, data, sidecar, RecordError)))
