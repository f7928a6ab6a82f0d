"""Prompt templates: YAML with a system and a user text, rendered by a sandboxed jinja2."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from merl.errors import PromptError
from merl.files import content_dir, read_yaml, sha256, validate


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    schema_: Literal["merl/template/v1"] = Field("merl/template/v1", alias="schema")
    name: str = Field(min_length=1)
    system: str = Field(min_length=1)
    user: str = Field(min_length=1)


@dataclass(frozen=True)
class Template:
    """A template and the hash of the file it came from."""

    name: str
    sha256: str
    system: str
    user: str

    @classmethod
    def load(cls, path: str | Path | None = None) -> Template:
        """Read a template, by default the shipped ``ckepe-v1``.

        Raises:
            PromptError: the file is missing or breaks the schema.
        """
        path = Path(path) if path else content_dir("prompts") / "templates" / "ckepe-v1.yaml"
        file = validate(_File, read_yaml(path), path)
        return cls(file.name, sha256(path), file.system, file.user)

    def render(self, **values: Any) -> list[tuple[str, str]]:
        """Fill the template in.

        Returns:
            Messages as (role, text), the system's first.

        Raises:
            PromptError: the template is not valid or asks for a value there is not.
        """
        import jinja2
        from jinja2.sandbox import SandboxedEnvironment

        environment = SandboxedEnvironment(undefined=jinja2.StrictUndefined, autoescape=False)
        try:
            texts = [environment.from_string(text).render(values) for text in (self.system, self.user)]
        except jinja2.TemplateError as problem:
            raise PromptError(f"the prompt template {self.name} cannot be filled in: {problem}") from None
        return [("system", texts[0].strip()), ("user", texts[1].strip())]
