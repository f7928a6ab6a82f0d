"""The Typer application: nouns with their verbs, and the options they share."""

from __future__ import annotations

import logging
from typing import Annotated

import typer

from merl.cli import (
    checkpoint,
    classify,
    data,
    demo,
    doctor,
    embed,
    evaluate,
    generate,
    kb,
    listings,
    pretrain,
    probe,
    prompt_review,
    prompt_tools,
    prompt_views,
    prompts,
    report,
    study,
)
from merl.cli.console import be_quiet
from merl.errors import UsageError

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
    quiet: Annotated[
        bool, typer.Option("--quiet", help="No progress, notes or warnings: results and errors only.")
    ] = False,
) -> None:
    """Set up logging for every command."""
    if verbose and quiet:
        raise UsageError("--verbose and --quiet exclude each other; give one")
    be_quiet(quiet=quiet)
    level = logging.INFO if verbose else logging.ERROR if quiet else logging.WARNING
    logging.basicConfig(format="%(message)s")
    logging.getLogger().setLevel(level)


app.command()(demo.demo)
app.command()(evaluate.evaluate)
app.command()(probe.probe)
app.command()(probe.transfer)
app.command()(report.report)
app.command()(classify.classify)
app.command()(embed.embed)
app.command()(pretrain.pretrain)
app.command()(study.study)
app.command()(listings.tasks)
app.command()(listings.models)
app.command()(doctor.doctor)
prompts.app.command()(generate.generate)
prompts.app.command()(prompt_views.show)
prompts.app.command()(prompt_views.diff)
prompts.app.command()(prompt_review.review)
prompts.app.command()(prompt_tools.lint)
prompts.app.command()(prompt_tools.repair)
prompts.app.command("import")(prompt_tools.import_)
prompts.app.command()(prompt_tools.controls)
app.add_typer(prompts.app, name="prompts")
app.add_typer(kb.app, name="kb")
app.add_typer(data.app, name="data")
app.add_typer(checkpoint.app, name="checkpoint")
