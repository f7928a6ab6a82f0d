import csv
import re
import xml.etree.ElementTree as ET

import pytest

from merl.evaluation.result import Decisions, Probabilities
from merl.report.exports import export
from tests.report.comparisons import compare


def rows(path):
    with path.open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("figures")
    result = compare(["A/1", "B"], {"plain": 0.5, "mine": 3, "template": 0}, hostile=True)
    return result, folder, export(result, folder)


def test_tables_carry_the_figures_unrounded(folder):
    result, place, _ = folder
    mine = result.prompt_sets[1]
    (row,) = [row for row in rows(place / "prompt_sets.csv") if row["prompt_set"] == "mine"]
    assert float(row["macro_auroc"]) == mine.macro_auroc
    assert float(row["macro_auroc_high"]) == mine.interval[1]
    (row,) = [
        row for row in rows(place / "classes.csv") if (row["prompt_set"], row["class"]) == ("mine", "A/1")
    ]
    assert float(row["average_precision"]) == mine.per_class["A/1"].average_precision
    pair = result.comparisons[0]
    found = {
        (row["figure"], row["class"]): row
        for row in rows(place / "differences.csv")
        if (row["a"], row["b"]) == ("plain", "mine")
    }
    for figure, gaps in (("auroc", pair), ("average_precision", pair.average_precision)):
        assert float(found[figure, "(all)"]["difference"]) == gaps.difference
        assert float(found[figure, "(10 positives or more)"]["p"]) == gaps.p_value_min10
        assert float(found[figure, "B"]["p_holm"]) == gaps.per_class["B"].p_holm


def test_decisions_and_probabilities_are_a_table(tmp_path):
    one = {"value": 0.5, "interval": (0.4, 0.6)}
    decided = Decisions(n_records=9, accuracy=one, precision=one, recall=one, f1=one, per_class={})
    known = Probabilities(brier=0.1, brier_of_rate=0.2, calibration_error=0.3, per_class={})
    result = compare(["A"], {"mine": 1}, evidence=False)
    (item,) = result.prompt_sets
    item = item.model_copy(update={"thresholded": decided, "probabilities": known})
    export(result.model_copy(update={"prompt_sets": [item]}), tmp_path)
    found = {(row["by"], row["figure"]): row for row in rows(tmp_path / "decisions.csv")}
    assert found["threshold", "f1"] == {
        **{"prompt_set": "mine", "by": "threshold", "figure": "f1"},
        **{"value": "0.5", "low": "0.4", "high": "0.6"},
    }
    assert float(found["probability", "brier_of_rate"]["value"]) == 0.2


def test_no_figure_takes_the_place_of_another(tmp_path):
    written = export(compare(["A/1", "A 1", "a-1"], {"mine": 1}), tmp_path)
    names = sorted(path.name for path in written if path.parent.name == "scores")
    assert names == ["A-1-mine-2.svg", "A-1-mine.svg", "a-1-mine-3.svg"]
    assert sorted(written) == sorted(path for path in tmp_path.rglob("*") if path.is_file())


def test_no_spreadsheet_runs_what_is_text(tmp_path):
    result = compare(["=HYPERLINK(1)", "-x"], {"@mine": 3, "plain": 0.5})
    export(result, tmp_path)
    for table in ("classes", "phrases", "differences", "prompt_sets"):
        with (tmp_path / f"{table}.csv").open(newline="", encoding="utf-8") as handle:
            cells = [cell for row in csv.reader(handle) for cell in row]
        assert "'@mine" in cells
        assert all(re.fullmatch(r"-[\d.e-]+", cell) for cell in cells if cell[:1] in {*"=+-@"})
    assert any(float(row["difference"]) < 0 for row in rows(tmp_path / "differences.csv"))


def test_phrases_are_written_as_they_are(folder):
    result, place, _ = folder
    found = [row for row in rows(place / "phrases.csv") if row["prompt_set"] == "mine"]
    kept = result.evidence.prompt_sets["mine"].classes["A/1"].prompts[0]
    assert found[0]["text"] == kept.text
    assert found[0]["sources"].split(" ") == list(kept.sources)
    assert {row["reason"] for row in found if row["kept"] == "no"} == {"no passage of A/1", "no passage of B"}


def test_every_figure_is_an_svg_of_its_own(folder):
    result, place, written = folder
    assert sorted(written) == sorted(path for path in place.rglob("*") if path.is_file())
    names = {path.relative_to(place).as_posix() for path in written}
    assert {"difference-mine-plain.svg", "scores/A-1-mine.svg", "scores/B-template.svg"} <= names
    assert len([name for name in names if name.startswith("ecgs/")]) == len(result.evidence.ecgs)
    for path in place.rglob("*.svg"):
        text = path.read_text()
        ET.fromstring(text)  # noqa: S314 - our own file
        assert "var(" not in text
        assert not re.search(r'(href|src)="(?!#)', text)


def test_without_evidence_and_comparison_there_are_tables_alone(tmp_path):
    written = export(compare(["A"], {"mine": 1}, evidence=False), tmp_path)
    assert [path.name for path in written] == ["prompt_sets.csv", "classes.csv"]
