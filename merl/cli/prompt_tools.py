"""``merl prompts lint``, ``import``, ``repair`` and ``controls``: what is done to and with prompt sets."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from merl.cli.console import note, print_json, progress, refuse_without, stoppable

if TYPE_CHECKING:
    from merl.ckepe.linter import Finding
    from merl.ckepe.prompt_set import PromptSet
    from merl.encoders.text import SentenceEncoder
    from merl.label_sets import LabelSet

LABELS = "A task, a YAML or CSV file of code and name, or a text file with one name a line."
_Target = tuple[str, "PromptSet", "LabelSet | None"]


@stoppable("nothing is changed, and the same command begins anew; fewer files take less time")
def lint(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Prompt files, shipped sets, or MERL's JSON.")
    ],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    checkpoint: Annotated[
        str | None, typer.Option(help="A model, to find long texts and classes it can hardly tell apart.")
    ] = None,
    closest: Annotated[
        float, typer.Option(min=-1, max=1, help="The cosine from which on two classes are too close.")
    ] = 0.98,
    labels: Annotated[
        list[str] | None, typer.Option(help=f"The classes there should be. {LABELS} Repeat it for JSON.")
    ] = None,
) -> None:
    """Say what is wrong with prompt sets; exit 1 if there is an error, 0 with warnings alone."""
    from merl.checkpoints import load_model
    from merl.ckepe.linter import lint as look

    model = load_model(checkpoint) if checkpoint else None
    found: list[tuple[str, str, Finding]] = []
    for file in files:
        targets, said = _targets(file, labels or [])
        found += [(file, "", finding) for finding in said]
        for title, prompt_set, label_set in targets:
            with progress(f"linting {title}") as report:
                findings = look(
                    prompt_set,
                    label_set=label_set,
                    encoder=model.text_encoder if model else _OfflineEncoder(),
                    embeddings=_embeddings(model, prompt_set, title),
                    closest=closest,
                    progress=lambda code, done, total: report(done, total, f"linting prompts: {code}"),
                )
            found += [(file, prompt_set.label_set, finding) for finding in findings]
            counts = Counter(finding.severity for finding in findings)
            note(f"{title}: {counts['error']} errors, {counts['warning']} warnings")
    if as_json:
        print_json([_as_data(*item) for item in found])
    else:
        for file, label_set_name, finding in found:
            print(_line(file, label_set_name, finding, several=len({item[:2] for item in found}) > 1))
    if any(finding.severity == "error" for _, _, finding in found):
        raise typer.Exit(1)


def import_(
    file: Annotated[Path, typer.Argument(help="JSON of class to joined phrases (MERL) or to a list (CuPL).")],
    *,
    label_set: Annotated[str, typer.Option(help=f"The classes. {LABELS}")],
    out_file: Annotated[Path, typer.Option("--out", help="The prompt file to write.")],
    joined: Annotated[
        bool, typer.Option("--joined", help="Keep a joined string as one phrase, as MERL scores it.")
    ] = False,
) -> None:
    """Make a prompt set of another project's JSON, and say which keys were used, missing and left over."""
    from merl.ckepe.importing import import_prompts
    from merl.files import check_outputs

    check_outputs(out_file, inputs=[file, label_set])
    done = import_prompts(file, label_set, joined=joined)
    done.prompt_set.save(out_file)
    renamed = [f"{code} from {key}" for code, key in done.used.items() if code != key]
    note(f"{len(done.used)} of {len(done.label_set.classes)} classes, written to {out_file}")
    if renamed:
        note(f"under another key: {', '.join(renamed)}")
    if done.missing:
        note(f"without prompts: {', '.join(done.missing)}; give them some, or run `merl prompts repair`")
    if done.left_over:
        shown = ", ".join(done.left_over[:8]) + (", ..." if len(done.left_over) > 8 else "")
        note(f"{len(done.left_over)} keys of {file} are no class of {done.label_set.name}: {shown}")


def repair(
    file: Annotated[str, typer.Argument(help="A prompt file.")],
    *,
    out_file: Annotated[Path, typer.Option("--out", help="The prompt file to write.")],
) -> None:
    """Keep what the knowledge supports, reject the rest with reasons, and refill classes left thin."""
    from merl.ckepe.prompt_set import PromptSet
    from merl.ckepe.repairing import repair as mend
    from merl.files import check_outputs

    check_outputs(out_file, inputs=[file])
    given = PromptSet.find(file)
    with progress("repairing prompts") as report:
        mended = mend(
            given, progress=lambda code, done, total: report(done, total, f"repairing prompts: {code}")
        )
    mended.save(out_file)
    phrases = [phrase for item in mended.classes.values() for phrase in item.prompts]
    rejected = sum(
        len(item.rejected) - len(given.classes[code].rejected) for code, item in mended.classes.items()
    )
    cited = sum(bool(phrase.sources) for phrase in phrases)
    note(f"{len(phrases)} phrases, {cited} of them cited; {rejected} rejected; written to {out_file}")
    bare = [
        code for code, item in mended.classes.items() if not any(phrase.sources for phrase in item.prompts)
    ]
    if bare:
        note(f"no knowledge found for {', '.join(bare)}: only the name is left there")


def controls(
    context: typer.Context,
    labels: Annotated[str, typer.Argument(help=LABELS)],
    *,
    out_dir: Annotated[Path, typer.Option("--out", help="The folder to write NAME.yaml into.")],
    llm: Annotated[
        str | None, typer.Option(help="openai:MODEL, or any provider:model, for the controls that need one.")
    ] = None,
    base_url: Annotated[
        str | None, typer.Option(help="An OpenAI-compatible server, for openai:MODEL.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the shuffling and the random words.")] = 0,
) -> None:
    """Write the prompt sets that good prompts have to beat: names, templates, shuffled, random words."""
    from merl.ckepe.controls import CONTROLS, NEED_LLM, make_controls
    from merl.files import check_outputs

    if llm is None:
        refuse_without(context, "--llm", "base_url")
    check_outputs(*(out_dir / f"{name}.yaml" for name in CONTROLS), inputs=[labels])  # before an LLM is paid
    made = make_controls(labels, llm=llm, base_url=base_url, seed=seed)
    for name, prompt_set in made.items():
        prompt_set.save(out_dir / f"{name}.yaml")
        note(f"{out_dir / name}.yaml: {CONTROLS[name]}")
    for name in CONTROLS:
        if name not in made:
            why = "name a language model with --llm" if name in NEED_LLM else "a single class has no other"
            note(f"not made: {name}, {CONTROLS[name]}; {why}")


def _targets(file: str, labels: list[str]) -> tuple[list[_Target], list[Finding]]:
    """What a file holds: one prompt set, or for JSON one for each label set that it has all classes of."""
    from merl.ckepe.importing import fitting_label_sets, import_prompts, read_foreign
    from merl.ckepe.linter import collisions
    from merl.ckepe.prompt_set import PromptSet
    from merl.errors import PromptError, UsageError
    from merl.label_sets import load_label_set

    given = [load_label_set(name) for name in labels]
    if not file.lower().endswith(".json"):
        if len(given) > 1:
            raise UsageError(f"{file} is for one label set; give --labels once")
        prompt_set = PromptSet.find(file, given[0].name if given else None)
        return [(file, prompt_set, given[0] if given else None)], []
    sets = given or fitting_label_sets(read_foreign(file))
    if not sets:
        raise PromptError(f"{file} has all classes of no shipped label set; name its own with --labels")
    imports = [import_prompts(file, label_set) for label_set in sets]
    targets: list[_Target] = [
        (f"{file} as {item.label_set.name}", item.prompt_set, item.label_set) for item in imports
    ]
    return targets, collisions(imports)


class _OfflineEncoder:
    """The text encoder that comes along, loaded only to count the tokens of a long text."""

    def __init__(self) -> None:
        from merl.encoders.text import MINILM

        self.name, self.max_tokens = MINILM, 256

    @cached_property
    def _encoder(self) -> SentenceEncoder:
        from merl.encoders.text import SentenceEncoder

        return SentenceEncoder(max_tokens=self.max_tokens)

    def count_tokens(self, text: str) -> int:
        return self._encoder.count_tokens(text)


def _embeddings(model: Any, prompt_set: PromptSet, title: str) -> Any:
    from merl.errors import PromptError
    from merl.zeroshot import class_embeddings

    if model is None:
        return None
    try:
        return class_embeddings(model, prompt_set).numpy()
    except PromptError as problem:  # an empty class or a long text, which is found anyway
        note(f"{title}: whether classes are too close was not looked at ({problem})")
        return None


def _line(file: str, label_set: str, finding: Finding, *, several: bool) -> str:
    where = f"{file}{f' ({label_set})' if label_set else ''}: " if several else ""
    phrase = f": {finding.text!r}" if finding.text else ""
    return f"{finding.severity:<7} {finding.kind:<15} {where}{finding.code}{phrase} {finding.message}"


def _as_data(file: str, label_set: str, finding: Finding) -> dict[str, Any]:
    return {
        "file": file,
        "label_set": label_set or None,
        "severity": finding.severity,
        "kind": finding.kind,
        "class": finding.code,
        "text": finding.text,
        "message": finding.message,
        "others": list(finding.others),
    }
