"""``merl demo``: the main job in a minute, offline, from a new label set to a measured comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from merl.cli.console import out, progress, stoppable
from merl.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from merl.ckepe.prompt_set import PromptSet
    from merl.datasets.ptbxl import PTBXL
    from merl.evaluation.result import Result
    from merl.knowledge.entries import Entry
    from merl.label_sets import LabelSet
    from merl.records import ECGRecord

#: A label set that ships nowhere else, as a user would write it.
LABELS = {
    "SLOW": "sinus bradycardia",
    "FAST": "sinus tachycardia",
    "AF": "atrial fibrillation",
    "AVB1": "first degree AV block",
    "WIDE": "left bundle branch block",
}
_PER_CLASS = 6  # simulated ECGs of each class
_PER_CLASS_REAL = 40  # real ECGs of each class, with --data


@stoppable("the same command begins anew, for it takes a minute")
def demo(
    data: Annotated[
        Path | None, typer.Option(help="PTB-XL's folder: use real records instead of simulated.")
    ] = None,
    out_dir: Annotated[Path, typer.Option("--out", help="Where the prompt file and the report go.")] = Path(
        "merl-demo"
    ),
) -> None:
    """Show the whole path: a new label set, its prompts, what they rest on, scores and a comparison."""
    from merl.checkpoints import load_model
    from merl.ckepe.generator import generate_prompts
    from merl.ckepe.prompt_set import PromptSet
    from merl.classifier import ZeroShotClassifier
    from merl.cli.demo_result import compare
    from merl.datasets.ptbxl import PTBXL
    from merl.embedding import embed_records
    from merl.files import check_outputs
    from merl.label_sets import load_label_set
    from merl.report.citing import with_knowledge
    from merl.report.page import save_report

    check_outputs(out_dir / "knowledge.yaml", out_dir / "report.html")
    if data is not None:
        PTBXL(data)  # both before a minute of work: is the data there, and the model?
    model = load_model()
    label_set = load_label_set(LABELS)
    _title("1. A label set nobody wrote prompts for")
    for code, item in label_set.classes.items():
        out().print(f"   {code:5} {item.name}", highlight=False)

    _title("2. Prompts from the knowledge base, every phrase with what it rests on")
    knowledge = generate_prompts(label_set).model_copy(update={"name": "knowledge"})
    knowledge.save(out_dir / "knowledge.yaml")
    _show_prompts(knowledge)

    _title("3. Scores of single ECGs (cosines, not probabilities)")
    examples = [_dicom_example(), *_one_of_each(label_set, data)]
    scores = ZeroShotClassifier(model, knowledge).decision_function(examples)
    _show_scores(label_set, [record.name for record in examples], scores)

    _title("4. Do the enriched prompts beat the plain class names?")
    with progress("scoring ECGs") as report:
        records, labels, patients, source = _labelled(label_set, data)
        embeddings = embed_records(model, records, progress=lambda done: report(done, len(labels)))
    sets = [PromptSet.plain(label_set), knowledge]
    dataset = "simulated ECGs" if data is None else "PTB-XL"
    result = compare(model, sets, records, embeddings, labels=labels, patients=patients, dataset=dataset)
    _show_comparison(result)
    out().print(f"   {source}", highlight=False)
    save_report(with_knowledge(result), out_dir / "report.html")
    out().print(
        f"   The prompts are in {out_dir / 'knowledge.yaml'}, and the whole comparison, to read in a browser,"
        f" in {out_dir / 'report.html'}. For research. Not a medical device.",
        highlight=False,
    )


def _title(text: str) -> None:
    out().print(f"\n{text}", style="bold")


def _show_prompts(prompt_set: PromptSet) -> None:
    from rich.table import Table

    from merl.knowledge.entries import load_entries, load_sources

    entries, sources = load_entries(), load_sources()
    table = Table("class", "phrase", "rests on", "published in", box=None)
    for code, item in prompt_set.classes.items():
        present = [phrase for phrase in item.prompts if phrase.polarity == "present"]
        for phrase in present[:1] + [phrase for phrase in present if phrase.role == "finding"][:3]:
            place = phrase.sources[0] if phrase.sources else "-"
            table.add_row(code, phrase.text, place, _published(place, entries, sources))
    out().print(table)
    kept = sum(len(item.prompts) for item in prompt_set.classes.values())
    rejected = [(code, line) for code, item in prompt_set.classes.items() for line in item.rejected]
    out().print(
        f"   {kept} phrases kept (a name and three findings of each shown), {len(rejected)} rejected",
        highlight=False,
    )
    for code, line in rejected[:3]:
        out().print(f"   rejected for {code}: {line.text!r}: {line.reason}", highlight=False, markup=False)


def _published(place: str, entries: Any, sources: Any) -> str:
    """The published source of a passage such as ``ecg:AFIB#findings/0``."""
    entry, _, part = place.removeprefix("ecg:").partition("#")
    kind, _, number = part.partition("/")
    if entry not in entries or kind not in {"definition", "findings", "absent"}:
        return "name of the entry" if entry in entries else "-"
    found = getattr(entries[entry], kind)
    source = sources[(found[int(number)] if number else found).source]
    return f"{source.reference.split('.')[0].split(',')[0]}, {source.year}"


def _dicom_example() -> ECGRecord:
    """The real 12-lead recording that pydicom carries as a test file."""
    from pydicom.data import get_testdata_file

    from merl.readers import read_record

    return read_record(str(get_testdata_file("waveform_ecg.dcm", download=False)))


def _one_of_each(label_set: LabelSet, data: Path | None) -> list[ECGRecord]:
    import numpy as np

    if data is None:
        return [_simulated(code, seed=100) for code in label_set.classes]
    from merl.readers import read_record

    paths, labels, _ = _real(label_set, data)
    alone = labels.sum(1) == 1
    found = (labels & alone[:, None]).any(0)
    if bare := [code for code, there in zip(label_set.classes, found, strict=True) if not there]:
        raise DataError(f"fold 9 in {data} has no record of {', '.join(bare)} alone; use PTB-XL unchanged")
    return [read_record(paths[int(np.flatnonzero(labels[:, c] & alone)[0])]) for c in range(labels.shape[1])]


def _show_scores(label_set: LabelSet, names: Sequence[str], scores: NDArray[np.float32]) -> None:
    from rich.table import Table

    table = Table("ECG", *label_set.classes, "highest", box=None)
    for name, row in zip(names, scores, strict=True):
        shown = f"{name} (real, from pydicom)" if name == "waveform_ecg" else name
        table.add_row(shown, *(f"{value:+.2f}" for value in row), list(label_set.classes)[int(row.argmax())])
    out().print(table)


def _labelled(
    label_set: LabelSet, data: Path | None
) -> tuple[list[ECGRecord], NDArray[np.bool_], NDArray[np.int64], str]:
    """Return records, labels (records, classes), patients and where the records come from."""
    import numpy as np

    if data is None:
        codes = list(label_set.classes)
        records = [_simulated(code, seed) for seed in range(_PER_CLASS) for code in codes]
        labels = np.tile(np.eye(len(codes), dtype=bool), (_PER_CLASS, 1))
        source = "These ECGs are simulated: an illustration, not a measurement (use --data for real records)."
        return records, labels, np.arange(len(records)), source
    from merl.readers import read_record

    paths, labels, patients = _real(label_set, data)
    source = (
        f"{len(paths)} real records of PTB-XL fold 9, up to {_PER_CLASS_REAL} of each class."
        " In distribution: the model was pretrained on folds 1-8."
    )
    return [read_record(path) for path in paths], labels, patients, source


def _simulated(code: str, seed: int) -> ECGRecord:
    import numpy as np

    from merl.simulation import Rhythm, simulate

    rng = np.random.default_rng(seed)
    rhythm = {
        "SLOW": Rhythm(heart_rate=rng.uniform(40, 52)),
        "FAST": Rhythm(heart_rate=rng.uniform(110, 135), pr=0.13),
        "AF": Rhythm(heart_rate=rng.uniform(75, 110), fibrillation=True),
        "AVB1": Rhythm(heart_rate=rng.uniform(62, 75), pr=rng.uniform(0.26, 0.32)),
        "WIDE": Rhythm(heart_rate=rng.uniform(62, 80), qrs=0.15, left_bundle_branch_block=True),
    }[code]
    return simulate(rhythm, seed=seed)


def _real(label_set: LabelSet, data: Path) -> tuple[list[Path], NDArray[np.bool_], NDArray[np.int64]]:
    """Choose the first records of each class of PTB-XL's fold 9 by the SCP codes of the knowledge entries."""
    from merl.ckepe.concepts import find_concepts
    from merl.datasets.ptbxl import PTBXL
    from merl.knowledge.index import KnowledgeIndex

    index = KnowledgeIndex.default()
    meant = [concept.entry for concept in find_concepts(label_set, index).values()]
    return _first_of_each(PTBXL(data), [_codes(entry, index.entries) if entry else set() for entry in meant])


def _codes(entry: Entry, entries: Mapping[str, Entry]) -> set[str]:
    """The SCP codes of a concept and of its kinds; PTB-XL labels only the kinds of some."""
    kinds = [kind for kind in entries.values() if entry.id in kind.is_a]
    return set(entry.codes.scp).union(*(_codes(kind, entries) for kind in kinds))


def _first_of_each(
    ptbxl: PTBXL, codes: list[set[str]]
) -> tuple[list[Path], NDArray[np.bool_], NDArray[np.int64]]:
    """Return paths, labels (records, classes) and patients; a record may be of several classes."""
    import numpy as np

    table = ptbxl.labelled([9])
    labels = np.array([[bool(wanted & found.keys()) for wanted in codes] for found in table["scp_codes"]])
    chosen = np.unique(np.concatenate([np.flatnonzero(column)[:_PER_CLASS_REAL] for column in labels.T]))
    paths = list(ptbxl.paths(table["filename"].iloc[chosen]))
    return paths, labels[chosen], table["patient_id"].to_numpy()[chosen]


def _show_comparison(result: Result) -> None:
    from rich.table import Table

    table = Table("prompts", "macro AUROC", "95 % interval", box=None)
    for item in result.prompt_sets:
        low, high = item.interval
        table.add_row(item.name, f"{item.macro_auroc:.3f}", f"{low:.3f} to {high:.3f}")
    (gap,) = result.comparisons
    low, high = gap.interval
    table.add_row("difference", f"{gap.difference:+.3f}", f"{low:+.3f} to {high:+.3f} (p {gap.p_value:.3f})")
    out().print(table)
