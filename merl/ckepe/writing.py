"""How prompt sets are written: YAML with one phrase a line, so that a diff shows phrases."""

from __future__ import annotations

from typing import Any

import yaml


class Line(dict[str, Any]):
    """A mapping written on one line, so that a diff shows one phrase a line."""


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        """Write a date out wherever it stands; people read the file."""
        return True


_Dumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style='"' if "\n" in text else None
    ),
)
_Dumper.add_representer(
    Line, lambda dumper, data: dumper.represent_mapping("tag:yaml.org,2002:map", data, flow_style=True)
)


def tidy(phrase: dict[str, Any]) -> dict[str, Any]:
    """Leave out what says nothing."""
    out = {key: list(value) if isinstance(value, tuple) else value for key, value in phrase.items()}
    return {key: value for key, value in out.items() if value or key not in {"edited", "sources", "reviews"}}


def to_yaml(data: dict[str, Any]) -> str:
    """Return data as YAML in the order of its keys."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)
