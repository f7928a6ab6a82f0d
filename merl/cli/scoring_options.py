"""Options that every command shares which scores ECGs."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

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
