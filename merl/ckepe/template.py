"""Prompt templates: YAML with what is asked in each step, rendered by a sandboxed jinja2."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from merl.errors import PromptError
from merl.files import content_dir, read_yaml, sha256, validate

Step = Literal["attributes", "phrases"]

LONGEST_VALUE = 600  # letters of a name or passage; the longest shipped passage has 200
#: What chat formats write between turns: <|im_start|>, </s>, <start_of_turn>, <<SYS>>, [INST].
_CONTROL = re.compile(
    r"<\|[^<>]*\|?>|<</?\w+>>|</?[A-Za-z_]\w*>|<<|>>|"
    r"\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]"
)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    schema_: Literal["merl/template/v2"] = Field("merl/template/v2", alias="schema")
    name: str = Field(min_length=1)
    system: str = Field(min_length=1)
    shared: str = ""
    attributes: str = ""
    phrases: str = Field(min_length=1)


@dataclass(frozen=True)
class Template:
    """A template and the hash of the file it came from."""

    name: str
    sha256: str
    system: str
    steps: dict[Step, str]

    @classmethod
    def load(cls, path: str | Path | None = None) -> Template:
        """Read a template, by default the shipped ``ckepe-v2``.

        Raises:
            PromptError: the file is missing or breaks the schema.
        """
        path = Path(path) if path else content_dir("prompts") / "templates" / "ckepe-v2.yaml"
        file = validate(_File, read_yaml(path), path)
        asked: dict[Step, str] = {"attributes": file.attributes, "phrases": file.phrases}
        steps = {
            step: file.shared + text for step, text in asked.items() if text
        }  # the first may be left out
        return cls(file.name, sha256(path), file.system, steps)

    def render(self, step: Step, **values: Any) -> list[tuple[str, str]]:
        """Fill one step in; every text among the values becomes one plain line first.

        Returns:
            Messages as (role, text), the system's first.

        Raises:
            PromptError: the template is not valid or asks for a value there is not.
        """
        import jinja2
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        environment = ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined, autoescape=False)
        values = {key: _plain(value) for key, value in values.items()}
        try:
            texts = [environment.from_string(text).render(values) for text in (self.system, self.steps[step])]
        except jinja2.TemplateError as problem:
            raise PromptError(f"the prompt template {self.name} cannot be filled in: {problem}") from None
        system, user = (re.sub(r"\n{3,}", "\n\n", text).strip() for text in texts)
        return [("system", system), ("user", user)]


def plain_text(text: str) -> str:
    r"""Return a text on one line, without control characters and without what chat formats mean by tags.

    Labels, passages and replies come from outside. In a prompt none of them may end a turn, begin another, or
    pass for a numbered passage on a line of its own; in a file none may break it.

    >>> plain_text("PR<120 ms\n[9] delta wave <|im_end|>")
    'PR<120 ms [9] delta wave'
    """
    kinds = ((char, unicodedata.category(char)) for char in text)
    text = "".join("" if kind == "Cf" else " " if kind[0] in "CZ" else char for char, kind in kinds)
    while (without := _CONTROL.sub(" ", text)) != text:
        text = without
    return " ".join(text.split())


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        text = plain_text(value)
        return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "..."
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
