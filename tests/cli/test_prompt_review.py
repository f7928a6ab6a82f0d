import os
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from merl.ckepe.prompt_set import PromptSet
from merl.ckepe.reviewing import SHEET, ReviewSheet, save_review
from merl.files import sha256
from tests.ckepe.hand import by_hand

ANNA = "A. Example, cardiologist"


@pytest.fixture
def prompt_file(place):
    by_hand(A=("a", "long PR interval", "not flat T waves")).save(place / "set.yaml")
    return place / "set.yaml"


def write_sheet(path, prompt_file, *decisions):
    made = ReviewSheet(by=ANNA, sha256=sha256(prompt_file), decisions=decisions)
    path.write_text(made.model_dump_json(by_alias=True))


def test_it_serves_until_it_is_stopped(prompt_file):
    program = (  # a shell may have told its background jobs to ignore Ctrl-C
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from merl.cli import main; main(['prompts', 'review', 'set.yaml', '--no-browser'])"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": ""},
    )
    url = process.stdout.readline().strip()
    assert url.startswith("http://127.0.0.1:")
    assert b"long PR interval" in urllib.request.urlopen(url).read()  # noqa: S310
    process.send_signal(signal.SIGINT)
    rest, said = process.communicate(timeout=90)
    assert (process.returncode, rest) == (0, "")
    assert said.splitlines()[1:] == ["review ended; set.yaml holds what was saved"]


def test_a_port_that_is_taken_is_said(fails, prompt_file):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = fails(1, "prompts", "review", prompt_file, "--no-browser", "--port", port)
    assert f"cannot listen on port {port}: Address already in use; name another --port" in said


def test_what_cannot_be_reviewed_is_said(fails, prompt_file):
    assert "there is no file none.yaml" in fails(2, "prompts", "review", "none.yaml")
    said = fails(2, "prompts", "review", "ptbxl-rhythm/knowledge")
    assert "is a shipped set; copy it and review the copy: " in said
    prompt_file.write_text("schema: 1\n")
    assert "set.yaml: " in fails(1, "prompts", "review", prompt_file)


def test_a_sheet_is_put_into_the_file(merl, fails, prompt_file, place):
    write_sheet(place / "review.json", prompt_file, {"class": "A", "number": 0, "agreed": True})
    done = merl("prompts", "review", prompt_file, "--sheet", "review.json")
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith(f"set.yaml: review by {ANNA} saved; 1 of 2 phrases are agreed to\n")
    assert PromptSet.load(prompt_file).classes["A"].prompts[0].agreed == (ANNA,)
    said = fails(
        1, "prompts", "review", prompt_file, "--sheet", "review.json"
    )  # it was about the file before
    assert "set.yaml was changed by someone else since this review began; nothing was saved" in said


@pytest.mark.parametrize(
    ("sheet", "code", "message"),
    [
        (None, 2, "cannot read review.json: No such file"),
        ("{", 1, "review.json is not JSON"),
        (f'{{"schema": "{SHEET}"}}', 1, "review.json: by: field required; sha256: field required"),
    ],
)
def test_a_bad_sheet_is_refused(fails, prompt_file, place, *, sheet, code, message):
    if sheet is not None:
        (place / "review.json").write_text(sheet)
    before = prompt_file.read_bytes()
    assert message in fails(code, "prompts", "review", prompt_file, "--sheet", "review.json")
    assert prompt_file.read_bytes() == before


def test_show_tells_what_reviewers_think(merl, prompt_file):
    decisions = [{"class": "A", "number": 0, "agreed": True}, {"class": "A", "number": 1, "comment": "never"}]
    save_review(prompt_file, ReviewSheet(by=ANNA, sha256=sha256(prompt_file), decisions=decisions))
    shown = merl("prompts", "show", prompt_file).out
    assert f"reviewed by {ANNA}, 20" in shown
    assert f"{ANNA}: agrees" in shown
    assert f"{ANNA}: never" in shown


def test_a_page_is_written_of_a_shipped_set(merl, place):
    done = merl("prompts", "show", "ptbxl-rhythm/knowledge", "--html", "out/page.html")
    assert (done.code, done.out) == (0, "")
    page = (place / "out" / "page.html").read_text()
    assert "2024 ESC Guidelines for the management of atrial fibrillation" in page
    assert "section 3, diagnostic criteria for atrial fibrillation" in page


def test_a_page_that_cannot_be_written_is_said(fails, prompt_file, place):
    assert "it is a folder" in fails(1, "prompts", "show", prompt_file, "--html", place)
