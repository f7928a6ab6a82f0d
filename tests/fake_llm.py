"""A chat server that misbehaves on request: what it answers is a list the test writes."""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def completion(text, finish="stop", usage=None, refusal=None):
    """A good reply; ``usage`` is (tokens in, tokens out)."""
    message = {"role": "assistant", "content": text, "refusal": refusal}
    choice = {"index": 0, "message": message, "finish_reason": finish}
    body = {"id": "1", "object": "chat.completion", "created": 0, "model": "fake", "choices": [choice]}
    if usage:
        body["usage"] = {
            "prompt_tokens": usage[0],
            "completion_tokens": usage[1],
            "total_tokens": sum(usage),
        }
    return 200, json.dumps(body)


def failure(status, message, code=None, **headers):
    """An error; headers with underscores for hyphens. Without any, it may be repeated at once."""
    body = json.dumps({"error": {"message": message, "code": code, "type": "error"}})
    return status, body, {name.replace("_", "-"): value for name, value in headers.items()}


@dataclass(frozen=True)
class Raw:
    """An answer written byte by byte."""

    write: Callable[[BaseHTTPRequestHandler], None]


def cut_short(text='{"id": "1", "choi'):
    """The connection breaks in the middle of a reply of known length."""

    def write(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", "5000")
        handler.end_headers()
        handler.wfile.write(text.encode())
        handler.close_connection = True

    return Raw(write)


def cut_stream(text='{"id": "1", "choi'):
    """The connection breaks between the chunks of a streamed reply."""

    def write(handler):
        _begin_stream(handler)
        handler.wfile.write(f"{len(text):x}\r\n{text}\r\n".encode())
        handler.close_connection = True

    return Raw(write)


def endless(chunk=" ", pause=0.02):
    """A reply that drips in for ever."""

    def write(handler):
        _begin_stream(handler)
        piece = f"{len(chunk):x}\r\n{chunk}\r\n".encode()
        with suppress(OSError):  # until nobody listens
            for _ in range(10_000):
                handler.wfile.write(piece)
                time.sleep(pause)
        handler.close_connection = True

    return Raw(write)


def _begin_stream(handler):
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()


class FakeLLM(ThreadingHTTPServer):
    """Answers each request with the next of ``answers``, the last one for ever; remembers ``requests``.

    An answer may be a function of the request.
    """

    daemon_threads = True

    def __init__(self, answers):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = list(answers)
        self.requests: list[dict] = []
        self.paths: list[str] = []
        self.keys: list[str] = []
        self.lock = threading.Lock()

    def handle_error(self, request, client_address):
        """Say nothing of clients that no longer wait, but of everything else."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def url(self) -> str:
        return f"{self.root}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: FakeLLM
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.requests.append(request)
            self.server.paths.append(self.path)
            self.server.keys.append(self.headers["Authorization"] or self.headers["x-api-key"])
            answer = self.server.answers.pop(0) if len(self.server.answers) > 1 else self.server.answers[0]
        answer = answer(request) if callable(answer) else answer
        if isinstance(answer, Raw):
            answer.write(self)
            return
        status, body, *headers = answer
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body.encode())))
        for name, value in (headers[0] if headers and headers[0] else {"retry-after-ms": "1"}).items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(OSError):  # a client that no longer waits
            self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


@contextmanager
def serve(*answers) -> Iterator[FakeLLM]:
    server = FakeLLM(answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def dutiful(request):
    """Answer either step of CKEPE by saying what the passages say."""
    asked = request["messages"][1]["content"]
    if '"attributes"' in asked:
        reply = {"synonyms": [], "subtypes": [], "attributes": [{"sources": [1], "text": "QRS"}]}
    else:
        seen = asked.partition("Seen when it is present:")[2].partition("\n\n")[0]
        found = re.findall(r"^\[(\d+)\] (.*)$", seen, re.MULTILINE)
        reply = {"findings": [{"sources": [int(n)], "text": text} for n, text in found][:12], "against": []}
    return completion(json.dumps(reply), usage=(300, 60))
