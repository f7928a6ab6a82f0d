"""How commands behave towards who runs them: Ctrl-C, --quiet, bars, colours, completion."""

import os
import re
import signal
import subprocess
import sys
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from merl.ckepe.prompt_set import PromptSet
from merl.cli.bars import bar
from tests.fake_llm import dutiful, serve
from tests.publisher import FILES

#: The command line in a process that hears Ctrl-C, also where the tests were started in the background.
MERL = [
    sys.executable,
    "-c",
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
    "from merl.cli import main; main()",
]


@pytest.fixture
def start(place):
    """Start a command as a process group of its own, as a terminal does."""
    running = []

    def begin(*arguments):
        running.append(
            subprocess.Popen(
                [*MERL, *map(str, arguments)],
                cwd=place,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        )
        return running[-1]

    yield begin
    for process in running:
        if process.poll() is None:
            process.kill()
            process.communicate()


def press_ctrl_c(process):
    os.killpg(process.pid, signal.SIGINT)


@pytest.mark.usefixtures("small_knowledge")
def test_generate_stopped_by_ctrl_c_says_how_to_go_on_and_does(start, place):
    names = ["atrial fibrillation", "atrial flutter", "left bundle branch block", "sinus bradycardia"]
    (place / "labels.txt").write_text("\n".join(names))
    running, asked = [], []

    def answer(request):
        asked.append(request)
        if len(asked) == 3:
            press_ctrl_c(running[0])
        return dutiful(request)

    with serve(answer) as server:
        command = ["prompts", "generate", "labels.txt", "--out", "out.yaml", "--llm", "openai:fake"]
        command += ["--base-url", server.url, "--concurrency", 1]
        running.append(start(*command))
        out, err = running[0].communicate(timeout=120)
        assert (running[0].returncode, out) == (130, ""), err
        assert err == (
            "stopped; the same command goes on, for the answers so far are kept and not paid again\n"
        )
        assert not (place / "out.yaml").exists()
        before = len(asked)
        again = start(*command)
        _, err = again.communicate(timeout=120)
    assert again.returncode == 0, err
    assert before < len(asked) <= before + 8 - 2, "two answers were kept at least"
    assert len(PromptSet.load(place / "out.yaml").classes) == 4


def test_download_stopped_by_ctrl_c_goes_on(start, publisher, place):
    answer, running = publisher.answer, []

    def interrupted(request):
        if "t%20wo" in request.path and len(running) == 1:
            press_ctrl_c(running[0])
            running[0].wait(timeout=60)
        return answer(request)

    publisher.answer = interrupted
    command = ["data", "download", "ludb", "--base-url", publisher.url]
    running.append(start(*command))
    out, err = running[0].communicate(timeout=120)
    assert (running[0].returncode, out, err) == (130, "", "stopped; the same command goes on where it was\n")
    running.append(start(*command))
    out, err = running[1].communicate(timeout=120)
    assert running[1].returncode == 0, err
    assert (place / "ludb/data/t wo.hea").read_bytes() == FILES["data/t wo.hea"]


@pytest.mark.parametrize(
    ("stops_at", "command", "how"),
    [
        (
            "merl.evaluation.run.evaluate",
            ["evaluate", "ptbxl-rhythm", "--data", ".", "--prompts", "plain"],
            "goes on",
        ),
        ("merl.pretraining.run.pretrain", ["pretrain", "tiny", "data=.", "out=o"], "goes on where it was"),
        (
            "merl.knowledge.building.build",
            ["kb", "build", "--source", "ecg", "--out", "o"],
            "goes on at the first",
        ),
        ("merl.knowledge.building.merge", ["kb", "merge", "a", "b", "--out", "o"], "begins anew"),
        (
            "merl.pretraining.sources.open_source",
            ["data", "prepare", ".", "--out", "o"],
            "goes on where it was",
        ),
        ("merl.checkpoints.load_model", ["demo"], "begins anew"),
        ("merl.ckepe.linter.lint", ["prompts", "lint", "ptbxl-rhythm/plain"], "begins anew"),
        ("merl.datasets.check.check", ["data", "check", "."], "begins anew"),
        ("merl.checkpoints.load_model", ["embed", "one.hea", "--out", "o.parquet"], "begins anew"),
        (
            "merl.checkpoints.load_model",
            ["classify", "one.hea", "--prompts", "ptbxl-rhythm/plain", "--out", "o.parquet"],
            "begins anew",
        ),
    ],
)
def test_every_long_command_says_how_to_go_on(merl, checkpoint, monkeypatch, *, stops_at, command, how):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(stops_at, stop)
    given = ["--checkpoint", checkpoint] if command[0] == "evaluate" else []
    done = merl(*command, *given)
    assert (done.code, done.out) == (130, "")
    assert re.fullmatch(rf"stopped; [^\n]*{how}[^\n]*\n", done.err)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--json", "a.json", "--report", "a.json"), "a.json is named for two outputs"),
        (("--prompts", "own.yaml", "--csv", "own.yaml"), "own.yaml is read here and would be replaced"),
        (("--prompts", ".", "--csv", "ptbxl-rhythm.yaml"), "ptbxl-rhythm.yaml is read here"),
        (("--csv", "f/classes.csv", "--figures", "f"), "f/classes.csv is named for two outputs"),
        (("--lead-as", "MLII=ZZ"), "--lead-as: unknown lead 'ZZ'; allowed are I, II"),
        (("--official", "."), "--official is read with --labels merl-compat alone"),
    ],
)
def test_wrong_options_are_found_before_anything_is_read(fails, place, options, sentence):
    for name in ("own.yaml", "ptbxl-rhythm.yaml"):
        (place / name).touch()
    command = ["evaluate", "ptbxl-rhythm", "--data", "nowhere", "--prompts", "plain"]
    assert sentence in fails(2, *command, *options)


def test_any_other_command_says_that_it_was_stopped(merl, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("merl.label_sets.load_label_set", stop)
    done = merl("tasks")
    assert (done.code, done.err) == (130, "stopped\n")


@pytest.mark.usefixtures("small_knowledge")
def test_quiet_leaves_results_and_errors(merl, place, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes stderr for a terminal
    (place / "labels.txt").write_text("atrial fibrillation\n")
    command = ["prompts", "generate", "labels.txt", "--out", "out.yaml"]
    done = merl("--quiet", *command)
    assert (done.code, done.out, done.err) == (0, "", "")
    assert "written to out.yaml" in merl(*command).err, "quiet is for one command"
    done = merl("--quiet", "prompts", "generate", "labels.txt")
    assert done.code == 2
    assert done.err.startswith("error: ")
    assert merl("--quiet", "kb", "search", "AFIB", "-k", "1").out
    assert merl("--quiet", "--verbose", "tasks").code == 2


def test_verbose_logs_what_is_done(merl, monkeypatch):
    import logging

    monkeypatch.setattr(
        "merl.label_sets.load_label_set",
        lambda _name: logging.getLogger("merl").info("reading labels") or pytest.fail("stop here"),
    )
    with pytest.raises(pytest.fail.Exception):
        merl("--verbose", "tasks")
    assert logging.getLogger().getEffectiveLevel() == logging.INFO


def test_files_that_failed_are_listed_under_quiet_too(merl, checkpoint, place):
    np.save(place / "bad.npy", np.zeros((12, 5000)))
    done = merl("--quiet", "embed", "bad.npy", "--out", "o.parquet", "--checkpoint", checkpoint)
    assert done.code == 1
    assert "bad.npy" in done.err.splitlines()[0]


def shown(**terminal):
    """What a bar of ten in four seconds writes."""
    said, now = StringIO(), iter(range(100))
    screen = Console(file=said, width=100, **terminal)
    with bar(screen) as made:
        made.get_time = lambda: float(next(now))
        task = made.add_task("reading", total=40)
        for done in range(0, 41, 10):
            made.update(task, completed=done)
    return said.getvalue()


def test_a_bar_has_a_rate_and_a_pipe_has_no_bar(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    on_screen = shown(force_terminal=True)
    assert re.search(r"40/40.*\d/s", on_screen)
    assert "\x1b[3" in on_screen
    assert shown(force_terminal=False) == ""


def test_no_color_is_respected(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    coloured = re.compile(r"\x1b\[[0-9;]*3[0-9]")
    assert not coloured.search(shown(force_terminal=True))


def test_the_shell_completes_commands(merl, monkeypatch):
    monkeypatch.setenv("_MERL_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "merl prompts re")
    monkeypatch.setenv("COMP_CWORD", "2")
    printed = subprocess.run(
        [sys.executable, "-m", "merl"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ).stdout
    assert "repair" in printed.split()
