"""Options that every command shares which scores ECGs."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from merl.errors import UsageError, unknown

DEFAULT_MODEL = "ptbxl-r18-100hz"
Checkpoint = Annotated[str, typer.Option(help="A shipped model or a checkpoint folder.")]


class Ensemble(StrEnum):
    """How the phrases of a class become its score."""

    mean = "mean"
    joined = "joined"
    max = "max"
    name_weighted = "name-weighted"


HowCombined = Annotated[
    Ensemble,
    typer.Option(
        help="How a class's phrases count: their mean, joined into one text, the nearest, or"
        " the mean with the name worth half."
    ),
]
AbsentWeight = Annotated[
    float, typer.Option(min=0, max=1, help="How much phrases that speak against a class count.")
]
Contrast = Annotated[
    float,
    typer.Option(
        min=0, max=1, help="How much of what an ECG has in common with all classes is taken off its scores."
    ),
]
LeadAs = Annotated[list[str] | None, typer.Option(help="MLII=II takes the lead MLII for lead II; repeat it.")]


def lead_pairs(given: list[str]) -> dict[str, str]:
    """Read ``MLII=II`` as the lead MLII that stands in for lead II.

    Raises:
        UsageError: it names no two leads, or the second is none of the twelve.
    """
    pairs = dict(item.partition("=")[::2] for item in given)
    if odd := [lead for lead, other in pairs.items() if not lead or not other]:
        raise UsageError(f"--lead-as {odd[0]!r} names no two leads; write MLII=II")
    check_leads("--lead-as", list(pairs.values()))
    return pairs


def check_leads(option: str, given: list[str]) -> None:
    """Refuse what is none of the twelve leads, or one that is named twice.

    Raises:
        UsageError: it is.
    """
    from merl.records import STANDARD_LEADS

    for i, lead in enumerate(given):
        if lead not in STANDARD_LEADS:
            raise UsageError(f"{option}: {unknown('lead', lead, STANDARD_LEADS)}")
        if lead in given[:i]:
            raise UsageError(f"{option}: the lead {lead} is named twice; name it once")
