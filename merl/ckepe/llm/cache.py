"""Replies kept in SQLite by the hash of the request: a run goes on where it stopped, and can be replayed.

Whoever killed the run, and however many processes share the file: a reply is committed before it is used.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from merl.errors import LLMError
from merl.files import cache_dir

_LAYOUT = 1  # PRAGMA user_version
_BUSY = 60.0  # seconds to wait for another process that writes
_AGAIN = 0.01  # seconds between tries to open a file that another process is opening or closing
_TABLE = """
CREATE TABLE IF NOT EXISTS replies (
    request TEXT PRIMARY KEY,  -- SHA-256 of provider, model, parameters, messages and schema
    model TEXT NOT NULL,       -- for people who look inside
    about TEXT NOT NULL,
    created TEXT NOT NULL,
    reply TEXT NOT NULL        -- JSON of Reply
) WITHOUT ROWID
"""


@dataclass(frozen=True)
class Reply:
    """What a language model answered.

    Attributes:
        text: the answer.
        finish: why it ended there, in the provider's word.
        tokens_in: tokens of the request, as the server counted them; None where it did not say.
        tokens_out: tokens of the answer.
    """

    text: str
    finish: str = ""
    tokens_in: int | None = None
    tokens_out: int | None = None


def request_sha256(request: dict[str, Any]) -> str:
    """Return the hash that stands for a whole request."""
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()


def default_cache() -> Path:
    """Return where replies are kept unless another file is named."""
    return cache_dir() / "llm" / "replies.sqlite"


class ReplyCache:
    """Replies by request; threads and processes may share it.

    While it is open it writes ahead (WAL), so that readers never wait for a writer. The last to close it puts
    it back into one file, which can be copied, committed, and replayed from where nothing may be written.

    Args:
        path: an SQLite file, made if it is not there.
        read_only: change nothing, not even by opening.

    Raises:
        LLMError: the file is no such cache, or cannot be opened or written.
    """

    def __init__(self, path: str | Path, *, read_only: bool = False) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()
        self._read_only = read_only
        if read_only and not self.path.is_file():
            raise LLMError(
                f"there is no reply cache {self.path}; name the one to replay with --cache", "offline"
            )
        try:
            self._db = self._open()
        except (sqlite3.Error, OSError) as problem:
            raise self._unusable(problem) from None

    def get(self, request: str) -> Reply | None:
        """Return the reply to a request, if there is one."""
        row = self._run("SELECT reply FROM replies WHERE request = ?", (request,))
        return Reply(**json.loads(row[0])) if row else None

    def put(self, request: str, reply: Reply, *, model: str, about: str) -> Reply:
        """Keep a reply, and return the one that counts: the first, where two processes asked the same."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._run(
            "INSERT OR IGNORE INTO replies VALUES (?, ?, ?, ?, ?)",
            (request, model, about, now, json.dumps(asdict(reply))),
        )
        return self.get(request) or reply

    def forget(self, requests: Iterable[str]) -> None:
        """Drop replies that led nowhere, so that the next run asks anew."""
        for request in requests:
            self._run("DELETE FROM replies WHERE request = ?", (request,))

    @property
    def size(self) -> int:
        """How many replies there are."""
        return int(self._run("SELECT count(*) FROM replies", ())[0])

    def close(self) -> None:
        """Close it; a file that nobody else has open becomes one file again."""
        with self._lock:
            if not self._read_only:
                with suppress(sqlite3.Error):  # another process has it open: it will do so
                    self._db.execute("PRAGMA busy_timeout = 0")
                    self._db.execute("PRAGMA journal_mode = DELETE")
            self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self) -> sqlite3.Connection:
        if self._read_only:
            return self._checked(self._connect("mode=ro" if self._has_log() else "mode=ro&immutable=1"))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        until = time.monotonic() + _BUSY
        while True:
            db = self._connect("mode=rwc")
            try:
                return self._checked(self._writing(db))
            except sqlite3.OperationalError as problem:
                db.close()
                busy = problem.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY  # without its extended code
                if not busy or time.monotonic() > until:
                    raise
            time.sleep(_AGAIN)

    def _writing(self, db: sqlite3.Connection) -> sqlite3.Connection:
        """Make a connection ready to write; SQLite refuses the change of journal at once, without waiting."""
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")  # safe against a killed process, which is what happens
        if db.execute("PRAGMA user_version").fetchone()[0] == 0:
            db.execute(_TABLE)
            db.execute(f"PRAGMA user_version = {_LAYOUT}")
        return db

    def _connect(self, mode: str) -> sqlite3.Connection:
        address = f"{self.path.absolute().as_uri()}?{mode}"
        return sqlite3.connect(
            address, uri=True, timeout=_BUSY, isolation_level=None, check_same_thread=False
        )

    def _has_log(self) -> bool:
        """Tell whether the file is open elsewhere, or was when its process died."""
        return self.path.with_name(self.path.name + "-wal").exists()

    def _checked(self, db: sqlite3.Connection) -> sqlite3.Connection:
        found = db.execute("PRAGMA user_version").fetchone()[0]
        tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if found != _LAYOUT or tables != {"replies"}:
            db.close()
            raise LLMError(
                f"{self.path} is no reply cache of this version of merl; name another with --cache"
            )
        return db

    def _run(self, statement: str, values: tuple[str, ...]) -> Any:
        try:
            with self._lock:
                return self._db.execute(statement, values).fetchone()
        except sqlite3.Error as problem:
            raise self._unusable(problem) from None

    def _unusable(self, problem: Exception) -> LLMError:
        return LLMError(f"cannot use the reply cache {self.path}: {problem}; name another file with --cache")
