"""``merl checkpoint``: look into checkpoints, and exchange them with the published MERL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from merl.cli.console import note, out, print_json

app = typer.Typer(help="Look into checkpoints; read and write the published ones.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def inspect(
    checkpoint: Annotated[str, typer.Argument(help="A checkpoint folder, a shipped name, or a .pth file.")],
    as_json: AsJson = False,
) -> None:
    """Say what a checkpoint is: encoder, parameters, input, text encoder, training data, hash."""
    from rich.table import Table

    from merl.official.describe import describe

    found = describe(checkpoint)
    if as_json:
        print_json(found)
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    for key, value in found.items():
        table.add_row(key.replace("_", " "), _line(value))
    out().print(table)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A *_ckpt.pth or *_encoder.pth of the published MERL.")],
    *,
    encoder: Annotated[str, typer.Option(help="The encoder it holds: resnet18, vit_tiny, ...")],
    out_folder: Annotated[Path, typer.Option("--out", help="The checkpoint folder to make.")],
    text: Annotated[
        Path | None,
        typer.Option(help="Folder of its text encoder (config.json, tokenizer); without it only ECGs embed."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a checkpoint folder of a published file, and list what became of every key in it."""
    from merl.official.convert import import_official

    keys = asdict(import_official(file, encoder, out_folder, text=text))
    if as_json:
        print_json(keys)
    else:
        for what, names in keys.items():
            for name in names:
                print(f"{what:<9} {name}")
    counts = ", ".join(f"{len(names)} {what}" for what, names in keys.items())
    note(f"{out_folder} written: {counts}")


@app.command()
def export(
    checkpoint: Annotated[str, typer.Argument(help="A checkpoint folder or a shipped name.")],
    *,
    out_file: Annotated[Path, typer.Option("--out", help="The .pth file to write.")],
) -> None:
    """Write a checkpoint under the names of the published MERL, as a plain dictionary of tensors."""
    from merl.checkpoints import load_model
    from merl.files import check_writable
    from merl.official.convert import export_official, writes_text

    check_writable(out_file)
    model = load_model(checkpoint)
    export_official(model, out_file)
    note(f"{out_file} written" + ("" if writes_text(model) else ", without a text encoder (lm_model)"))


def _line(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_line(item)}" for key, item in value.items())
    if isinstance(value, list):
        return " ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return "unknown" if value is None else str(value)
