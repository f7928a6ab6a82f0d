"""Pages of one file: every text escaped, and nothing asked of any other place."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

Calls = Mapping[str, Callable[..., Any]]


def part(*names: str) -> str:
    """Return style sheets or scripts of the templates, one after the other."""
    folder = files("merl.report") / "templates"
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in names)


def policy(style: str, script: str, *, style_attributes: bool = False, connect: bool = False) -> str:
    """Return the content security policy of a page: its own style and script, known by their hash.

    Args:
        style: the style sheet.
        script: the script.
        style_attributes: whether elements may carry a style of their own, as those of charts do.
        connect: whether the script may send something to where the page comes from.
    """
    styles = "'unsafe-inline'" if style_attributes else _hash(style)
    rules = ["default-src 'none'", f"style-src {styles}", f"script-src {_hash(script)}", "img-src data:"]
    rules += ["connect-src 'self'"] if connect else []
    return "; ".join([*rules, "base-uri 'none'", "form-action 'none'"])


def render(
    template: str,
    *,
    style: str,
    script: str,
    policy: str,
    filters: Calls | None = None,
    calls: Calls | None = None,
    **values: Any,
) -> str:
    """Fill in a template that extends ``base.html``.

    Args:
        template: its name in the folder of templates.
        style: its style sheet, as ``part`` returns it.
        script: its script.
        policy: as ``policy`` returns it.
        filters: of the template.
        calls: what the template may call.
        values: what it shows; texts are escaped.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("merl.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= filters or {}
    environment.globals |= calls or {}
    shown = {"style": Markup(style), "script": Markup(script), "policy": policy}  # noqa: S704 - our own
    return environment.get_template(template).render(**shown, **values)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
