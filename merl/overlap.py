"""Which classes of one label set a classifier of another one can score, as YAML that a reader may change."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from merl.errors import UsageError, unknown
from merl.files import read_yaml, validate, write_text
from merl.label_sets import LabelSet


class ClassOverlap(BaseModel):
    """What stands for a class of the target.

    Attributes:
        sources: classes of the source; none if nothing does.
        take: which of their scores counts where there are several: the ``highest`` if each is a kind of the
            target's class, the ``lowest`` if the target's class is a kind of each.
        reason: why, for the reader.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    sources: tuple[str, ...]
    take: Literal["highest", "lowest"] = "highest"
    reason: str = ""


class Overlap(BaseModel):
    """What stands for each class of the target; one that is not named has nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    schema_: Literal["merl/overlap/v1"] = Field("merl/overlap/v1", alias="schema")
    source: str
    target: str
    classes: dict[str, ClassOverlap]

    @property
    def scored(self) -> dict[str, ClassOverlap]:
        """The classes of the target for which something stands."""
        return {code: item for code, item in self.classes.items() if item.sources}

    @classmethod
    def load(cls, path: str | Path, source: LabelSet, target: LabelSet) -> Overlap:
        """Read an overlap and put its classes in the order of the target.

        Raises:
            UsageError: it is for other label sets, or names a class that they do not have.
            PromptError: the file is missing or breaks the schema.
        """
        found = validate(cls, read_yaml(path), path)
        if (found.source, found.target) != (source.name, target.name):
            raise UsageError(
                f"{path} leads from {found.source} to {found.target}, not from {source.name} to {target.name}"
            )
        named = [(target, list(found.classes))]
        named += [(source, list(item.sources)) for item in found.classes.values()]
        for label_set, codes in named:
            if odd := [code for code in codes if code not in label_set.classes]:
                raise UsageError(
                    f"{path}: {unknown(f'class of {label_set.name}', odd[0], label_set.classes)}"
                )
        ordered = {code: found.classes[code] for code in target.classes if code in found.classes}
        return found.model_copy(update={"classes": ordered})

    def save(self, path: str | Path) -> None:
        """Write the overlap as YAML, atomically."""
        data = self.model_dump(by_alias=True, mode="json")
        write_text(path, yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=110))
