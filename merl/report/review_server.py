"""The review page over HTTP, for one browser on this machine: nobody else may read it or save with it."""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
import sys
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from merl.ckepe.prompt_set import PromptSet
from merl.ckepe.reviewing import ChangedMeanwhileError, ReviewSheet, check_comments, save_review
from merl.errors import MerlError
from merl.files import check_writable, sha256
from merl.report.prompt_page import page_policy, prompt_page

if TYPE_CHECKING:
    from merl.knowledge.index import KnowledgeIndex

LOOPBACK = "127.0.0.1"
LARGEST = 16 * 2**20  # bytes of a review; one of 5,000 classes with 15 phrases each has 15 million
_PATIENCE = 30  # seconds that a browser may take over a request
_log = logging.getLogger(__name__)


class _Refused(Exception):  # noqa: N818 - it is an answer
    """A request that is not served, and why."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class ReviewServer(ThreadingHTTPServer):
    """Serves the page of one prompt file on the loopback address, and saves reviews into the file.

    Attributes:
        token: without it nothing is shown or saved; made anew with every server.
        url: what to open, token included.
    """

    daemon_threads = True

    def __init__(
        self,
        file: Path,
        port: int = 0,
        *,
        index: KnowledgeIndex | None = None,
        saved: Callable[[PromptSet], None] | None = None,
    ) -> None:
        """Listen.

        Args:
            file: the prompt file.
            port: to listen on; a free one by default.
            index: the knowledge that passages of other sources come from.
            saved: told of the set whenever a review was saved.

        Raises:
            MerlError: the file is malformed, cannot be written, or has comments that saving would lose.
            OSError: the port is taken.
        """
        self.file, self.index, self.saved = file.resolve(), index, saved
        PromptSet.load(self.file)
        check_comments(self.file)
        check_writable(self.file)
        self.token = secrets.token_urlsafe(24)
        self.saving = threading.Lock()
        super().__init__((LOOPBACK, port), _Handler)
        self.hosts = {f"{name}:{self.server_port}" for name in (LOOPBACK, "localhost")}
        self.url = f"http://{LOOPBACK}:{self.server_port}/?token={self.token}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a browser that went away."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    def page(self) -> str:
        """Return the page of the file as it is now."""
        before = sha256(self.file)
        prompt_set = PromptSet.load(self.file)
        return prompt_page(
            prompt_set,
            file=self.file.name,
            sha256=before,
            place=hashlib.sha256(str(self.file).encode()).hexdigest()[:16],
            token=self.token,
            index=self.index,
        )

    def save(self, body: bytes) -> str:
        """Save a review and return what to say of it."""
        sheet = ReviewSheet.read(body, "the review")
        with self.saving:
            reviewed = save_review(self.file, sheet)
        if self.saved:
            self.saved(reviewed)
        return f"Saved in {self.file.name}"


class _Handler(BaseHTTPRequestHandler):
    server: ReviewServer
    server_version, sys_version = "merl", ""
    timeout = _PATIENCE

    def do_GET(self) -> None:
        self._serve(self._get)

    def do_POST(self) -> None:
        self._serve(self._post)

    def _serve(self, answer: Callable[[bytes], None]) -> None:
        try:
            body = self._body() if self.command == "POST" else b""  # read first, so that a refusal arrives
            if self.headers.get_all("Host") not in [[host] for host in self.server.hosts]:
                raise _Refused(HTTPStatus.FORBIDDEN, "this page is for the browser of this machine alone")
            answer(body)
        except _Refused as refused:
            self._say(refused.status, str(refused))
        except ChangedMeanwhileError as problem:
            self._say(HTTPStatus.CONFLICT, str(problem))
        except MerlError as problem:
            self._say(HTTPStatus.UNPROCESSABLE_ENTITY, str(problem))
        except (ConnectionError, TimeoutError):
            self.close_connection = True  # the browser went away
        except OSError as problem:  # a full disk
            self._say(HTTPStatus.INTERNAL_SERVER_ERROR, problem.strerror or str(problem))

    def _get(self, _body: bytes) -> None:
        path, _, query = self.path.partition("?")
        if path != "/":
            raise _Refused(HTTPStatus.NOT_FOUND, "there is nothing here")
        self._check_token(parse_qs(query).get("token", [""])[0])
        self._send(HTTPStatus.OK, "text/html", self.server.page())

    def _post(self, body: bytes) -> None:
        if self.headers.get_all("Origin") not in [[f"http://{host}"] for host in self.server.hosts]:
            raise _Refused(HTTPStatus.FORBIDDEN, "a review is saved from its own page alone")
        self._check_token(self.headers.get("X-Merl-Token", ""))
        if self.path != "/review":
            raise _Refused(HTTPStatus.NOT_FOUND, "there is nothing here")
        if self.headers.get_content_type() != "application/json":
            raise _Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "a review is sent as application/json")
        self._say(HTTPStatus.OK, self.server.save(body))

    def _check_token(self, given: str) -> None:
        if not secrets.compare_digest(given.encode(), self.server.token.encode()):
            raise _Refused(
                HTTPStatus.FORBIDDEN,
                "open the address that merl prompts review printed; it changes each time",
            )

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            raise _Refused(HTTPStatus.LENGTH_REQUIRED, "the length of the review is missing")
        if len(length) > len(str(LARGEST)) or int(length) > LARGEST:
            raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a review has at most {LARGEST // 2**20} MB")
        return self.rfile.read(int(length))

    def _say(self, status: HTTPStatus, message: str) -> None:
        if self.command == "GET":
            self._send(status, "text/plain", message + "\n")
        else:
            self._send(status, "application/json", json.dumps({"message": message}))

    def _send(self, status: HTTPStatus, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in {
            "Content-Type": f"{kind}; charset=utf-8",
            "Content-Length": str(len(body)),
            "Content-Security-Policy": f"{page_policy(saves=True)}; frame-ancestors 'none'",
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log without the token."""
        _log.info("%s %s", self.command, self.path.partition("?")[0])
