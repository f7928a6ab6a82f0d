"""Who may read the review page and save with it, over real HTTP."""

import http.client
import json
import os
import socket
import stat

import pytest

from merl.ckepe.prompt_set import PromptSet
from merl.ckepe.reviewing import SHEET
from merl.errors import MerlError, PromptError
from merl.files import sha256
from merl.report.review_server import LARGEST, ReviewServer

ANNA = "A. Example, cardiologist"


@pytest.fixture
def server(serve, prompt_file):
    return serve(prompt_file)


def ask(server, method="POST", path="/review", body=None, drop=(), **changed):
    """Send what the page would send, but for the headers that are changed or dropped."""
    own = f"127.0.0.1:{server.server_port}"
    headers = {"Host": own}
    if method == "POST":
        body = json.dumps(sheet(server)).encode() if body is None else body
        headers |= {"Origin": f"http://{own}", "X-Merl-Token": server.token}
        headers |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    headers |= {name.replace("_", "-"): value for name, value in changed.items()}
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in headers.items():
        if name not in drop:
            for one in value if isinstance(value, list) else [value]:
                connection.putheader(name, one)
    connection.endheaders(body)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer, text


def sheet(server, *decisions):
    decisions = decisions or ({"class": "AFIB", "number": 0, "agreed": True},)
    return {"schema": SHEET, "by": ANNA, "sha256": sha256(server.file), "decisions": decisions}


def page_path(server):
    return f"/?token={server.token}"


def test_the_page_is_served_with_its_policy(server):
    answer, text = ask(server, "GET", page_path(server))
    assert answer.status == 200
    assert "irregularly irregular RR intervals" in text
    policy = answer.headers["Content-Security-Policy"]
    for rule in ("default-src 'none'", "script-src 'sha256-", "frame-ancestors 'none'", "form-action 'none'"):
        assert rule in policy
    assert "unsafe-inline" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Server"].strip() == "merl"
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_it_listens_on_the_loopback_address_alone(server):
    assert server.socket.getsockname()[0] == "127.0.0.1"


def test_a_review_is_saved(server):
    answer, text = ask(server)
    assert (answer.status, json.loads(text)) == (200, {"message": "Saved in mine.yaml"})
    assert PromptSet.load(server.file).classes["AFIB"].prompts[0].agreed == (ANNA,)


REFUSED = {
    "another site": (403, {"Origin": "https://evil.example"}),
    "a site of the same host": (403, {"Origin": "http://127.0.0.1:1"}),
    "a name that is like ours": (403, {"Origin": "http://127.0.0.1.evil.example"}),
    "a sandbox": (403, {"Origin": "null"}),
    "two origins": (403, {"Origin": ["http://127.0.0.1:{port}", "https://evil.example"]}),
    "no origin": (403, {"drop": ["Origin"]}),
    "a rebound name": (403, {"Host": "evil.example"}),
    "a rebound name at our port": (403, {"Host": "evil.example:{port}"}),
    "no host": (403, {"drop": ["Host"]}),
    "two hosts": (403, {"Host": ["127.0.0.1:{port}", "evil.example"]}),
    "no token": (403, {"drop": ["X-Merl-Token"]}),
    "a wrong token": (403, {"X_Merl_Token": "x"}),
    "a token that is no ASCII": (403, {"X_Merl_Token": "ä"}),
    "a form": (415, {"Content_Type": "application/x-www-form-urlencoded"}),
    "plain text": (415, {"Content_Type": "text/plain"}),
    "no kind": (415, {"drop": ["Content-Type"]}),
    "no length": (411, {"drop": ["Content-Length"], "body": b""}),
    "an odd length": (411, {"Content_Length": "-1", "body": b""}),
    "too much": (413, {"Content_Length": str(LARGEST + 1), "body": b""}),
    "an endless length": (413, {"Content_Length": "9" * 5000, "body": b""}),
    "elsewhere": (404, {"path": "/"}),
    "no JSON": (422, {"body": b"{"}),
    "another shape": (422, {"body": b'{"decisions": []}'}),
}


@pytest.mark.parametrize(("status", "changed"), REFUSED.values(), ids=REFUSED)
def test_what_the_page_would_not_send_is_refused_and_nothing_saved(server, status, changed):
    def fill(value):
        if isinstance(value, list):
            return [fill(one) for one in value]
        return value.replace("{port}", str(server.server_port)) if isinstance(value, str) else value

    before = server.file.read_bytes()
    answer, text = ask(server, **{key: fill(value) for key, value in changed.items()})
    assert answer.status == status
    assert json.loads(text)["message"]
    assert server.file.read_bytes() == before


@pytest.mark.parametrize(
    ("path", "host", "status"),
    [
        ("/", None, 403),
        ("/?token=x", None, 403),
        ("//[", None, 404),
        ("{page}", "evil.example", 403),
        ("/review", None, 404),
    ],
)
def test_the_page_is_shown_to_nobody_else(server, path, host, status):
    changed = {"Host": host} if host else {}
    answer, text = ask(server, "GET", path.replace("{page}", page_path(server)), **changed)
    assert answer.status == status
    assert "irregular" not in text


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_other_methods_are_refused(server, method):
    answer, _ = ask(server, method, "/review")
    assert answer.status == 501
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_file_that_changed_meanwhile_is_answered_with_409_in_words(server):
    body = json.dumps(sheet(server)).encode()
    server.file.write_text(server.file.read_text().replace("a foreign phrase", "a better phrase"))
    changed = server.file.read_bytes()
    answer, text = ask(server, body=body)
    assert answer.status == 409
    assert "mine.yaml was changed by someone else since this review began; nothing was saved" in text
    assert server.file.read_bytes() == changed


def test_a_file_that_broke_meanwhile_is_told(server):
    server.file.write_text("schema: [")
    answer, text = ask(server, "GET", page_path(server))
    assert (answer.status, answer.headers.get_content_type()) == (422, "text/plain")
    assert "is not valid YAML" in text


def test_a_folder_that_may_not_be_written_is_told(server, monkeypatch):
    def full(**_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("merl.files.tempfile.mkstemp", full)
    answer, text = ask(server)
    assert (answer.status, json.loads(text)["message"]) == (500, "No space left on device")


def test_a_browser_that_goes_away_says_nothing(server, capfd):
    with socket.create_connection(("127.0.0.1", server.server_port)) as gone:
        gone.sendall(b"POST /review HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf")
    assert ask(server, "GET", page_path(server))[0].status == 200
    assert capfd.readouterr().err == ""


def test_a_link_stays_a_link(serve, prompt_file, tmp_path):
    (tmp_path / "link.yaml").symlink_to(prompt_file)
    server = serve(tmp_path / "link.yaml")
    assert ask(server)[0].status == 200
    assert (tmp_path / "link.yaml").is_symlink()
    assert PromptSet.load(prompt_file).classes["AFIB"].prompts[0].agreed == (ANNA,)


def test_every_server_has_a_token_of_its_own(serve, prompt_file):
    one, two = serve(prompt_file), serve(prompt_file)
    assert one.token != two.token
    assert ask(two, X_Merl_Token=one.token)[0].status == 403


def test_what_cannot_be_reviewed_is_said_at_the_start(prompt_file, tmp_path):
    with pytest.raises(PromptError, match="no file"):
        ReviewServer(tmp_path / "none.yaml")
    prompt_file.write_text(prompt_file.read_text() + "# a comment\n")
    with pytest.raises(PromptError, match="comments"):
        ReviewServer(prompt_file)
    if os.geteuid():
        tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
        with pytest.raises(MerlError, match="no permission"):
            ReviewServer(prompt_file)
