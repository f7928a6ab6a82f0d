"""What every source has: passages, whom to cite, and a count of what could not be read."""

from __future__ import annotations

import re
import textwrap
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from merl.errors import KnowledgeError
from merl.knowledge.passages import Kind, Passage

#: Told how much is done, of how much, and of what.
Progress = Callable[[int, int, str], None]

#: Characters of a passage: about 150 tokens, well within what sentence encoders read.
LONGEST = 600
_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+(?=[A-Z0-9(])")


def quiet(done: int, total: int, what: str) -> None:
    """Tell nobody of progress."""


class Source(ABC):
    """Reads one published source, always in the same order, in memory that does not grow with it.

    Attributes:
        name: how it is asked for, and how its passages' ids begin.
        place: what is given after the colon, ``DIR`` or ``FILE``; empty where nothing is.
        licence: under which it is published.
        attribution: whom to cite.
        path: where it lies.
        skipped: how many rows were left out as malformed, by reason; complete once all passages were read.
    """

    name: ClassVar[str]
    place: ClassVar[str] = ""
    licence: ClassVar[str]
    attribution: ClassVar[str]

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or Path()
        self.skipped: Counter[str] = Counter()

    @property
    def label(self) -> str:
        """What tells it apart from others: no two of the same label fit into one index."""
        return self.name

    @property
    def version(self) -> str:
        """The release that is read; empty where it does not say."""
        return ""

    @property
    def options(self) -> dict[str, tuple[str, ...]]:
        """What was asked of it besides the path."""
        return {}

    @abstractmethod
    def passages(self, progress: Progress = quiet) -> Iterator[Passage]:
        """Yield every passage.

        Raises:
            KnowledgeError: nothing in a file has the published layout.
        """


def concept_passages(
    source: str,
    concept: str,
    names: Iterable[str],
    definitions: Iterable[str] = (),
    parents: Iterable[tuple[str, str]] = (),
) -> Iterator[Passage]:
    """Yield the passages of one concept: its names, its definitions, and what it is a kind of.

    Args:
        source: the source's name.
        concept: the concept's id in that source.
        names: the preferred one first; repetitions are left out.
        definitions: of any length; long ones are cut at the ends of sentences.
        parents: id and name of each broader concept.
    """
    once: dict[str, str] = {}
    for name in names:
        tidy = " ".join(name.split())
        once.setdefault(tidy.casefold(), tidy)
    distinct = list(once.values())

    def passage(kind: Kind, place: str, text: str) -> Passage:
        return Passage(
            id=f"{source}:{concept}#{place}",
            entry=concept,
            kind=kind,
            text=text,
            name=distinct[0],
            source=source,
        )

    for number, name in enumerate(distinct):
        yield passage("synonym" if number else "name", f"name/{number}", name)
    pieces = [piece for text in definitions for piece in split_text(text)]
    for number, piece in enumerate(pieces):
        yield passage("definition", f"definition/{number}" if len(pieces) > 1 else "definition", piece)
    for parent, name in parents:
        yield passage("is_a", f"is_a/{parent}", f"{distinct[0]} is a kind of {name}")


def split_text(text: str, longest: int = LONGEST) -> list[str]:
    """Cut a text into pieces of whole sentences; only a sentence that is too long itself is cut at a word.

    Args:
        text: of any length.
        longest: characters of a piece.
    """
    pieces: list[str] = []
    for sentence in _SENTENCE_END.split(" ".join(text.split())):
        if pieces and len(pieces[-1]) + 1 + len(sentence) <= longest:
            pieces[-1] += f" {sentence}"
        else:
            pieces += textwrap.wrap(sentence, longest, break_on_hyphens=False)
    return pieces


def need(module: str, source: str) -> None:
    """Refuse a source whose package is not installed.

    Raises:
        KnowledgeError: it is missing.
    """
    if find_spec(module) is None:
        raise KnowledgeError(
            f"the source {source!r} needs the package {module}; run `pip install merl-ckepe[sources]`"
        )
