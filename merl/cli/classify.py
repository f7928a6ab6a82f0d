"""``merl classify``: prompts against one's own ECGs."""

from __future__ import annotations

from typing import Annotated

import typer

from merl.cli.console import out, print_json
from merl.cli.scoring_options import DEFAULT_MODEL, AbsentWeight, Checkpoint, Ensemble, HowCombined
from merl.errors import RecordError


def classify(
    records: Annotated[
        list[str], typer.Argument(help="ECG files: WFDB, Challenge .mat, CPSC2018 .mat, DICOM.")
    ],
    *,
    prompts: Annotated[
        str, typer.Option(help="A prompt file, or a shipped set such as ptbxl-rhythm/knowledge.")
    ],
    checkpoint: Checkpoint = DEFAULT_MODEL,
    ensemble: HowCombined = Ensemble.mean,
    absent_weight: AbsentWeight = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Score ECGs against the prompts of each class; scores are cosines, not probabilities."""
    from rich.table import Table

    from merl.checkpoints import load_model
    from merl.ckepe.prompt_set import PromptSet
    from merl.classifier import ZeroShotClassifier
    from merl.readers import read_record

    prompt_set = PromptSet.find(prompts)
    model = load_model(checkpoint)
    read, problems = [], []
    for path in records:
        try:
            record = read_record(path)
            model.spec.windows(record)
        except RecordError as problem:
            problems.append(str(problem))
        else:
            read.append((path, record))
    if problems:
        raise RecordError("; ".join(problems))
    scorer = ZeroShotClassifier(model, prompt_set, ensemble=ensemble.value, absent_weight=absent_weight)
    scores = scorer.decision_function([record for _, record in read])
    codes = list(prompt_set.classes)
    if as_json:
        rows = ({code: round(float(s), 6) for code, s in zip(codes, row, strict=True)} for row in scores)
        print_json([{"record": path, "scores": row} for (path, _), row in zip(read, rows, strict=True)])
        return
    for (path, record), row in zip(read, scores, strict=True):
        leads = f"{len(record.leads)} leads, {record.seconds:g} s at {record.sampling_rate:g} Hz"
        print(f"{path} ({leads})")  # not the table's title, which would break a long path
        table = Table("class", "name", "score" if absent_weight else "cosine", box=None)
        for position in row.argsort()[::-1]:
            table.add_row(codes[position], prompt_set.classes[codes[position]].name, f"{row[position]:+.3f}")
        out().print(table, "")
    less = f", less {absent_weight:g} of that with prompts against the class," if absent_weight else ","
    print(
        f"Scores are cosines between ECG and prompts{less} not probabilities."
        " For research. Not a medical device."
    )
