"""The Typer application: nouns with their verbs, and the options they share."""

from __future__ import annotations

import logging
from typing import Annotated

import typer

from merl.cli import (
    checkpoint,
    data,
    demo,
    ecg,
    generate,
    kb,
    listings,
    pretrain,
    prompt_tools,
    prompt_views,
    prompts,
    study,
)

app = typer.Typer(
    name="merl",
    help="Zero-shot ECG classification with prompts that can be trusted. For research; not a medical device.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(show: bool) -> None:
    if show:
        from merl import __version__

        typer.echo(f"merl {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log what is done, to stderr.")] = False,
) -> None:
    """Set up logging for every command."""
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, format="%(message)s")


app.command()(demo.demo)
app.command()(ecg.classify)
app.command()(ecg.evaluate)
app.command()(pretrain.pretrain)
app.command()(study.study)
app.command()(listings.tasks)
app.command()(listings.models)
app.command()(listings.doctor)
prompts.app.command()(generate.generate)
prompts.app.command()(prompt_views.show)
prompts.app.command()(prompt_views.diff)
prompts.app.command()(prompt_tools.lint)
prompts.app.command()(prompt_tools.repair)
prompts.app.command("import")(prompt_tools.import_)
prompts.app.command()(prompt_tools.controls)
app.add_typer(prompts.app, name="prompts")
app.add_typer(kb.app, name="kb")
app.add_typer(data.app, name="data")
app.add_typer(checkpoint.app, name="checkpoint")
