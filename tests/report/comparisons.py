"""Comparisons to report on: scores drawn by seed, prompts written here, ECGs simulated."""

from pathlib import Path

import numpy as np

from merl.ckepe.prompt_set import ClassPrompts, Generator, Phrase, PromptSet, Rejected, prompt_set_sha256
from merl.datasets.tasks import TaskData
from merl.evaluation.comparison import comparisons, measure, prompt_set_result
from merl.evaluation.evidence import Cited, Published, Remark
from merl.evaluation.examples import gather_evidence
from merl.evaluation.result import Bootstrap, Checkpoint, Result
from merl.simulation import Rhythm, simulate

#: What may not come out of any text as markup.
HOSTILE = "<script>alert(1)</script> \"'& $x_1$ </style>"
RECORDS = 40


def make_prompts(name, classes, phrases, *, kind="ckepe", hostile=False):
    """Prompts for ``classes``, so many ``phrases`` each, every one citing two passages."""
    made = {}
    for code in classes:
        roles = ["name", "synonym", "subtype", *["finding"] * phrases]
        prompts = [
            Phrase(
                text=f"{roles[i]} {i} of {code} in {name}{' ' + HOSTILE if hostile else ''}",
                role=roles[i],
                polarity="absent" if i and i == phrases - 1 else "present",
                sources=() if kind == "plain" else (f"ecg:{code}#findings/{i}", f"ecg:{code}#absent/{i}"),
            )
            for i in range(phrases)
        ]
        thrown = Rejected(text=f"martian rhythm {HOSTILE if hostile else ''}", reason=f"no passage of {code}")
        rejected = () if kind == "plain" else (thrown,)
        made[code] = ClassPrompts(name=f"class {code}", prompts=prompts, rejected=rejected)
    return PromptSet(label_set="toy", generator=Generator(kind=kind), classes=made, name=name)


def compare(classes, skills, *, phrases=4, evidence=True, hostile=False):
    """A result of prompt sets by name, each as good as its skill: 0 is chance.

    ``shuffled`` is a control that was added, ``template`` one that was given as a prompt set.
    """
    rng = np.random.default_rng(0)
    labels = rng.random((RECORDS, len(classes))) < 0.4
    noise = rng.normal(size=labels.shape)  # the same for all sets, so that small differences are sure
    scores = {name: 0.1 * (skill * labels + noise) for name, skill in skills.items()}
    patients = np.arange(RECORDS)
    kinds = {"plain": "plain", "shuffled": "control", "template": "control"}
    sets = [
        make_prompts(
            name,
            classes,
            1 if name == "plain" else phrases,
            kind=kinds.get(name, "ckepe"),
            hostile=hostile,
        )
        for name in skills
    ]
    measured = measure(scores, labels, patients, classes, resamples=200)
    records = TaskData(
        task="toy",
        dataset="Toy data",
        split="val",
        classes=tuple(classes),
        labels=labels,
        patients=patients,
        split_patients=patients,
        names=tuple(f"ecg {i} {HOSTILE}" if hostile else f"ecg{i}" for i in range(RECORDS)),
        paths=tuple(Path(str(i)) for i in range(RECORDS)),
        rows=patients,
        reader=lambda _, row: simulate(Rhythm(), sampling_rate=100, seed=row),
    )
    found = None
    if evidence:
        given = [item for item in sets if item.name != "shuffled"]  # as merl evaluate does with --controls
        kept = {item.name: scores[item.name] for item in given}
        found = _told(gather_evidence(given, kept, records, examples_by=given[-1].name), hostile)
    return Result(
        task="toy",
        dataset="Toy data",
        split="val",
        n_records=RECORDS,
        n_patients=RECORDS,
        prompt_sets=[
            prompt_set_result(
                measured,
                item.name,
                sha256=prompt_set_sha256(item),
                class_names={code: entry.name for code, entry in item.classes.items()},
                control="its classes shuffled" if item.name == "shuffled" else None,
            )
            for item in sets
        ],
        comparisons=comparisons(measured),
        checkpoint=Checkpoint(name="tiny", sha256="f" * 64, training="Toy data", in_distribution=True),
        bootstrap=Bootstrap(resamples=200),
        seeds={"bootstrap": 0},
        versions={"merl": "0"},
        evidence=found,
    )


def _told(evidence, hostile):
    """Evidence with a passage for every citation and an error on every class, as the knowledge gives them."""
    more = f" {HOSTILE}" if hostile else ""
    keys = {
        key for item in evidence.prompt_sets.values() for made in item.classes.values() for key in made.cited
    }
    passages = {
        key: Cited(
            concept=f"concept{more}",
            kind="finding",
            text=f"passage {key}{more}",
            source="book",
            place="p. 1",
            source_checked=False,
        )
        for key in keys
    }
    sets = {
        name: item.model_copy(
            update={
                "remarks": {
                    code: (
                        Remark(
                            kind="number",
                            severity="error",
                            text=made.prompts[0].text,
                            message=f"says too much{more}",
                        ),
                        Remark(
                            kind="no-knowledge", severity="warning", text=None, message=f"is not known{more}"
                        ),
                    )
                    for code, made in item.classes.items()
                }
            }
        )
        for name, item in evidence.prompt_sets.items()
    }
    sources = {"book": Published(title=f"A book{more}", year=2000, reference=f"Author{more}", doi="10.1/x")}
    return evidence.model_copy(update={"prompt_sets": sets, "passages": passages, "sources": sources})
