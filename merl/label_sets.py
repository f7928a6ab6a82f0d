"""Label sets: the classes one wants scores for, each with the name a clinician would give it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from merl.errors import PromptError, UsageError, unknown
from merl.files import content_dir, read_yaml, validate

_CODE_HEADERS = {"code", "label", "class", "id", "abbreviation"}
_NAME_HEADERS = {"name", "description", "label"}


class LabelClass(BaseModel):
    """One class: its name as the data set writes it and, if declared, the knowledge entry it means."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    name: str = Field(min_length=1)
    entry: str | None = None  # codes collide between data sets, so a label set may say which concept is meant
    snomed: str | None = (
        None  # what the data set's files carry where its own abbreviations stand in no record
    )


class LabelSet(BaseModel):
    """An ordered set of classes; the key is (label set, code), since codes mean other things elsewhere."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, str_strip_whitespace=True)

    schema_: Literal["merl/label-set/v1"] = Field("merl/label-set/v1", alias="schema")
    name: str
    description: str = ""
    source: str = ""
    classes: dict[str, LabelClass] = Field(min_length=1)

    def coded(self, code: str) -> list[LabelClass]:
        """Return the class of a code, or those of a SNOMED CT code, which several may share.

        Raises:
            UsageError: there is none.
        """
        found = [self.classes[code]] if code in self.classes else []
        found = found or [item for item in self.classes.values() if item.snomed == code]
        if not found:
            raise UsageError(unknown(f"class of {self.name}", code, self.classes))
        return found


def shipped_label_sets() -> list[str]:
    """Return the names of the label sets that come with the package, sorted."""
    return sorted(path.stem for path in (content_dir("prompts") / "label_sets").glob("*.yaml"))


def sets_with_code(code: str) -> list[tuple[str, str]]:
    """Return the shipped label sets that have a class of this code, each with the entry it means there."""
    found = []
    for name in shipped_label_sets():
        item = load_label_set(name).classes.get(code)
        if item is not None and item.entry is not None:
            found.append((name, item.entry))
    return found


def load_label_set(labels: str | Path | dict[str, str]) -> LabelSet:
    """Read a label set.

    Args:
        labels: a shipped label set's name, a mapping of code to name, or a file: YAML or JSON (a label set or
            a plain mapping of code to name), CSV of code and name, with a header or without, or text with one
            name a line.

    Raises:
        UsageError: neither a file nor a shipped name.
        PromptError: an empty or duplicate label, or a malformed file.
    """
    if isinstance(labels, dict):
        return _from_pairs("labels", list(labels.items()), "the given labels")
    path = Path(labels)
    if path.is_file():
        if path.suffix.lower() in {".yaml", ".yml", ".json"}:  # JSON is YAML
            return _from_yaml(path)
        if path.suffix.lower() == ".csv":
            return _from_csv(path)
        return _from_text(path)
    if str(labels) in shipped_label_sets():
        return _from_yaml(content_dir("prompts") / "label_sets" / f"{labels}.yaml")
    if path.is_dir():
        raise UsageError(f"{path} is a folder; give a file of labels")
    raise UsageError(unknown("label set or file", str(labels), shipped_label_sets(), "merl kb coverage"))


def _from_yaml(path: Path) -> LabelSet:
    data = read_yaml(path)
    if data is None:
        raise PromptError(f"{path} holds no labels; give at least one class with a name")
    _refuse_unquoted_codes(path, data)
    if isinstance(data, dict) and "classes" not in data and "schema" not in data:
        return _from_pairs(path.stem, [(str(code), name) for code, name in data.items()], str(path))
    if isinstance(data, dict) and isinstance(data.get("classes"), dict):
        classes = {
            str(code): {"name": value} if isinstance(value, str) else value
            for code, value in data["classes"].items()
        }
        data = {"name": path.stem, **data, "classes": classes}
    label_set = validate(LabelSet, data, path)
    _from_pairs(label_set.name, [(code, item.name) for code, item in label_set.classes.items()], str(path))
    return label_set


def _refuse_unquoted_codes(path: Path, data: object) -> None:
    classes = data.get("classes", data) if isinstance(data, dict) else None
    for code in classes if isinstance(classes, dict) else ():
        if type(code) not in {str, int}:  # YAML reads NO and ON as false and true, 1e3 as a number
            raise PromptError(f"{path}: YAML reads a code as {code!r} and not as text; put it in quotes")


def _from_csv(path: Path) -> LabelSet:
    rows = [row for row in csv.reader(_text(path).splitlines()) if any(cell.strip() for cell in row)]
    if rows and _is_header(rows[0], path):
        rows = rows[1:]
    odd = next((row for row in rows if len(row) != 2), None)
    if odd:
        raise PromptError(
            f"{path}: {','.join(odd)!r} has {len(odd)} column(s); write code,name on every line"
            " and put a name with a comma in quotes"
        )
    return _from_pairs(path.stem, [(row[0], row[1]) for row in rows], str(path))


def _is_header(row: list[str], path: Path) -> bool:
    first, second, *_ = [cell.strip().lower() for cell in row] + [""]
    if first in _CODE_HEADERS and second in _NAME_HEADERS:
        return True
    if first in _NAME_HEADERS and second in _CODE_HEADERS:
        raise PromptError(f"{path}: the columns are {first},{second}; write the code first, then the name")
    return False


def _from_text(path: Path) -> LabelSet:
    lines = [line.strip() for line in _text(path).splitlines()]
    names = [line for line in lines if line and not line.startswith("#")]
    return _from_pairs(path.stem, [(name, name) for name in names], str(path))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise PromptError(f"{path} is not UTF-8 text; give YAML, CSV or one class name a line") from None


def _from_pairs(name: str, pairs: list[tuple[str, str]], where: str) -> LabelSet:
    if not pairs:
        raise PromptError(f"{where} holds no labels; give at least one class with a name")
    classes: dict[str, LabelClass] = {}
    names: dict[str, str] = {}
    for position, (raw_code, raw_label) in enumerate(pairs, 1):
        if not isinstance(raw_label, str) or not raw_label.strip() or not str(raw_code).strip():
            raise PromptError(
                f"{where}: label {position} ({raw_code!r}) has no name; give every class a name in words"
            )
        code, label = str(raw_code).strip(), raw_label.strip()
        if code in classes or label.lower() in names:
            twin = code if code in classes else names[label.lower()]
            raise PromptError(f"{where}: label {code!r} ({label}) repeats {twin!r}; every class once")
        classes[code] = LabelClass(name=label)
        names[label.lower()] = code
    return LabelSet(name=name, classes=classes)
