"""A prompt file under review, and the server that serves its page."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from merl.ckepe.prompt_set import ClassPrompts, Generator, Phrase, PromptSet, Rejected
from merl.report.review_server import ReviewServer

SCRIPT = "<script>alert(1)</script>"
HOSTILE = f"""{SCRIPT} " ' & {{{{ 1 + 1 }}}}"""


@pytest.fixture
def prompt_file(tmp_path: Path) -> Path:
    """Two classes with good, uncited, foreign and hostile phrases."""
    afib = (
        Phrase(text="atrial fibrillation", role="name", sources=("ecg:AFIB#name",)),
        Phrase(text="irregularly irregular RR intervals", sources=("ecg:AFIB#findings/0",)),
        Phrase(
            text="distinct P waves in front of the QRS", polarity="absent", sources=("ecg:AFIB#absent/0",)
        ),
        Phrase(text="a foreign phrase", sources=("umls:C0004238#definition",)),
    )
    hostile = (Phrase(text="sinus rhythm", role="name"), Phrase(text=HOSTILE, role="criterion"))
    classes = {
        "AFIB": ClassPrompts(
            name="atrial fibrillation",
            prompts=afib,
            rejected=(Rejected(text="prolonged PR", reason="not supported"),),
        ),
        HOSTILE: ClassPrompts(
            name=HOSTILE, prompts=hostile, rejected=(Rejected(text=SCRIPT, reason=SCRIPT),)
        ),
    }
    path = tmp_path / "mine.yaml"
    PromptSet(label_set="mine", generator=Generator(kind="ckepe", llm=SCRIPT), classes=classes).save(path)
    return path


@pytest.fixture
def serve() -> Iterator[Callable[[Path], ReviewServer]]:
    """A function that serves the page of a prompt file until the test ends."""
    servers = []

    def start(path: Path) -> ReviewServer:
        server = ReviewServer(path)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
