"""Signatures under prompt sets and marks on their phrases, in the terms of the knowledge base."""

from __future__ import annotations

import datetime

from pydantic import BaseModel, ConfigDict, Field


class Review(BaseModel):
    """The signature of a person, as under the entries of the knowledge base."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    by: str = Field(min_length=1)  # name and office, "A. Example, cardiologist"
    date: datetime.date


class Mark(Review):
    """What a person thinks of one phrase.

    ``digest`` is that of the phrase as it was judged: a mark on another wording does not count.
    """

    agreed: bool = False
    comment: str | None = Field(None, min_length=1)
    digest: str | None = Field(None, pattern="^[0-9a-f]{6}$")
