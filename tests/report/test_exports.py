import csv
import re
import xml.etree.ElementTree as ET

import pytest

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
    found = {row["class"]: row for row in rows(place / "differences.csv") if row["b"] == "mine"}
    assert float(found["(all)"]["difference"]) == pair.difference
    assert float(found["B"]["p_holm"]) == pair.per_class["B"].p_holm


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
