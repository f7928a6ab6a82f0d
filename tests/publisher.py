"""A publisher's HTTP server on this machine, one that can be told to misbehave."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FILES = {"RECORDS": b"one\ntwo\n", "data/one.dat": bytes(range(256)) * 40, "data/t wo.hea": b"header\n"}


class Publisher:
    """A server of some files with their list of checksums.

    Attributes:
        requests: paths and ranges asked for.
        ranges: whether it can begin in the middle.
        cut: after how many bytes of a body it hangs up, a path each; taken off once used.
        listed: what the list of checksums says, instead of the truth.
    """

    def __init__(self):
        self.requests, self.ranges, self.cut = [], True, {}
        self.files = dict(FILES)
        self.listed = None
        self.status = {}
        publisher = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                publisher.answer(self)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/files/x/1.0"

    def sums(self):
        rows = (f"{hashlib.sha256(content).hexdigest()} {name}\n" for name, content in self.files.items())
        return "".join(rows) if self.listed is None else self.listed

    def answer(self, request):
        name = request.path.removeprefix("/files/x/1.0/").replace("%20", " ")
        asked = request.headers.get("Range")
        self.requests.append((name, asked))
        if name in self.status:
            return request.send_error(self.status[name])
        content = self.sums().encode() if name == "SHA256SUMS.txt" else self.files.get(name)
        if content is None:
            return request.send_error(404)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.ranges else 0
        if start and start >= len(content):
            return request.send_error(416)
        request.send_response(206 if start else 200)
        if start:
            request.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        request.send_header("Content-Length", str(len(content) - start))
        request.end_headers()
        stop = self.cut.pop(name, None)
        request.wfile.write(content[start:] if stop is None else content[start : start + stop])
        return None
