"""Prompt sets: the phrases of every class, what each rests on, who made them and what was thrown out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from merl.errors import PromptError, UsageError, unknown
from merl.files import content_dir, read_yaml, validate, write_text
from merl.label_sets import LabelSet, load_label_set, refuse_duplicate_keys

SCHEMA: Literal["merl/prompt-set/v1"] = "merl/prompt-set/v1"
Role = Literal["name", "synonym", "subtype", "finding", "criterion"]
Polarity = Literal["present", "absent"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, str_strip_whitespace=True)


class Phrase(_Strict):
    """One phrase of a class; ``absent`` marks what speaks against the class when seen."""

    text: str = Field(min_length=1)
    role: Role = "finding"
    polarity: Polarity = "present"
    sources: tuple[str, ...] = ()
    edited: bool = False


class Rejected(_Strict):
    """A phrase that was thrown out, and why."""

    text: str
    reason: str
    role: Role | None = None
    polarity: Polarity | None = None
    sources: tuple[str, ...] = ()


class ClassPrompts(_Strict):
    """The prompts of one class."""

    name: str = Field(min_length=1)
    prompts: tuple[Phrase, ...] = ()
    rejected: tuple[Rejected, ...] = ()

    @property
    def present(self) -> list[str]:
        """The phrases that speak for the class."""
        return [phrase.text for phrase in self.prompts if phrase.polarity == "present"]

    @property
    def absent(self) -> list[str]:
        """The phrases that speak against the class."""
        return [phrase.text for phrase in self.prompts if phrase.polarity == "absent"]


class Generator(_Strict):
    """Who made the set, with what, so that it can be made again."""

    kind: Literal["plain", "knowledge", "ckepe", "imported", "manual", "control"]
    llm: str | None = None
    temperature: float | None = None
    template: str | None = None
    template_sha256: str | None = None
    index_sha256: str | None = None
    verify: Literal["strict", "lenient", "off"] | None = None
    created: str | None = None


class PromptSet(_Strict):
    """Prompts for every class of a label set, in the label set's order.

    ``name`` is the file's stem once loaded; it is how results call the set and is not written.
    """

    schema_: Literal["merl/prompt-set/v1"] = Field(SCHEMA, alias="schema")
    label_set: str
    generator: Generator
    classes: dict[Annotated[str, Field(min_length=1)], ClassPrompts] = Field(min_length=1)
    name: str = Field("prompts", exclude=True)

    @classmethod
    def plain(cls, labels: str | Path | Mapping[str, str] | LabelSet) -> PromptSet:
        """Make the baseline: each class's own name, lower-cased and otherwise untouched."""
        label_set = (
            labels
            if isinstance(labels, LabelSet)
            else load_label_set(dict(labels) if isinstance(labels, Mapping) else labels)
        )
        classes = {
            code: ClassPrompts(name=item.name, prompts=(Phrase(text=item.name.lower(), role="name"),))
            for code, item in label_set.classes.items()
        }
        return cls(label_set=label_set.name, generator=Generator(kind="plain"), classes=classes, name="plain")

    @classmethod
    def load(cls, path: str | Path) -> PromptSet:
        """Read a prompt set from YAML.

        Raises:
            PromptError: the file is missing or breaks the schema; all faults are named together.
        """
        path = Path(path)
        data = read_yaml(path)
        refuse_duplicate_keys(path)
        if isinstance(data, dict) and "name" in data:
            raise PromptError(f"{path}: unknown key 'name'; a prompt set is called by its file name")
        return validate(cls, data, path).model_copy(update={"name": path.stem})

    @classmethod
    def find(cls, prompts: str | Path, label_set: str) -> PromptSet:
        """Load a set from a path, or a shipped one (``plain``, ``knowledge``) for a label set.

        Raises:
            UsageError: neither a file nor a shipped name.
            PromptError: the set was made for another label set.
        """
        path = Path(prompts)
        if not path.is_file():
            folder = content_dir("prompts") / "sets" / label_set
            path = folder / f"{prompts}.yaml"
            if not path.is_file():
                shipped = [found.stem for found in folder.glob("*.yaml")]
                raise UsageError(unknown(f"prompt file or shipped set of {label_set}", str(prompts), shipped))
        found = cls.load(path)
        if found.label_set != label_set:
            raise PromptError(f"{path} was made for the label set {found.label_set!r}, not for {label_set!r}")
        return found

    def save(self, path: str | Path) -> None:
        """Write the set as YAML, one phrase a line, atomically."""
        data = self.model_dump(by_alias=True, exclude_none=True, exclude_defaults=False)
        for item in data["classes"].values():
            item["prompts"] = [_Line(_tidy(phrase)) for phrase in item["prompts"]]
            item["rejected"] = [_Line(_tidy(phrase)) for phrase in item["rejected"]]
            if not item["rejected"]:
                del item["rejected"]
        data["generator"] = _Line(data["generator"])
        write_text(path, yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000))


class _Line(dict[str, Any]):
    """A mapping written on one line, so that a diff shows one phrase a line."""


class _Dumper(yaml.SafeDumper):
    pass


_Dumper.add_representer(
    _Line, lambda dumper, data: dumper.represent_mapping("tag:yaml.org,2002:map", data, flow_style=True)
)


def _tidy(phrase: dict[str, Any]) -> dict[str, Any]:
    out = {key: list(value) if isinstance(value, tuple) else value for key, value in phrase.items()}
    if not out.get("edited"):
        out.pop("edited", None)
    if not out["sources"]:
        del out["sources"]
    return out
