"""The user's own texts: passages as JSON lines, and folders of Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from merl.errors import KnowledgeError, wrong_use
from merl.knowledge.passages import Kind, Passage
from merl.knowledge.sources.base import Progress, Source, quiet, split_text

_HEADING = re.compile(r"(#{1,6})\s+(.+?)\s*#*\s*$")
_FENCE = re.compile(r"\s*(```|~~~)")


class Line(BaseModel):
    """One line of a ``jsonl`` source; no other keys are read.

    Attributes:
        text: the passage.
        concept: id of what it is about; the line's number where there is none.
        name: the concept's name.
        kind: what it says of it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str = Field(min_length=1)
    concept: str = ""
    name: str = ""
    kind: Kind = "text"


class JSONLines(Source):
    """A file with one passage a line, as ``Line`` describes it; other lines are skipped and counted.

    Args:
        path: of the file. Its name without suffix is part of the passages' ids.

    Raises:
        KnowledgeError: there is no such file.
    """

    name = "jsonl"
    place = "FILE"
    licence = "the user's own"
    attribution = "the user's own"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        if not path.is_file():
            why = f"there is no file {path}; give a file with one JSON object a line"
            raise wrong_use(KnowledgeError(why))

    @property
    def label(self) -> str:
        """The file's name tells two of them apart."""
        return f"{self.name}:{self.path.stem}"

    def passages(self, progress: Progress = quiet) -> Iterator[Passage]:
        """Yield the passages in the file's order."""
        size, read, fault, good = self.path.stat().st_size, 0, "", False
        with self.path.open("rb") as handle:
            for number, raw in enumerate(handle, 1):
                read += len(raw)
                if number % 1000 == 0:
                    progress(read, size, self.path.name)
                try:
                    line = Line.model_validate_json(raw)
                except ValidationError as problem:
                    first = problem.errors()[0]
                    place = ".".join(map(str, first["loc"]))
                    fault = fault or f"line {number}: {place} {first['msg'].lower()}".replace(":  ", ": ")
                    self.skipped["line that is no passage"] += 1
                    continue
                good = True
                concept = line.concept or str(number)
                yield Passage(
                    id=f"{self.label}:{concept}#{line.kind}/{number}",
                    entry=concept,
                    kind=line.kind,
                    text=line.text,
                    name=line.name,
                    source=self.label,
                )
        progress(size, size, self.path.name)
        if fault and not good:
            keys = ", ".join(Line.model_fields)
            raise KnowledgeError(f"{self.path} holds no passage ({fault}); its keys are {keys}")


class Markdown(Source):
    """A folder of Markdown, a textbook say: cut at headings first, then by length at the ends of sentences.

    Args:
        path: the folder; every ``*.md`` below it is read, by path.

    Raises:
        KnowledgeError: the folder has none.
    """

    name = "md"
    place = "DIR"
    licence = "the user's own"
    attribution = "the user's own"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._files = sorted(path.rglob("*.md"))
        if not self._files:
            raise KnowledgeError(f"{path} holds no Markdown; give a folder with files *.md")

    @property
    def label(self) -> str:
        """The folder's name tells two of them apart."""
        return f"{self.name}:{self.path.resolve().name}"

    def passages(self, progress: Progress = quiet) -> Iterator[Passage]:
        """Yield the pieces in the order of files and lines; the name is the path of headings."""
        for done, path in enumerate(self._files, 1):
            progress(done, len(self._files), path.name)
            entry = path.relative_to(self.path).as_posix()
            try:
                text = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                self.skipped["file that is not UTF-8"] += 1
                continue
            pieces = ((title, piece) for title, body in _sections(text) for piece in split_text(body))
            for number, (title, piece) in enumerate(pieces):
                yield Passage(
                    id=f"{self.label}:{entry}#text/{number}",
                    entry=entry,
                    kind="text",
                    text=piece,
                    name=title or path.stem,
                    source=self.label,
                )


def _sections(text: str) -> Iterator[tuple[str, str]]:
    """Yield the paragraphs below each heading with the path of headings; code blocks are left out."""
    titles: list[str] = []
    body: list[str] = []
    fenced = False
    for line in text.splitlines():
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced and (heading := _HEADING.match(line)):
            yield " > ".join(filter(None, titles)), "\n".join(body)
            level, body = len(heading[1]), []
            titles = [*titles[: level - 1], *[""] * (level - 1 - len(titles)), heading[2]]
        elif not fenced:
            body.append(line)
    yield " > ".join(filter(None, titles)), "\n".join(body)
