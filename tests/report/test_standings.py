import pytest

from merl.evaluation.result import Result
from merl.report.page import render
from merl.report.standings import set_rows, tables
from merl.report.verdict import judge
from tests.report.comparisons import compare

SKILLS = {"plain": 0.5, "best": 3, "last": 2, "shuffled": 0}


@pytest.fixture(scope="module")
def result():
    """Of the control there is no other comparison than that with the set given last, as of merl evaluate."""
    made = compare(["A", "B", "C"], SKILLS, evidence=False)
    kept = [pair for pair in made.comparisons if pair.b != "shuffled" or pair.a == "last"]
    return made.model_copy(update={"comparisons": kept})


def rows_of(result: Result):
    return set_rows(result, judge(result))


def test_every_difference_names_what_it_is_from(result):
    assert [(row.item.name, row.pair and row.pair.a) for row in rows_of(result)] == [
        ("plain", None),
        ("best", "plain"),
        ("last", "plain"),
        ("shuffled", "last"),
    ]
    assert (
        render(result).count(">against last</small>") == 4
    )  # of both figures, over all and frequent classes


def test_a_control_that_wants_to_be_the_baseline_leaves_the_others_their_differences():
    """``--prompts mine --controls``: the class names are added, and compared with mine alone."""
    made = compare(["A", "B", "C"], {"mine": 3, "plain": 0.5, "shuffled": 0}, evidence=False)
    kept = [pair for pair in made.comparisons if pair.a == "mine"]
    rows = rows_of(made.model_copy(update={"comparisons": kept}))
    assert [(row.item.name, row.pair and row.pair.a) for row in rows] == [
        ("plain", None),
        ("mine", "plain"),
        ("shuffled", "mine"),
    ]


def test_the_table_has_the_p_value_of_the_verdict_and_controls_are_a_family_of_their_own(result):
    auroc, precision = tables(result, rows_of(result))
    assert (auroc.families, precision.families) == ((2, 1), (2, 1))
    found = {row.item.name: standings for row, standings in auroc.rows}
    raw = {pair.b: pair for pair in result.comparisons if pair.a == "plain"}
    gap = found["best"][0].gap
    assert (gap.difference, gap.tests) == (raw["best"].difference, 2)
    assert gap.p_value > raw["best"].p_value
    assert found["shuffled"][0].gap.tests == 1
    of_best = {row.item.name: standings for row, standings in precision.rows}["best"]
    assert [one.gap.difference for one in of_best] == [
        raw["best"].average_precision.difference,
        raw["best"].average_precision.difference_min10,
    ]


def test_chance_is_told_of_each_figure(result):
    auroc, precision = tables(result, rows_of(result))
    assert auroc.heads == [("All classes", 0.5), ("10+ positives", 0.5)]
    shares = [item.positives / result.n_records for item in result.prompt_sets[0].per_class.values()]
    assert precision.heads[0] == ("All classes", pytest.approx(sum(shares) / 3))


def test_six_prompt_sets_have_six_colours():
    made = compare(
        ["A"], {"plain": 0.5, "one": 3, "two": 2, "three": 1, "four": 1, "five": 1}, evidence=False
    )
    colours = [row.colour for row in rows_of(made)]
    assert colours[:2] == ["a", "b"]
    assert len(set(colours)) == 6


def test_a_difference_from_another_set_than_the_baseline_is_no_part_of_the_verdicts_family():
    """``--prompts best --prompts last --controls``: the class names are compared with the last alone."""
    made = compare(["A", "B", "C"], {"best": 3, "last": 2, "plain": 0.5}, evidence=False)
    kept = [pair for pair in made.comparisons if (pair.a, pair.b) != ("best", "plain")]
    result = made.model_copy(update={"comparisons": kept})
    auroc, _ = tables(result, rows_of(result))
    gaps = {row.item.name: standings[0].gap for row, standings in auroc.rows}
    assert (gaps["last"].tests, gaps["best"].tests) == (1, 1)
    assert gaps["last"].p_value == pytest.approx(next(pair.p_value for pair in kept if pair.b == "plain"))
