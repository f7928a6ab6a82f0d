"""A real browser for the pages that merl writes: headless Chromium, and what happens on a page."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

#: Which Chromium; Debian's is found by itself.
VARIABLE = "MERL_CHROMIUM"
PHONE = (375, 812)
DESKTOP = (1280, 900)

Visits = Callable[..., "Visit"]


def chromium() -> str | None:
    """Return the path of the browser, if there is one."""
    return os.environ.get(VARIABLE) or shutil.which("chromium")


@dataclass
class Visit:
    """A page that was opened.

    Attributes:
        page: playwright's page.
        session: its developer tools, counting what the page does.
        said: console errors and warnings, and exceptions nobody caught.
        asked: every address that was requested, the page's own first; other hosts are never reached.
    """

    page: Any
    session: Any
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @property
    def outside(self) -> list[str]:
        """What was requested of another host, or of another file."""
        own = urlsplit(self.asked[0])
        return [url for url in self.asked if _place(urlsplit(url)) != _place(own) and url[:5] != "data:"]

    def violations(self) -> list[str]:
        """Return what axe-core finds against WCAG 2.2 AA, contrast included: one line an element."""
        from axe_playwright_python.sync_playwright import Axe

        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        options = {"runOnly": {"type": "tag", "values": tags}, "resultTypes": ["violations"]}
        found = Axe().run(self.page, options=options).response["violations"]
        return [
            f"{rule['id']}: {node['target']} {node['any'][0]['message'] if node['any'] else ''}"
            for rule in found
            for node in rule["nodes"]
        ]

    def seconds(self) -> float:
        """Return the seconds of computing that the page has taken so far, whatever else the machine does."""
        metrics = self.session.send("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in metrics if one["name"] == "ThreadTime"))

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than its window."""
        root = "document.documentElement"
        return int(self.page.evaluate(f"{root}.scrollWidth - {root}.clientWidth"))


def _place(url: Any) -> str:
    return str(url.path) if url.scheme == "file" else f"{url.scheme}://{url.netloc}"


@contextmanager
def browsing() -> Iterator[Visits]:
    """Start Chromium and give a function that opens pages in it; all of them are closed at the end."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])

        def visit(
            address: str | Path, *, window: tuple[int, int] = DESKTOP, dark: bool = False, **options: Any
        ) -> Visit:
            url = address.resolve().as_uri() if isinstance(address, Path) else address
            context = browser.new_context(
                viewport={"width": window[0], "height": window[1]},
                color_scheme="dark" if dark else "light",
                **options,
            )
            context.set_default_timeout(120_000)  # milliseconds: a busy machine is no fault of the page
            page = context.new_page()
            made = Visit(page, context.new_cdp_session(page))
            made.session.send("Performance.enable")
            made.page.on("request", lambda request: made.asked.append(request.url))
            made.page.on("pageerror", lambda problem: made.said.append(str(problem)))
            made.page.on("console", lambda line: _note(made, line))
            context.route(lambda other: _place(urlsplit(other)) != _place(urlsplit(url)), _refuse)
            made.page.goto(url)
            return made

        yield visit
        browser.close()


def _note(visit: Visit, line: Any) -> None:
    if line.type in {"error", "warning"}:
        visit.said.append(line.text)


def _refuse(route: Any) -> None:
    route.abort()
