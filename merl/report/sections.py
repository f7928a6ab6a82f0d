"""What the report's page shows, read from a result: the summary, and a section for each class."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from merl.ckepe.prompt_set import ClassPrompts, Phrase, Rejected
from merl.evaluation.evidence import Evidence, Example, Remark
from merl.evaluation.result import ClassDifference, ClassResult, Comparison, Result
from merl.report.charts import PALETTE, forest, spread
from merl.report.ecg_paper import draw_kept, figure_svg
from merl.report.inline import ecg_svg, same_again, themed
from merl.report.standings import SetRow, Table, set_rows, tables
from merl.report.verdict import LEVEL, Verdict, judge

_GROUPS = (
    ("name", "Names"),
    ("synonym", "Synonyms"),
    ("subtype", "Kinds of it"),
    ("finding", "Findings"),
    ("criterion", "Criteria"),
)
_EXAMPLES = (
    ("best", "Scored highest of those with the class"),
    ("worst", "Scored lowest of those with the class"),
    ("mistaken", "Scored highest of those without it"),
)
PRINTED_HEIGHT = 168.0  # millimetres that an ECG has on a printed page, as in report.css


@dataclass(frozen=True)
class Summary:
    """The first screen.

    Attributes:
        verdict: who wins.
        rows: the prompt sets, controls last.
        tables: their macro figures.
        forests: the verdict's pair drawn wide and narrow; empty without one.
        others: the same of further prompt sets, by name.
        numbers: of the cited passages, in the order in which they are met.
        remarks: what the linter says of whole prompt sets, by their names.
    """

    verdict: Verdict
    rows: list[SetRow]
    tables: list[Table]
    forests: list[Markup]
    others: dict[str, list[Markup]]
    numbers: dict[str, int]
    remarks: dict[str, Sequence[Remark]]


@dataclass(frozen=True)
class Line:
    """A phrase with what the linter says of it."""

    phrase: Phrase | Rejected
    remarks: Sequence[Remark] = ()


@dataclass(frozen=True)
class Column:
    """One prompt set in a class's section."""

    name: str
    colour: str
    figures: ClassResult
    groups: list[tuple[str, list[Line]]] = field(default_factory=list)
    rejected: Sequence[Rejected] = ()
    remarks: Sequence[Remark] = ()
    linted: bool = False  # whether the linter was asked
    faultless: bool = False  # and had nothing to say
    spread: Markup | None = None
    threshold: float | None = None


@dataclass(frozen=True)
class Shown:
    """An ECG of a class; ``printed`` is its size on A4 as a share of the true one."""

    example: Example
    drawing: Markup
    printed: float


@dataclass(frozen=True)
class Section:
    """All that is shown of one class."""

    number: int
    code: str
    name: str
    positives: int
    note: str | None
    gap: ClassDifference | None
    better: str  # the colour of the set that is beyond chance better, if any
    columns: list[Column]
    ecgs: list[tuple[str, list[Shown]]]


def summarise(result: Result) -> Summary:
    """Gather what the first screen shows."""
    verdict = judge(result)
    rows = set_rows(result, verdict)
    drawn = {
        row.pair.b: _forests(result, row.pair, f"forest-{number}")
        for number, row in enumerate(rows)
        if row.pair and not row.control
    }
    return Summary(
        verdict=verdict,
        rows=rows,
        tables=tables(result, rows),
        forests=drawn.pop(verdict.pair.b) if verdict.pair else [],
        others=drawn,
        numbers=_number(result.evidence) if result.evidence else {},
        remarks={
            name: (item.remarks or {}).get("", ())
            for name, item in (result.evidence.prompt_sets.items() if result.evidence else ())
        },
    )


def read_sections(result: Result, summary: Summary) -> list[Section]:
    """Gather a section for each class, in the order of the label set.

    Raises:
        DataError: an ECG in the result is damaged.
    """
    drawn: dict[str, tuple[Markup, float]] = {}
    pair = summary.verdict.pair
    sections = []
    for number, (code, first) in enumerate(result.prompt_sets[0].per_class.items(), 1):
        gap = pair.per_class.get(code) if pair else None
        sure = gap is not None and gap.p_holm < LEVEL
        sections.append(
            Section(
                number=number,
                code=code,
                name=first.name,
                positives=first.positives,
                note=first.note,
                gap=gap,
                better=("b" if gap.difference > 0 else "a") if gap and sure else "",
                columns=[
                    _column(row, code, result.evidence, f"scores-{number}-{place}")
                    for place, row in enumerate(summary.rows)
                    if not row.control
                ],
                ecgs=_ecgs(code, result.evidence, drawn) if result.evidence else [],
            )
        )
    return sections


def _forests(result: Result, pair: Comparison, name: str) -> list[Markup]:
    positives = {code: item.positives for code, item in result.prompt_sets[0].per_class.items()}
    label = f"Forest plot: difference in AUROC by class, {pair.b} minus {pair.a}. The classes below list it."
    theme = {colour: name for name, colour in PALETTE.items()}
    return [
        themed(figure_svg(forest(pair, positives, narrow=narrow)), theme, label, f"{name}-{size}")
        for size, narrow in (("wide", False), ("narrow", True))
    ]


def _number(evidence: Evidence) -> dict[str, int]:
    met = (
        place
        for code in evidence.examples
        for item in evidence.prompt_sets.values()
        for place in item.classes[code].cited
    )
    return {place: number for number, place in enumerate(dict.fromkeys(met), 1)}


def _column(row: SetRow, code: str, evidence: Evidence | None, chart_name: str) -> Column:
    name, figures = row.item.name, row.item.per_class[code]
    made = evidence.prompt_sets.get(name) if evidence else None
    if made is None:
        return Column(name, row.colour, figures)
    prompts, remarks = made.classes[code], (made.remarks or {}).get(code, ())
    said = {phrase.text for phrase in prompts.prompts}
    theme = {colour: key for key, colour in PALETTE.items()}
    label = f"Scores of {code} under {name}: ECGs with the class and without it"
    chart = figure_svg(spread(made.scores[code], row.colour, threshold=row.threshold(code)))
    return Column(
        name=name,
        colour=row.colour,
        figures=figures,
        groups=list(_grouped(prompts, remarks)),
        rejected=prompts.rejected,
        remarks=[remark for remark in remarks if remark.text not in said],
        linted=made.remarks is not None,
        faultless=made.remarks is not None and not remarks,
        spread=themed(chart, theme, label, chart_name),
        threshold=row.threshold(code),
    )


def _grouped(prompts: ClassPrompts, remarks: Sequence[Remark]) -> Iterator[tuple[str, list[Line]]]:
    """The phrases by role, those that speak against the class last."""
    by_text = defaultdict(list)
    for remark in remarks:
        by_text[remark.text].append(remark)
    lines = [Line(phrase, by_text[phrase.text]) for phrase in prompts.prompts]
    for role, title in _GROUPS:
        if found := [x for x in lines if x.phrase.role == role and x.phrase.polarity == "present"]:
            yield title, found
    if against := [line for line in lines if line.phrase.polarity == "absent"]:
        yield "Speak against it", against


def _ecgs(
    code: str, evidence: Evidence, drawn: dict[str, tuple[Markup, float]]
) -> list[tuple[str, list[Shown]]]:
    groups = []
    for kind, title in _EXAMPLES:
        examples = getattr(evidence.examples[code], kind)
        if examples:
            groups.append(
                (title, [Shown(item, *_drawing(item.record, evidence, drawn)) for item in examples])
            )
    return groups


def _drawing(name: str, evidence: Evidence, drawn: dict[str, tuple[Markup, float]]) -> tuple[Markup, float]:
    """Draw an ECG, the second time as a copy of the first, and tell how large it is printed."""
    if name in drawn:
        return same_again(drawn[name][0]), drawn[name][1]
    wave = evidence.ecgs[name]
    label = f"ECG {name} on paper of 25 mm/s and 10 mm/mV, leads {', '.join(wave.leads)}"
    figure = draw_kept(wave, name)
    printed = min(1, PRINTED_HEIGHT / (figure.get_figheight() * 25.4))
    drawn[name] = ecg_svg(figure, label, f"ecg-{len(drawn) + 1}"), printed
    return drawn[name]
