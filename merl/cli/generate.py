"""``merl prompts generate``: prompts for a label set, from the knowledge alone or with a language model."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from merl.cli.console import OwnIndex, load_index, note, out, refuse_without, stoppable
from merl.errors import UsageError

if TYPE_CHECKING:
    from merl.ckepe.asking import Question
    from merl.ckepe.llm import ChatModel
    from merl.ckepe.prompt_set import PromptSet


#: Options that count only where a language model is asked.
_OF_A_MODEL = (
    *("base_url", "temperature", "concurrency", "requests_per_minute", "timeout", "cache"),
    *("max_cost", "price"),
)


class Verify(StrEnum):
    """How strictly phrases are checked against the knowledge."""

    strict = "strict"
    lenient = "lenient"
    off = "off"


@stoppable("the same command goes on, for the answers so far are kept and not paid again")
def generate(
    context: typer.Context,
    labels: Annotated[
        str,
        typer.Argument(
            help="A task, a YAML or CSV file of code and name, or a text file with one name a line."
        ),
    ],
    *,
    out_file: Annotated[Path | None, typer.Option("--out", help="The prompt file to write.")] = None,
    llm: Annotated[
        str,
        typer.Option(
            help="none (the knowledge alone), local (the best installed), local:0.5b, local:1.5b,"
            " local:FILE.gguf, openai:MODEL, or any provider:model of langchain."
        ),
    ] = "none",
    base_url: Annotated[str | None, typer.Option(help="Your own server of the provider's kind.")] = None,
    k: Annotated[int, typer.Option("-k", min=1, help="Passages of each kind that the model is shown.")] = 8,
    index_dir: OwnIndex = None,
    verify: Annotated[Verify, typer.Option(help="How strictly phrases are checked.")] = Verify.strict,
    temperature: Annotated[float, typer.Option(help="Some models take no other than 1.")] = 0,
    concurrency: Annotated[int, typer.Option(min=1, help="Classes asked for at once.")] = 4,
    requests_per_minute: Annotated[
        float | None, typer.Option(help="Requests started in a minute at most.")
    ] = None,
    timeout: Annotated[
        float | None, typer.Option(help="Seconds for one answer; 300, or 1800 for a local model.")
    ] = None,
    cache: Annotated[
        Path | None, typer.Option(help="Where replies are kept; in your cache folder by default.")
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Replay the cache and ask nobody.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be asked and what it costs at most.")
    ] = False,
    max_cost: Annotated[float | None, typer.Option(help="USD that are not passed.")] = None,
    price: Annotated[
        str | None, typer.Option(metavar="IN,OUT", help="USD for a million tokens, where none is listed.")
    ] = None,
) -> None:
    """Write knowledge-enhanced prompts for a label set, and keep what was rejected with the reason."""
    from merl.ckepe.generator import generate_prompts
    from merl.ckepe.llm import ChatModel, default_cache
    from merl.cli.board import Board
    from merl.files import check_outputs
    from merl.label_sets import load_label_set

    if out_file is None and not dry_run:
        raise UsageError("name the prompt file to write with --out FILE")
    check_outputs(out_file, inputs=[labels, cache])  # before a language model is paid
    if llm == "none":
        refuse_without(context, "--llm", *_OF_A_MODEL)
    label_set = load_label_set(labels)
    index = load_index(index_dir)
    with ExitStack() as stack:
        model = None
        if llm != "none":
            kept = cache or default_cache()
            model = ChatModel(
                llm,
                base_url,
                cache=kept if kept.is_file() or not dry_run else None,
                offline=offline or dry_run,
                temperature=temperature,
                timeout=timeout,
                requests_per_minute=requests_per_minute,
                price=price,
                max_cost=max_cost,
            )
            stack.enter_context(model)
        if dry_run:
            from merl.ckepe.generator import questions

            _preview(questions(label_set, k, index) if model else {}, model)
            return
        board = stack.enter_context(Board(len(label_set.classes), by_class=model is not None))
        prompt_set = generate_prompts(
            label_set,
            llm=model or "none",
            k=k,
            verify=verify.value,
            index=index,
            concurrency=concurrency,
            progress=board.progress,
            watch=board.watch,
        )
    assert out_file is not None  # noqa: S101 - seen to above
    prompt_set.save(out_file)
    _summarise(prompt_set, out_file, model)


def _preview(asked: dict[str, Question | None], model: ChatModel | None) -> None:
    """Print every message, and how many calls, tokens and dollars they take."""
    from merl.ckepe.preview import estimate, preview

    if model is None:
        note("no language model would be asked: --llm none")
        return
    requests = list(preview(asked, model))
    for request in requests:
        cached = " (its answer is in the cache)" if request.cached else ""
        out().print(f"=== {request.code}, {request.step}{cached}", style="bold")
        for role, text in request.messages:
            print(f"--- {role}\n{text}")
        print()
    found = estimate(requests, model)
    print(
        f"calls: {found.calls}, of {len(requests)} requests; at most {found.calls_at_most} with repetitions"
    )
    print(
        f"tokens in: about {found.tokens_in_about:,}, at most {found.tokens_in:,};"
        f" tokens out: at most {found.tokens_out:,}"
    )
    if found.cost is None:
        print("cost: the price is not known; give it with --price IN,OUT (USD for a million tokens)")
    else:
        print(f"cost: at most {found.cost:.4f} USD; {found.cost_at_most:.4f} USD with all repetitions")


def _summarise(prompt_set: PromptSet, out_file: Path, model: ChatModel | None) -> None:
    """Say what was kept and rejected, what it rests on, and what it cost."""
    classes = prompt_set.classes.values()
    phrases = [phrase for item in classes for phrase in item.prompts]
    reasons = Counter(_gist(line.reason) for item in classes for line in item.rejected)
    note(
        f"{len(classes)} classes: {len(phrases)} phrases kept, {reasons.total()} rejected,"
        f" written to {out_file}"
    )
    sources = {source for phrase in phrases for source in phrase.sources}
    entries = {source.partition("#")[0] for source in sources}
    note(f"they rest on {len(sources)} passages of {len(entries)} knowledge entries")
    for reason, count in reasons.most_common(5):
        note(f"  rejected {count}: {reason}")
    if prompt_set.generator.verify == "off":
        note("nothing was verified: --verify off")
    if model:
        _say_cost(model)


def _say_cost(model: ChatModel) -> None:
    usage = model.usage
    cost = "price not known" if usage.cost is None else f"{usage.cost:.4f} USD"
    inexact = "" if usage.exact else " (at most: the server did not count them all)"
    note(
        f"{model.spec}: {usage.asked} answers, {usage.cached} more from the cache;"
        f" {usage.tokens_in:,} tokens in, {usage.tokens_out:,} out, {cost}{inexact}"
    )


def _gist(reason: str) -> str:
    """A reason without what it says of one phrase, so that alike ones can be counted."""
    beginning = re.split("[;:]", reason, maxsplit=1)[0]
    return re.sub(r"'[^']*'|\([^)]*\)|\b[A-Z0-9_]{2,}\b|\b\d+\b", "…", beginning)
