"""A chat server that misbehaves on request: what it answers is a list the test writes."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def completion(text: str, finish: str = "stop") -> tuple[int, str]:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": finish}
    body = {"id": "1", "object": "chat.completion", "created": 0, "model": "fake", "choices": [choice]}
    return 200, json.dumps(body)


def failure(status: int, message: str, code: str | None = None) -> tuple[int, str]:
    return status, json.dumps({"error": {"message": message, "code": code, "type": "error"}})


class FakeLLM(ThreadingHTTPServer):
    """Answers each request with the next of ``answers``, the last one for ever; remembers ``requests``.

    An answer may be a function of the request.
    """

    def __init__(self, answers):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = list(answers)
        self.requests: list[dict] = []
        self.keys: list[str] = []
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: FakeLLM

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.requests.append(request)
            self.server.keys.append(self.headers["Authorization"])
            answer = self.server.answers.pop(0) if len(self.server.answers) > 1 else self.server.answers[0]
        status, body = answer(request) if callable(answer) else answer
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body.encode())))
        self.send_header("retry-after-ms", "1")
        self.end_headers()
        with suppress(ConnectionError):  # a client that no longer waits
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
