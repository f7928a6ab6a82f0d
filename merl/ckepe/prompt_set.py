"""Prompt sets: the phrases of every class, what each rests on, who made them and what was thrown out."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from merl.ckepe.signatures import Mark, Review
from merl.ckepe.writing import Line, tidy, to_yaml
from merl.errors import PromptError, UsageError, unknown
from merl.files import content_dir, read_yaml, validate, write_text
from merl.label_sets import LabelClass, LabelSet, load_label_set, shipped_label_sets

SCHEMA: Literal["merl/prompt-set/v1"] = "merl/prompt-set/v1"
Role = Literal["name", "synonym", "subtype", "finding", "criterion"]
Polarity = Literal["present", "absent"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, str_strip_whitespace=True)


class Phrase(_Strict):
    """One phrase of a class; ``absent`` marks what speaks against the class when seen.

    ``edited`` marks what a person wrote or changed, whether or not its sources say it. ``reviews`` holds
    one mark a person.
    """

    text: str = Field(min_length=1)
    role: Role = "finding"
    polarity: Polarity = "present"
    sources: tuple[str, ...] = ()
    edited: bool = False
    reviews: tuple[Mark, ...] = ()

    @property
    def digest(self) -> str:
        """Six hexadecimal digits of what it says, by which a change by hand is noticed."""
        return hashlib.sha256(f"{self.role} {self.polarity} {self.text}".encode()).hexdigest()[:6]

    @property
    def agreed(self) -> tuple[str, ...]:
        """Who agrees to it as it stands."""
        return tuple(mark.by for mark in self.reviews if mark.agreed and self.stands(mark))

    def stands(self, mark: Mark) -> bool:
        """Tell whether a mark is about the phrase as it stands, not about an earlier wording."""
        return mark.digest in {None, self.digest}


class Rejected(_Strict):
    """A phrase that was thrown out, and why."""

    text: str
    reason: str
    role: Role | None = None
    polarity: Polarity | None = None
    sources: tuple[str, ...] = ()
    reviews: tuple[Mark, ...] = ()

    @classmethod
    def of(cls, phrase: Phrase, reason: str) -> Rejected:
        """Throw out a phrase, keeping all that is known of it."""
        return cls(
            text=phrase.text,
            reason=reason,
            role=phrase.role,
            polarity=phrase.polarity,
            sources=phrase.sources,
            reviews=phrase.reviews,
        )


class ClassPrompts(_Strict):
    """The prompts of one class.

    ``as_made`` stands in files alone: the digests of the phrases as they were made. A phrase whose digest is
    not among them is marked as edited when the file is read.
    """

    name: str = Field(min_length=1)
    prompts: tuple[Phrase, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    as_made: str | None = Field(None, pattern="^([0-9a-f]{6}( |$))*$", exclude=True)

    @property
    def present(self) -> list[str]:
        """The phrases that speak for the class."""
        return [phrase.text for phrase in self.prompts if phrase.polarity == "present"]

    @property
    def absent(self) -> list[str]:
        """The phrases that speak against the class."""
        return [phrase.text for phrase in self.prompts if phrase.polarity == "absent"]

    @property
    def cited(self) -> list[str]:
        """The passages that its phrases rest on, the kept ones' first, each once."""
        places = [phrase.sources for phrase in self.prompts] + [line.sources for line in self.rejected]
        return list(dict.fromkeys(place for group in places for place in group))


class Generator(_Strict):
    """Who made the set, with what, so that it can be made again."""

    kind: Literal["plain", "knowledge", "ckepe", "imported", "manual", "control"]
    llm: str | None = None
    temperature: float | None = None
    template: str | None = None
    template_sha256: str | None = None
    index_sha256: str | None = None
    verify: Literal["strict", "lenient", "off"] | None = None
    control: str | None = None  # which one, where the kind is control
    seed: int | None = None
    file_sha256: str | None = None  # of the file it was imported from
    created: str | None = None


class PromptSet(_Strict):
    """Prompts for every class of a label set, in the label set's order.

    ``reviewed_by`` says who went over it and when, one line a person. ``name`` is the file's stem once
    loaded; it is how results call the set and is not written.
    """

    schema_: Literal["merl/prompt-set/v1"] = Field(SCHEMA, alias="schema")
    label_set: str
    generator: Generator
    reviewed_by: tuple[Review, ...] = ()
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

    def as_label_set(self) -> LabelSet:
        """Return its classes; the shipped label set of that name says which entries its codes mean."""
        shipped = self.label_set in shipped_label_sets()
        declared = load_label_set(self.label_set).classes if shipped else {}
        classes = {
            code: LabelClass(name=item.name, entry=declared[code].entry if code in declared else None)
            for code, item in self.classes.items()
        }
        return LabelSet(name=self.label_set, classes=classes)

    @classmethod
    def load(cls, path: str | Path) -> PromptSet:
        """Read a prompt set from YAML.

        Raises:
            PromptError: the file is missing or breaks the schema; all faults are named together.
        """
        path = Path(path)
        if path.suffix.lower() == ".json":
            raise PromptError(f"{path} is JSON; make a prompt set of it with `merl prompts import {path}`")
        data = read_yaml(path)
        if isinstance(data, dict) and "name" in data:
            raise PromptError(f"{path}: unknown key 'name'; a prompt set is called by its file name")
        read = validate(cls, data, path)
        classes = {code: _mark_edits(item) for code, item in read.classes.items()}
        return read.model_copy(update={"name": path.stem, "classes": classes})

    @classmethod
    def find(cls, prompts: str | Path, label_set: str | None = None) -> PromptSet:
        """Load a set from a path, or a shipped one.

        Args:
            prompts: a path, ``LABELSET/NAME`` or, where the label set is known, ``NAME`` alone (``plain``,
                ``knowledge``) or a folder with a file of that label set's name; the set is then called by the
                folder.
            label_set: the label set that the prompts must be for; any by default.

        Raises:
            UsageError: neither a file nor a shipped set.
            PromptError: the set was made for another label set.
        """
        own = Path(prompts) / f"{label_set}.yaml"
        if label_set is not None and own.is_file():
            found = cls.load(own).model_copy(update={"name": Path(prompts).absolute().name})
        else:
            found = cls.load(locate(prompts, label_set))
        if label_set is not None and found.label_set != label_set:
            raise PromptError(
                f"{prompts} was made for the label set {found.label_set!r}, not for {label_set!r};"
                f" make one with `merl prompts generate {label_set}`"
            )
        return found

    def save(self, path: str | Path) -> None:
        """Write the set as YAML, atomically."""
        write_text(path, self.to_yaml())

    def to_yaml(self) -> str:
        """Return the set as YAML, one phrase a line, with what tells later edits by hand."""
        data = self.model_dump(by_alias=True, exclude_none=True, exclude_defaults=False)
        for code, item in data["classes"].items():
            if self.generator.kind != "manual":
                made = (phrase.digest for phrase in self.classes[code].prompts if not phrase.edited)
                item["as_made"] = " ".join(made)
            item["prompts"] = [Line(tidy(phrase)) for phrase in item["prompts"]]
            item["rejected"] = [Line(tidy(phrase)) for phrase in item["rejected"]]
            if not item["rejected"]:
                del item["rejected"]
        data["generator"] = Line(data["generator"])
        data["reviewed_by"] = [Line(review) for review in data["reviewed_by"]]
        if not data["reviewed_by"]:
            del data["reviewed_by"]
        return to_yaml(data)


def locate(prompts: str | Path, label_set: str | None = None) -> Path:
    """Return the file that ``PromptSet.find`` reads.

    Raises:
        UsageError: neither a file nor a shipped set.
    """
    path = Path(prompts)
    return path if path.is_file() else _shipped(str(prompts), label_set)


def prompt_set_sha256(prompt_set: PromptSet) -> str:
    """Hash a prompt set's content as JSON; comments and layout of its file do not count, nor do reviews."""
    lines: Any = {"__all__": {"reviews"}}
    unread: Any = {"reviewed_by": True, "classes": {"__all__": {"prompts": lines, "rejected": lines}}}
    return hashlib.sha256(prompt_set.model_dump_json(by_alias=True, exclude=unread).encode()).hexdigest()


def _shipped(name: str, label_set: str | None) -> Path:
    folder = content_dir("prompts") / "sets"
    paths = {path.relative_to(folder).with_suffix("").as_posix(): path for path in folder.glob("*/*.yaml")}
    kind = "prompt file or shipped set"
    if "/" in name:
        if name not in paths:
            raise UsageError(unknown(kind, name, paths))
        return paths[name]
    if label_set is not None:
        if f"{label_set}/{name}" not in paths:
            own = [path.stem for path in paths.values() if path.parent.name == label_set]
            raise UsageError(unknown(f"{kind} of {label_set}", name, own))
        return paths[f"{label_set}/{name}"]
    near = difflib.get_close_matches(name, sorted({path.stem for path in paths.values()}), n=1)
    if not near:
        raise UsageError(unknown(kind, name, paths))
    examples = sorted(key for key, path in paths.items() if path.stem == near[0])[:3]
    raise UsageError(
        f"{name!r} is no prompt file; write LABELSET/{near[0]} for a shipped set,"
        f" such as {', '.join(examples)}"
    )


def _mark_edits(item: ClassPrompts) -> ClassPrompts:
    if item.as_made is None:
        return item
    made = set(item.as_made.split())
    prompts = tuple(
        phrase.model_copy(update={"edited": phrase.edited or phrase.digest not in made})
        for phrase in item.prompts
    )
    return item.model_copy(update={"prompts": prompts, "as_made": None})
