"""Pages of one file: templates with every text escaped, and nothing that is not in the page itself."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("merl.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def part(*names: str) -> str:
    """Return style sheets or scripts of the templates, one after the other."""
    folder = files("merl.report") / "templates"
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in names)


def policy(style: str, script: str = "") -> str:
    """Return the content security policy of a page: its own style and script by their hash, nothing else."""
    scripts = f"script-src {_hash(script)}; " if script else ""
    return (
        f"default-src 'none'; style-src {_hash(style)}; {scripts}"
        "img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'"
    )


def render(
    template: str,
    *,
    style: str,
    script: str = "",
    functions: Mapping[str, Callable[..., Any]] | None = None,
    **values: Any,
) -> str:
    """Fill in a template that extends ``base.html``.

    Args:
        template: its name in the folder of templates.
        style: its style sheet, as ``part`` returns it.
        script: its script.
        functions: what the template may call.
        values: what it shows; texts are escaped.
    """
    return (
        _templates()
        .get_template(template)
        .render(
            style=Markup(style),  # noqa: S704 - our own
            script=Markup(script),  # noqa: S704
            policy=policy(style, script),
            **(functions or {}),
            **values,
        )
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
