"""How prompt sets score, how their phrases are combined best, and what they have to beat.

    python benchmarks/prompts.py PTB-XL [--official CKEPE_prompt.json] [--checkpoint NAME] [--write]

Fold 9, all four tasks: macro AUROC x100 and the mean over the tasks, with 95 % intervals and differences
paired by patient, drawn for all tasks together. Labels are read to compare, so what is chosen here looks a
little better here. ``--write`` puts the tables into benchmarks/prompts.md.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from merl.checkpoints import load_model
from merl.ckepe.control_sets import random_words, shuffled
from merl.ckepe.controls import make_controls
from merl.ckepe.importing import import_prompts
from merl.ckepe.prompt_set import PromptSet
from merl.ckepe.repairing import repair
from merl.datasets.tasks import TASKS, TaskData, load_task
from merl.errors import PromptError
from merl.evaluation.bootstrap import resample_weights
from merl.evaluation.embeddings import record_embeddings
from merl.evaluation.intervals import Spread, difference_test, insignificant, share_interval, spread
from merl.evaluation.metrics import Floats, auroc, macro
from merl.files import content_dir, write_text
from merl.findings import findings
from merl.knowledge.index import KnowledgeIndex
from merl.measurements import Measurements
from merl.zeroshot import ENSEMBLES, embed_prompts

PTBXL = [name for name in TASKS if name.startswith("ptbxl")]
PAGE = Path(__file__).with_name("prompts.md")
WEIGHTS = (0.0, 0.1, 0.25)
CONTRASTS = (0.0, 0.25, 0.5, 0.75, 1.0)
SEEDS = range(3)
Sets = Mapping[str, PromptSet]  # by task


@dataclass(frozen=True)
class Row:
    """One way to score: per task its AUROC, (classes,), and its draws, (resamples, classes)."""

    values: list[Floats]
    draws: list[Floats]


class Bench:
    """The records of all tasks with one model, and one bootstrap of their patients."""

    def __init__(self, data: str, checkpoint: str, resamples: int, seed: int = 0) -> None:
        self.model = load_model(checkpoint)
        self.tasks = {name: load_task(name, data, "val") for name in PTBXL}
        self.ecgs = {
            name: record_embeddings(self.model, task).rows.astype(np.float64)
            for name, task in self.tasks.items()
        }
        names = sorted({name for task in self.tasks.values() for name in task.names})
        self.places = {key: np.searchsorted(names, task.names) for key, task in self.tasks.items()}
        patients = np.zeros(len(names), np.int64)
        for key, task in self.tasks.items():
            patients[self.places[key]] = task.patients
        resampled = resample_weights(patients, resamples, seed, records=len(names))
        self.weights = np.concatenate(list(resampled), axis=1).astype(np.float32)  # (records, resamples)

    def score(self, sets: Sets, *, drawn: bool = True, **scoring: object) -> Row:
        values, draws = [], []
        for key, task in self.tasks.items():
            embedded = embed_prompts(self.model, sets[key], **scoring)
            codes = list(sets[key].classes)
            scores = embedded.score(self.ecgs[key])[:, [codes.index(code) for code in task.classes]]
            values.append(auroc(scores, task.labels))
            if drawn:
                weights = self.weights[self.places[key]]
                columns = zip(scores.T, task.labels.T, strict=True)
                draws.append(np.stack([_weighted_auroc(*column, weights) for column in columns], axis=1))
        return Row(values, draws)

    def cells(self, row: Row, base: Row | None = None) -> str:
        """Macro AUROC of each task, their mean with its interval, and the difference from another row."""
        parts = [
            f"{100 * macro(values, task.labels.sum(0)):.1f}"
            for values, task in zip(row.values, self.tasks.values(), strict=True)
        ]
        mean, of = self._mean(row, [np.zeros(len(values)) for values in row.values])
        low, high = share_interval(mean, of)
        parts.append(f"{100 * mean:.1f} ({100 * low:.1f}-{100 * high:.1f})")
        if base is row:
            parts.append("")
        elif base is not None:
            pairs = zip(row.values, base.values, row.draws, base.draws, strict=True)
            gaps = [(one - two, first - second) for one, two, first, second in pairs]
            row = Row([item[0] for item in gaps], [item[1] for item in gaps])
            gap, of = self._mean(row, [insignificant(values) for values in row.values])
            (low, high), p = difference_test(gap, of)
            parts.append(f"{100 * gap:+.1f} ({100 * low:+.1f} to {100 * high:+.1f}), p {p:.3f}")
        return " | ".join(parts)

    def _mean(self, row: Row, least: Sequence[Floats]) -> tuple[float, Spread]:
        """Average the macro means of the tasks, and describe how far that strays."""
        means, parts, patients, shares, floor = [], [], [], [], []
        for values, drawn, low, task in zip(row.values, row.draws, least, self.tasks.values(), strict=True):
            scored = np.isfinite(values)
            means.append(values[scored].mean())
            parts.append(drawn[:, scored])
            patients.append(_rarer(task)[scored])
            floor.append(low[scored])
            shares.append(np.full(scored.sum(), 1 / len(self.tasks) / scored.sum()))
        every = spread(
            np.hstack(parts), np.concatenate(patients), np.concatenate(shares), least=np.concatenate(floor)
        )
        return float(np.mean(means)), every


def _weighted_auroc(scores: Floats, labels: np.ndarray, weights: np.ndarray) -> Floats:
    """RankedClass.auroc by a matrix product: whole numbers in float32 are exact, and it is ten times faster.

    Weights have shape (records, resamples); returns (resamples,).
    """
    above = np.sign(scores[labels][:, None] - scores[~labels][None, :])  # (positives, negatives)
    wins = ((above + 1) / 2).astype(np.float32)
    one, other = weights[labels], weights[~labels]
    won = np.einsum("pw,pw->w", one, wins @ other, dtype=np.float64)
    pairs = one.sum(0, dtype=np.float64) * other.sum(0, dtype=np.float64)
    return np.divide(won, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)


def _rarer(task: TaskData) -> np.ndarray:
    sides = [(task.patients[labels], task.patients[~labels]) for labels in task.labels.T]
    return np.array([min(len(set(one)), len(set(other))) for one, other in sides])


def shipped(name: str) -> Sets | None:
    folder = content_dir("prompts") / "sets"
    there = all((folder / key / f"{name}.yaml").is_file() for key in PTBXL)
    return {key: PromptSet.find(name, key) for key in PTBXL} if there else None


def ensembles(bench: Bench) -> Iterator[str]:
    """Every way to combine phrases, for the shipped sets; a plain set has one phrase and nothing against."""
    yield "| prompts | ensemble | absent | super | sub | form | rhythm | mean (95 %) | against mean, 0 |"
    yield "|---|---|---|---|---|---|---|---|---|"
    plain = shipped("plain")
    assert plain is not None
    yield f"| plain | any | any | {bench.cells(bench.score(plain))} | |"
    for name in ("knowledge", "ckepe"):
        if (sets := shipped(name)) is None:
            continue
        base = bench.score(sets)
        for ensemble in ENSEMBLES:
            for weight in WEIGHTS:
                default = (ensemble, weight) == ("mean", 0.0)
                try:
                    row = base if default else bench.score(sets, ensemble=ensemble, absent_weight=weight)
                    cells = bench.cells(row, base)
                except PromptError as problem:
                    cells = f"refused: {problem} | | | | |"
                yield f"| {name} | {ensemble} | {weight:g} | {cells} |"


def in_other_words(prompt_set: PromptSet) -> PromptSet:
    """Leave out the phrases that are, word for word, findings which training measures on waveforms."""
    met = {finding.text for finding in findings(Measurements.stack([Measurements.of({})]))}
    classes = {
        code: item.model_copy(
            update={"prompts": tuple(phrase for phrase in item.prompts if phrase.text.lower() not in met)}
        )
        for code, item in prompt_set.classes.items()
    }
    return prompt_set.model_copy(update={"classes": classes})


def contrasts(bench: Bench) -> Iterator[str]:
    """The shipped sets with each contrast, against the plain names with the same one."""
    yield "| contrast | prompts | super | sub | form | rhythm | mean (95 %) | against plain, same contrast |"
    yield "|---|---|---|---|---|---|---|---|"
    sets = {name: found for name in ("plain", "knowledge", "ckepe") if (found := shipped(name)) is not None}
    for contrast in CONTRASTS:
        rows = {name: bench.score(found, contrast=contrast) for name, found in sets.items()}
        for name, row in rows.items():
            yield f"| {contrast:g} | {name} | {bench.cells(row, rows['plain'])} |"


def controls(bench: Bench, official: str | None) -> Iterator[str]:
    """The shipped sets and what they have to beat, each against the plain names."""
    index = KnowledgeIndex.default()
    made = {key: make_controls(key, index=index) for key in PTBXL}
    rows: dict[str, Sets] = {"plain": {key: sets["plain"] for key, sets in made.items()}}
    for name in ("template", "mets", "shuffled", "random-words"):
        rows[name] = {key: sets[name] for key, sets in made.items()}
    if official:
        for name, joined in (("official, joined", True), ("official, split", False)):
            rows[name] = {key: import_prompts(official, key, joined=joined).prompt_set for key in PTBXL}
        split = rows["official, split"]
        rows["official, repaired"] = {key: repair(split[key], index=index) for key in PTBXL}
    for name in ("knowledge", "ckepe"):
        if (sets := shipped(name)) is not None:
            rows[name] = sets
            rows[f"{name}, in other words"] = {key: in_other_words(one) for key, one in sets.items()}
    scored: dict[str, Row] = {}
    yield "| prompts | super | sub | form | rhythm | mean (95 %) | against plain |"
    yield "|---|---|---|---|---|---|---|"
    for name, sets in rows.items():
        scored[name] = bench.score(sets)
        yield f"| {name} | {bench.cells(scored[name], scored['plain'])} |"
    knowledge = shipped("knowledge")
    assert knowledge is not None
    yield ""
    for name, make in (("shuffled", shuffled), ("random-words", random_words)):
        means = []
        for seed in SEEDS:
            row = bench.score({key: make(knowledge[key], seed) for key in PTBXL}, drawn=False)
            means.append(100 * float(np.mean([np.nanmean(values) for values in row.values])))
        said = ", ".join(f"{mean:.1f}" for mean in means)
        yield f"Mean of {name} with seeds {SEEDS.start} to {SEEDS.stop - 1}: {said}."
    if official:
        yield ""
        yield f"Knowledge against official, joined: {_gap(bench, scored, 'official, joined')};"
        yield f"against official, split: {_gap(bench, scored, 'official, split')}."


def _gap(bench: Bench, scored: Mapping[str, Row], base: str) -> str:
    return bench.cells(scored["knowledge"], scored[base]).split(" | ")[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="PTB-XL's folder")
    parser.add_argument("--official", help="MERL's CKEPE_prompt.json")
    parser.add_argument("--checkpoint", default="ptbxl-r18-100hz")
    parser.add_argument("--bootstrap", type=int, default=1000)
    parser.add_argument("--write", action="store_true", help="put the tables into benchmarks/prompts.md")
    given = parser.parse_args()
    bench = Bench(given.data, given.checkpoint, given.bootstrap)
    about = (
        f"Checkpoint {bench.model.name}, weights {str(bench.model.sha256)[:12]}; {given.bootstrap} resamples."
    )
    tables = {}
    parts = {
        "ensembles": ensembles(bench),
        "contrasts": contrasts(bench),
        "controls": controls(bench, given.official),
    }
    for name, rows in parts.items():
        lines = [about, ""]
        print(f"\n{name}\n")
        for line in rows:  # shown as they are measured
            print(line, flush=True)
            lines.append(line)
        tables[name] = "\n".join(lines)
    if given.write:
        page = PAGE.read_text(encoding="utf-8")
        for name, table in tables.items():
            marks = rf"(<!-- {name} -->\n).*?(<!-- end -->)"
            page = re.sub(
                marks, lambda found, table=table: f"{found[1]}{table}\n{found[2]}", page, flags=re.DOTALL
            )
        write_text(PAGE, page)


if __name__ == "__main__":
    main()
