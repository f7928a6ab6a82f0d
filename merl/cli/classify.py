"""``merl classify``: prompts against one's own ECGs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from merl.cli.console import out, print_json, stoppable
from merl.cli.record_options import LeadNames, SamplingRate, Unit, record_paths, record_reader
from merl.cli.record_output import Failures, check_parquet, write_files
from merl.cli.scoring_options import DEFAULT_MODEL, AbsentWeight, Checkpoint, Contrast, Ensemble, HowCombined
from merl.errors import RecordError, UsageError

if TYPE_CHECKING:
    from merl.ckepe.prompt_set import Phrase, PromptSet
    from merl.model import MERL
    from merl.record_files import EmbeddedFile
    from merl.records import ECGRecord
    from merl.zeroshot import EmbeddedPrompts

_PAGE_WIDTH = 150  # characters that fit on a line of the drawing
_NO_PROBABILITIES = "not probabilities. For research. Not a medical device."


@dataclass(frozen=True)
class _Scored:
    """A record with its scores, best first, and the phrases that spoke most for each class."""

    file: EmbeddedFile
    scores: dict[str, float]
    phrases: dict[str, list[tuple[Phrase, float]]]


@stoppable("nothing was written, and the same command begins anew")
def classify(
    records: Annotated[
        list[str], typer.Argument(help="ECG files, or folders of them with --out; docs/readers.md: formats.")
    ],
    *,
    prompts: Annotated[
        str, typer.Option(help="A prompt file, or a shipped set such as ptbxl-rhythm/knowledge.")
    ],
    checkpoint: Checkpoint = DEFAULT_MODEL,
    ensemble: HowCombined = Ensemble.mean,
    absent_weight: AbsentWeight = 0.0,
    contrast: Contrast = 0.0,
    phrases: Annotated[int, typer.Option(min=1, help="Phrases shown of each class, nearest first.")] = 2,
    evidence: Annotated[bool, typer.Option("--evidence", help="Show the passages they rest on.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    plot: Annotated[Path | None, typer.Option(help="Draw the ECG into this .png or .svg.")] = None,
    out_file: Annotated[
        Path | None, typer.Option("--out", help="Write the scores of any number of records as .parquet.")
    ] = None,
    sampling_rate: SamplingRate = None,
    unit: Unit = None,
    lead_names: LeadNames = None,
) -> None:
    """Score ECGs against the prompts of each class; scores are cosines, not probabilities.

    With --out, files that cannot be read are listed at the end and the exit code is 1; the others are
    written.
    """
    _check_use(records, as_json=as_json, evidence=evidence, plot=plot, out_file=out_file)
    from merl.checkpoints import load_model
    from merl.ckepe.prompt_set import PromptSet
    from merl.zeroshot import embed_prompts

    read = record_reader(sampling_rate, unit, lead_names)
    prompt_set = PromptSet.find(prompts)
    model = load_model(checkpoint)
    scoring: dict[str, Any] = {
        "ensemble": ensemble.value,
        "absent_weight": absent_weight,
        "contrast": contrast,
    }
    embedded = embed_prompts(model, prompt_set, **scoring)
    paths = record_paths(records)
    if out_file:
        _write_scores(model, prompt_set, embedded, paths, read=read, out_file=out_file, about=scoring)
        return
    scored = _score(model, prompt_set, embedded, paths, read=read, phrases=phrases)
    if plot:
        _draw(read(scored[0].file.path), scored[0], prompt_set, plot)
    if as_json:
        print_json([_as_data(item) for item in scored])
        return
    for item in scored:
        _print_table(item, prompt_set, model, "score" if absent_weight or contrast else "cosine")
    if evidence:
        _print_evidence(scored)
    less = f", less {absent_weight:g} of that with prompts against the class," if absent_weight else ","
    less += f" less {contrast:g} of what the ECG has in common with all classes," if contrast else ""
    print(f"Scores are cosines between ECG and prompts{less} {_NO_PROBABILITIES}")


def _check_use(
    records: Sequence[str], *, as_json: bool, evidence: bool, plot: Path | None, out_file: Path | None
) -> None:
    if out_file:
        if as_json or evidence or plot:
            raise UsageError("--out writes scores alone; leave out --json, --evidence and --plot")
        check_parquet(out_file, records)
        return
    for folder in (path for path in records if Path(path).is_dir()):
        raise UsageError(f"{folder} is a folder; add --out FILE.parquet to score all records in it")
    if as_json and evidence:
        raise UsageError("--json names what each phrase rests on; leave out --evidence")
    if plot:
        from merl.files import check_writable
        from merl.report.ecg_paper import check_suffix

        check_suffix(plot)
        check_writable(plot)
        if len(records) != 1:
            raise UsageError(f"--plot draws one record, and {len(records)} are given; give one")


def _score(
    model: MERL,
    prompt_set: PromptSet,
    embedded: EmbeddedPrompts,
    paths: Sequence[Path],
    *,
    read: Callable[[Path], ECGRecord],
    phrases: int,
) -> list[_Scored]:
    import numpy as np

    from merl.record_files import embed_files
    from merl.zeroshot import phrase_cosines

    failures = Failures()
    batches = embed_files(model, paths, read=read, refuse=failures.add)
    files = [file for batch in batches for file in batch]
    if failures.reasons:
        raise RecordError("; ".join(failures.reasons))
    rows = np.stack([file.embedding for file in files])
    scores = embedded.score(rows)
    cosines = phrase_cosines(model, prompt_set, rows)
    scored = []
    for number, file in enumerate(files):
        near = {}
        for (code, item), of_class in zip(prompt_set.classes.items(), cosines, strict=True):
            present = [phrase for phrase in item.prompts if phrase.polarity == "present"]
            order = of_class[number].argsort()[::-1][:phrases]
            near[code] = [(present[i], float(of_class[number, i])) for i in order]
        of_record = dict(zip(prompt_set.classes, map(float, scores[number]), strict=True))
        scored.append(_Scored(file, of_record, near))
    return scored


def _as_data(item: _Scored) -> dict[str, Any]:
    phrases = {
        code: [
            {"text": phrase.text, "role": phrase.role, "cosine": round(cosine, 6), "sources": phrase.sources}
            for phrase, cosine in near
        ]
        for code, near in item.phrases.items()
    }
    scores = {code: round(score, 6) for code, score in item.scores.items()}
    return {"record": item.file.name, "scores": scores, "phrases": phrases}


def _print_table(item: _Scored, prompt_set: PromptSet, model: MERL, what: str) -> None:
    from rich.table import Table

    print(f"{item.file.name} ({_described(item.file, model)})")  # a table's title would break a long path
    table = Table("class", "name", what, "what spoke most for it", "cosine", box=None)
    table.add_column("rests on", overflow="fold")
    for code in sorted(item.scores, key=item.scores.__getitem__, reverse=True):
        first = [code, prompt_set.classes[code].name, f"{item.scores[code]:+.3f}"]
        for phrase, cosine in item.phrases[code]:
            table.add_row(*first, phrase.text, f"{cosine:+.3f}", ", ".join(phrase.sources) or "-")
            first = ["", "", ""]
    out().print(table, "")


def _described(file: EmbeddedFile, model: MERL) -> str:
    parts = [f"{len(file.leads)} leads, {file.seconds:g} s at {file.sampling_rate:g} Hz"]
    if file.derived:
        parts.append(f"{', '.join(file.derived)} computed from I and II")
    if missing := [lead for lead in model.spec.leads if lead not in file.leads]:
        parts.append(f"without {', '.join(missing)}, which the model sees as 0 mV")
    if file.windows > 1:
        parts.append(f"the mean of {file.windows} windows of {model.spec.seconds:g} s")
    elif file.seconds < model.spec.seconds:
        parts.append(f"padded with 0 mV to {model.spec.seconds:g} s")
    return "; ".join(parts)


def _print_evidence(scored: Sequence[_Scored]) -> None:
    """Print the passages that the shown phrases rest on, each once."""
    from merl.knowledge.entries import load_entries
    from merl.knowledge.passages import passages_of

    texts = {
        passage.id: f"{passage.text} [{passage.source}]" if passage.source else passage.text
        for entry in load_entries().values()
        for passage in passages_of(entry)
    }
    shown = {
        source: texts.get(source, "no such passage in the shipped knowledge")
        for item in scored
        for near in item.phrases.values()
        for phrase, _ in near
        for source in phrase.sources
    }
    print("Evidence" if shown else "No phrase names what it rests on")
    for source, text in shown.items():
        print(f"  {source}: {text}")
    print()


def _draw(record: ECGRecord, item: _Scored, prompt_set: PromptSet, plot: Path) -> None:
    from merl.report.ecg_paper import draw_ecg, save_figure

    lines = []
    for code in sorted(item.scores, key=item.scores.__getitem__, reverse=True)[:3]:
        phrase, cosine = item.phrases[code][0]
        name = prompt_set.classes[code].name
        line = f"{item.scores[code]:+.3f}  {code}  {name}; nearest ({cosine:+.3f}): {phrase.text}"
        lines.append(line if len(line) <= _PAGE_WIDTH else f"{line[: _PAGE_WIDTH - 4]} ...")
    foot = [f"Scores are cosines, {_NO_PROBABILITIES}"]
    save_figure(draw_ecg(record, heading=record.name, lines=lines, foot=foot), plot)


def _write_scores(
    model: MERL,
    prompt_set: PromptSet,
    embedded: EmbeddedPrompts,
    paths: Sequence[Path],
    *,
    read: Callable[[Path], ECGRecord],
    out_file: Path,
    about: dict[str, Any],
) -> None:
    import numpy as np
    import pyarrow as pa

    from merl.ckepe.prompt_set import prompt_set_sha256

    columns = [pa.field(f"score_{code}", pa.float32()) for code in prompt_set.classes]
    about |= {
        "prompts": {"name": prompt_set.name, "sha256": prompt_set_sha256(prompt_set)},
        "scores": f"cosines, {_NO_PROBABILITIES}",
        "classes": {code: item.name for code, item in prompt_set.classes.items()},
    }

    def scores(files: Sequence[EmbeddedFile]) -> list[dict[str, Any]]:
        rows = embedded.score(np.stack([file.embedding for file in files]))
        return [dict(zip((field.name for field in columns), row, strict=True)) for row in rows.tolist()]

    write_files(model, paths, read=read, out_file=out_file, columns=columns, values=scores, about=about)
