"""``merl prompts review``: a prompt file read, corrected and signed in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from merl.cli.console import OwnIndex, load_index, note
from merl.errors import MerlError, UsageError

if TYPE_CHECKING:
    from merl.ckepe.prompt_set import PromptSet
    from merl.ckepe.reviewing import Decision


def review(
    file: Annotated[Path, typer.Argument(help="A prompt file.")],
    *,
    port: Annotated[
        int | None, typer.Option(min=1024, max=65535, help="Port on this machine; a free one by default.")
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
    index_dir: OwnIndex = None,
    sheet: Annotated[
        Path | None,
        typer.Option(help="Put a review into the file that was kept with `merl prompts show --html`."),
    ] = None,
) -> None:
    """Read, correct, comment and sign a prompt file in the browser of this machine; Ctrl-C ends it."""
    if not file.is_file():
        raise UsageError(_no_file(file))
    if sheet is not None:
        _put_in(sheet, file)
        return
    from merl.report.review_server import ReviewServer

    index = load_index(index_dir)
    try:
        server = ReviewServer(file, port or 0, index=index, saved=lambda made: note(_saved(file, made)))
    except OSError as problem:
        raise MerlError(f"cannot listen on port {port}: {problem.strerror}; name another --port") from None
    print(server.url, flush=True)
    note(f"open it to review {file}; Ctrl-C ends the review")
    if browser:
        import webbrowser

        webbrowser.open(server.url)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        note(f"review ended; {file} holds what was saved")
    finally:
        server.server_close()


def _put_in(sheet: Path, file: Path) -> None:
    from merl.ckepe.reviewing import ReviewSheet, fit, save_review

    try:
        text = sheet.read_bytes()
    except OSError as problem:
        raise UsageError(f"cannot read {sheet}: {problem.strerror}") from None
    fitted, lost = fit(ReviewSheet.read(text, str(sheet)), file)
    print(_saved(file, save_review(file, fitted)))
    for decision in lost:
        print(f"not put in, for {file} no longer has the phrase: {_decided(decision)}")


def _decided(decision: Decision) -> str:
    said = {
        "removed": decision.removed,
        "agreed to": decision.agreed,
        f"reworded as {decision.text!r}": decision.text,
        f"comment {decision.comment!r}": decision.comment,
    }
    about = decision.of.text if decision.of else decision.number
    return ", ".join([f"{decision.code!r}, {about!r}", *(word for word, there in said.items() if there)])


def _saved(file: Path, prompt_set: PromptSet) -> str:
    phrases = [phrase for item in prompt_set.classes.values() for phrase in item.prompts]
    agreed = sum(bool(phrase.agreed) for phrase in phrases)
    by = prompt_set.reviewed_by[-1].by
    return f"{file}: review by {by} saved; {agreed} of {len(phrases)} phrases are agreed to"


def _no_file(file: Path) -> str:
    from merl.ckepe.prompt_set import locate

    try:
        shipped = locate(str(file))
    except UsageError:
        return f"there is no file {file}"
    return f"{file} is a shipped set; copy it and review the copy: {shipped}"
