"""A Hugging Face hub on the loopback interface: the few routes that pushing and fetching a model take."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FakeHub(ThreadingHTTPServer):
    """Keeps what was pushed: the files of each repository, and the number of requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Routes)
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.requests = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Routes(BaseHTTPRequestHandler):
    server: FakeHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        self.server.requests += 1
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Authorization") != "Bearer good":
            return self._reply({"error": "Invalid credentials"}, 401)
        if self.path.endswith("/repos/create"):
            asked = json.loads(body)
            name = f"{asked['organization']}/{asked['name']}" if asked.get("organization") else asked["name"]
            self.server.repositories.setdefault(name, {})
            return self._reply({"url": f"{self.server.url}/{name}", "id": name})
        if self.path == "/api/validate-yaml":
            return self._reply({"errors": [], "warnings": []})
        name = re.fullmatch(r"/api/models/([^/]+/[^/]+)/.*", self.path)[1]
        if "/preupload/" in self.path:
            files = [
                {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False, "oid": None}
                for file in json.loads(body)["files"]
            ]
            return self._reply({"files": files})
        for line in map(json.loads, body.splitlines()):
            if line["key"] == "file":
                self.server.repositories[name][line["value"]["path"]] = base64.b64decode(
                    line["value"]["content"]
                )
        commit = self._commit(name)
        return self._reply(
            {"success": True, "commitUrl": f"{self.server.url}/{name}/commit/{commit}", "commitOid": commit}
        )

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        self.server.requests += 1
        path = self.path.partition("?")[0]
        listed = re.fullmatch(r"/api/models/([^/]+/[^/]+)(/revision/[^/]+)?", path)
        tree = re.fullmatch(r"/api/models/([^/]+/[^/]+)/tree/[^/]+", path)
        file = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        if not any((listed, tree, file)):
            return self._reply({"error": f"no route {path}"}, 404)
        name = next(found[1] for found in (listed, tree, file) if found)
        if name not in self.server.repositories:
            return self._reply({"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"})
        files, commit = self.server.repositories[name], self._commit(name)
        if tree:
            return self._reply(
                [
                    {"type": "file", "path": path, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}  # noqa: S324
                    for path, data in files.items()
                ]
            )
        if listed:
            siblings = [{"rfilename": path} for path in files]
            return self._reply({"id": name, "sha": commit, "siblings": siblings})
        data = files[file[3]]
        tag = hashlib.sha256(data).hexdigest()
        return self._reply(data, headers={"ETag": f'"{tag}"', "X-Repo-Commit": commit}, with_body=with_body)

    def _commit(self, name: str) -> str:
        return hashlib.sha1(repr(sorted(self.server.repositories[name].items())).encode()).hexdigest()  # noqa: S324

    def _reply(
        self,
        value: object,
        status: int = 200,
        headers: dict[str, str] | None = None,
        *,
        with_body: bool = True,
    ) -> None:
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        for key, text in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(key, text)
        self.end_headers()
        if with_body:
            self.wfile.write(body)
