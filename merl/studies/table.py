"""The table of a study: a row for each model, evaluation and group of classes."""

from __future__ import annotations

from merl.evaluation.result import Estimate, PromptSetResult
from merl.studies.result import Score, StudyResult
from merl.studies.truth import UNSEEN

_AXES = {
    "encoder": "ECG encoder",
    "text": "text encoder",
    "share": "share",
    "start": "start",
    "texts": "reports",
}
_DECISIONS = ("accuracy", "precision", "recall", "f1")


def table(result: StudyResult) -> tuple[list[str], list[list[str]]]:
    """Lay a study out: headings, and rows of as many cells. AUROC and all shares are in percent.

    Axes on which all models agree are left out.
    """
    varied = _varied(result)
    decided = any(score.figures and score.figures.nearest for row in result.rows for score in row.scores)
    headings = ["model", *(_AXES[axis] for axis in varied), "trained on", "epochs", "scored on", "classes"]
    headings += ["n", "AUROC", "AUROC (10+)", "average precision"]
    headings += list(_DECISIONS) if decided else []
    lines = [
        [
            row.method,
            *(row.axes[axis] for axis in varied),
            f"{row.n_training:,}",
            str(row.epochs),
            *_score(score, decided=decided),
        ]
        for row in result.rows
        for score in row.scores
    ]
    return headings, lines


def markdown(result: StudyResult) -> str:
    """Write the table and what a reader must know beside it as Markdown."""
    headings, lines = table(result)
    right = [heading in {"trained on", "epochs", "n"} for heading in headings]
    parts = [*_markdown(headings, lines, right), "", *notes(result)]
    if by_class := unseen_classes(result):
        parts += ["", *_markdown(*by_class, [False] * len(by_class[0]))]
    return "\n".join(parts) + "\n"


def unseen_classes(result: StudyResult) -> tuple[list[str], list[list[str]]] | None:
    """Lay out the AUROC of each unseen class on the first evaluation by concept; ``None`` without one."""
    evaluation = next((score.evaluation for score in result.rows[0].scores if score.group == UNSEEN), None)
    found = {
        ", ".join([row.method, *(row.axes[axis] for axis in _varied(result))]): score.figures.per_class
        for row in result.rows
        for score in row.scores
        if (score.evaluation, score.group) == (evaluation, UNSEEN) and score.figures
    }
    if evaluation is None or not found:
        return None
    lines = [
        [
            each.name,
            str(each.positives),
            *(_share(row[code].auroc, row[code].interval) for row in found.values()),
        ]
        for code, each in next(iter(found.values())).items()
    ]
    return [f"unseen class, {evaluation}", "positives", *found], lines


def _varied(result: StudyResult) -> list[str]:
    """Return the axes of the study that have several values; a classifier, which has no text, is no cell."""
    cells = [row for row in result.rows if row.sha256]
    return [axis for axis in _AXES if len({row.axes[axis] for row in cells}) > 1]


def _markdown(headings: list[str], lines: list[list[str]], right: list[bool]) -> list[str]:
    return [
        f"| {' | '.join(headings)} |",
        f"|{'|'.join('---:' if each else '---' for each in right)}|",
        *(f"| {' | '.join(line)} |" for line in lines),
    ]


def notes(result: StudyResult) -> list[str]:
    """Say what the figures are, what was withheld, and which classes are in no group."""
    said = [
        "In percent, with 95 % intervals by patients; (10+): the classes with ten positives or more."
        " Zero-shot models were told no label; the classifiers were."
    ]
    if any(score.figures and score.figures.nearest for row in result.rows for score in row.scores):
        said.append(
            "Accuracy, precision, recall and F1 are of the class with the highest score, on the records with"
            " exactly one class; the last three are means over classes."
        )
    for share, account in result.withheld.items():
        before = ", ".join(f"{code} {count}" for code, count in account.named_before.items())
        said.append(
            f"Withheld at share {share}: {account.statements:,} of {account.statements_in_all:,} statements"
            f" of {account.reports:,} reports, {account.emptied} of which are left with nothing and are not"
            f" trained on. Reports that named each unseen class before: {before}. After: none in any of the"
            f" {account.texts:,} texts that training draws from, all of which were searched."
        )
    if result.classes:
        said.append(f"Unseen: {', '.join(result.classes.unseen.values())}.")
        said.append(f"Seen: {', '.join(result.classes.seen.values())}.")
        said.append(
            "Neither: " + "; ".join(f"{code} {why}" for code, why in result.classes.neither.items()) + "."
        )
    return said


def _score(score: Score, *, decided: bool) -> list[str]:
    found = score.figures
    words = [score.evaluation, f"{score.n_classes} {score.group}", f"{score.n_records:,}"]
    if found is None:
        return [*words, *["-"] * (3 + len(_DECISIONS) * decided)]
    words += [
        _share(found.macro_auroc, found.interval),
        _share(found.macro_auroc_min10, found.interval_min10),
        _share(found.macro_average_precision, found.average_precision_interval),
    ]
    return words + (_decisions(found) if decided else [])


def _decisions(found: PromptSetResult) -> list[str]:
    if found.nearest is None:
        return ["-"] * len(_DECISIONS)
    estimates: list[Estimate] = [getattr(found.nearest, name) for name in _DECISIONS]
    return [_share(each.value, each.interval) for each in estimates]


def _share(value: float | None, interval: tuple[float, float] | None) -> str:
    if value is None or interval is None:
        return "-"
    return f"{100 * value:.1f} [{100 * interval[0]:.1f}, {100 * interval[1]:.1f}]"
