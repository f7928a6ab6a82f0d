"""Rows of published tables, one at a time: malformed ones are counted, a foreign file is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from merl.errors import KnowledgeError
from merl.knowledge.sources.base import Progress

#: After so many rows without a good one the file is another one.
_TRIED = 1000


def read_rows(
    path: Path,
    columns: Sequence[str],
    *,
    separator: str,
    skipped: Counter[str],
    progress: Progress,
    header: bool = False,
    terminator: str = "",
) -> Iterator[dict[str, str]]:
    """Yield the rows of a delimited file without quotes, as UMLS and SNOMED CT publish them.

    Args:
        path: of the file, in UTF-8.
        columns: its published columns in order.
        separator: between two values.
        skipped: where rows with another number of columns, or not in UTF-8, are counted.
        progress: told of the bytes read.
        header: whether the first row names the columns.
        terminator: what ends every row before its line end.

    Raises:
        KnowledgeError: the header is another one, or no row has this number of columns.
    """
    size, read, good, bad = path.stat().st_size, 0, 0, 0
    with path.open("rb") as handle:
        for number, raw in enumerate(handle):
            read += len(raw)
            if number % 10_000 == 0:
                progress(read, size, path.name)
            line = raw.decode("utf-8", errors="replace").rstrip("\r\n")
            values = line.removesuffix(terminator).split(separator)
            if header and number == 0:
                _check_header(path, values, columns)
            elif len(values) == len(columns) and line.endswith(terminator) and "\ufffd" not in line:
                good += 1
                yield dict(zip(columns, values, strict=True))
            else:
                bad += 1
                if not good and bad == _TRIED:
                    break
    progress(size, size, path.name)
    if bad and not good:
        raise KnowledgeError(
            f"{path} is not in the published layout: no row has its {len(columns)} columns"
            f" ({separator.join(columns) if separator.isprintable() else ' '.join(columns)});"
            " give the file as it was released"
        )
    if bad:
        skipped[f"{path.name}: not {len(columns)} columns"] += bad


def _check_header(path: Path, found: list[str], columns: Sequence[str]) -> None:
    if found != list(columns):
        raise KnowledgeError(
            f"{path} is not in the published layout: its first row is {' '.join(found)[:200]!r} and not"
            f" {' '.join(columns)!r}; give the file as it was released"
        )
