"""Fetching a data set from its publisher, file by file, as the publisher's own list of checksums has it.

The list is ``SHA256SUMS.txt`` (PhysioNet puts one beside every data set): a checksum and a path on each line.
A file that is there with the right checksum is not fetched again; one that was cut short goes on where it
stopped, if the server can. A file appears under its name only once its checksum is right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote

from merl.errors import DataError, UsageError, check_address
from merl.files import sha256, write_text

if TYPE_CHECKING:
    import httpx

SUMS = "SHA256SUMS.txt"
_LINE = re.compile(r"([0-9a-fA-F]{64})\s+\*?(.+)")
_TRIES = 3  # of one file, each going on where the last one stopped
_SECONDS = 60.0

#: Called with the files done, the files in all, and what is being fetched.
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Downloaded:
    """What a run did: files fetched, files that were there already, and bytes that came over the line."""

    fetched: int
    kept: int
    size: int


def download(
    base_url: str, out: str | Path, *, only: str | None = None, progress: Progress | None = None
) -> Downloaded:
    """Fetch the files of a data set; a run that was stopped goes on when called again.

    Args:
        base_url: the folder that holds the list of checksums.
        out: the folder they are written to, laid out as published.
        only: a regular expression that the paths must contain; all files if not given.
        progress: called before each file, as its bytes come, and at the end.

    Raises:
        UsageError: ``base_url`` is no http address, or ``only`` is no regular expression or fits no file.
        DataError: the server cannot be reached or refuses, the list is malformed, or a file is wrong twice.
    """
    import httpx

    check_address(base_url)
    base, out = base_url.rstrip("/"), Path(out)
    with httpx.Client(follow_redirects=True, timeout=_SECONDS) as client:
        listed = _list(client, base)
        files = _chosen(_sums(listed, f"{base}/{SUMS}"), only)
        fetched = kept = size = 0
        for done, (name, checksum) in enumerate(files.items()):
            tell = _teller(progress, done, len(files), name)
            tell(0)
            target = out / name
            if target.is_file() and sha256(target) == checksum:
                kept += 1
                continue
            size += _fetch(client, f"{base}/{quote(name)}", target, checksum, tell)
            fetched += 1
        if progress:
            progress(len(files), len(files), "done")
    write_text(out / SUMS, listed)
    return Downloaded(fetched, kept, size)


def _teller(progress: Progress | None, done: int, total: int, name: str) -> Callable[[int], None]:
    def tell(size: int) -> None:
        if progress:
            progress(done, total, f"{name} {size / 1e6:.0f} MB" if size >= 1e6 else name)

    return tell


def _list(client: httpx.Client, base: str) -> str:
    url = f"{base}/{SUMS}"
    with _talking(url):
        reply = client.get(url)
        reply.raise_for_status()
    return reply.text


def _sums(text: str, url: str) -> dict[str, str]:
    """Return the checksum of each path; paths that lead out of the data set are refused."""
    files: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise DataError(f"{url} line {number} is no checksum and path; give the folder of the data set")
        path = PurePosixPath(match[2].strip())
        if path.is_absolute() or ".." in path.parts or "\\" in match[2]:
            raise DataError(
                f"{url} line {number} names {path}, which lies outside the data set; do not use it"
            )
        files[str(path)] = match[1].lower()
    if not files:
        raise DataError(f"{url} lists no files; give the folder of the data set")
    return files


def _chosen(files: dict[str, str], only: str | None) -> dict[str, str]:
    if only is None:
        return files
    try:
        pattern = re.compile(only)
    except re.error as problem:
        raise UsageError(f"{only!r} is no regular expression: {problem}") from None
    chosen = {name: checksum for name, checksum in files.items() if pattern.search(name)}
    if not chosen:
        raise UsageError(f"none of the {len(files)} files fits {only!r}; {next(iter(files))} is one of them")
    return chosen


def _fetch(client: httpx.Client, url: str, target: Path, checksum: str, tell: Callable[[int], None]) -> int:
    """Fetch one file beside its place and put it there; returns the bytes that came over the line."""
    part = target.with_name(f".{target.name}.part")
    target.parent.mkdir(parents=True, exist_ok=True)
    came = 0
    for _ in range(_TRIES):
        begun = part.is_file()
        try:
            came += _append(client, url, part, tell)
        except _Cut as cut:
            came += cut.came
            continue
        if sha256(part) == checksum:
            part.replace(target)
            return came
        part.unlink()
        if not begun:  # otherwise what was there may have been of another version
            raise DataError(f"{url} does not have the checksum that {SUMS} gives it; ask its publisher")
    raise DataError(f"{url} was cut short {_TRIES} times; call again to go on")


class _Cut(Exception):  # noqa: N818 - it ends an attempt, not the work
    """The connection ended before the file did, after some bytes."""

    def __init__(self, came: int) -> None:
        super().__init__(came)
        self.came = came


def _append(client: httpx.Client, url: str, part: Path, tell: Callable[[int], None]) -> int:
    """Fetch what a partial file lacks, or all of it where the server cannot begin in the middle."""
    import httpx

    start = part.stat().st_size if part.is_file() else 0
    headers = {"Range": f"bytes={start}-"} if start else {}
    came = 0
    with (
        _talking(url),
        client.stream("GET", url, headers={**headers, "Accept-Encoding": "identity"}) as reply,
    ):
        if reply.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE and start:
            return 0  # it is whole already, or longer than the file: the checksum tells
        reply.raise_for_status()
        goes_on = reply.status_code == httpx.codes.PARTIAL_CONTENT and _begins_at(reply, start)
        try:
            with part.open("ab" if goes_on else "wb") as handle:
                for chunk in reply.iter_raw():  # as it comes: what is here when the line breaks is kept
                    came += handle.write(chunk)
                    tell(start * goes_on + came)
        except httpx.TransportError:
            raise _Cut(came) from None
        expected = reply.headers.get("Content-Length")
        if expected is not None and came < int(expected):
            raise _Cut(came)
    return came


def _begins_at(reply: httpx.Response, start: int) -> bool:
    return reply.headers.get("Content-Range", "").startswith(f"bytes {start}-")


@contextmanager
def _talking(url: str) -> Iterator[None]:
    """Turn what goes wrong with a server into one sentence."""
    import httpx

    try:
        yield
    except httpx.HTTPStatusError as problem:
        code = problem.response.status_code
        hint = "; sign its terms and give an address that needs no login" if code in {401, 403} else ""
        raise DataError(f"{url} answers {code}{hint}") from None
    except (httpx.HTTPError, httpx.InvalidURL) as problem:
        raise DataError(f"cannot reach {url} ({type(problem).__name__}); call again to go on") from None
