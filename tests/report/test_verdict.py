import pytest

from merl.report.verdict import adjusted, judge, p, signed, turned
from tests.report.comparisons import compare

CLASSES = ["A", "B", "C"]


@pytest.mark.parametrize(
    ("skills", "winner", "claim"),
    [
        ({"plain": 0.5, "mine": 3}, "mine", "mine beats plain"),
        ({"mine": 3, "plain": 0.5}, "mine", "mine beats plain"),
        ({"plain": 3, "mine": 0.5}, "plain", "plain beats mine"),
        (
            {"plain": 1, "mine": 1},
            None,
            "No difference in macro AUROC between mine and plain is beyond chance",
        ),
        ({"mine": 1, "shuffled": 0, "plain": 3}, "plain", "plain beats mine"),
        ({"old": 0.5, "new": 3}, "new", "new beats old"),
    ],
)
def test_who_wins(skills, winner, claim):
    verdict = judge(compare(CLASSES, skills, evidence=False))
    assert (verdict.winner, verdict.claim) == (winner, claim)


def test_the_figures_are_those_of_the_result():
    result = compare(CLASSES, {"plain": 0.5, "mine": 3}, evidence=False)
    plain, mine = result.prompt_sets
    (pair,) = result.comparisons
    said = judge(result).figures
    assert f"{mine.macro_auroc:.3f} against {plain.macro_auroc:.3f}" in said
    assert f"{signed(pair.interval[0])} to {signed(pair.interval[1])}" in said
    lost = judge(compare(CLASSES, {"plain": 3, "mine": 0.5}, evidence=False))
    assert "a difference of +0." in lost.figures  # of the winner, whichever it is
    assert lost.pair.difference < 0  # of the set that wanted to win


def test_a_control_is_nobody_who_could_win():
    verdict = judge(compare(CLASSES, {"plain": 0.5, "mine": 1, "shuffled": 5, "template": 5}))
    assert [item.name for item in verdict.others] == ["mine"]


def test_several_tries_make_a_win_harder():
    one = judge(compare(CLASSES, {"plain": 0.5, "mine": 3}, evidence=False))
    more = judge(compare(CLASSES, {"plain": 0.5, "mine": 3, "other": 2}, evidence=False))
    assert "adjusted" not in one.figures
    assert "adjusted for 2 comparisons" in more.figures
    assert [item.name for item in more.others] == ["mine", "other"]


def test_average_precision_is_told_of_pairs_by_name_with_frequent_classes_and_holm():
    result = compare(CLASSES, {"plain": 0.5, "mine": 3, "other": 2, "idle": 0.5}, evidence=False)
    *precision, _ = judge(result).further
    assert len(precision) == 2  # of idle there is nothing to tell
    mine, other = precision
    assert mine.startswith("By average precision mine is better than plain (+0.")
    assert "; over classes with 10 positives or more mine is better than plain (+0." in mine
    assert mine.endswith(", adjusted for 3 comparisons.")
    assert other.startswith("By average precision other is better than plain")
    raw = [pair.average_precision for pair in result.comparisons if pair.a == "plain"]
    told = adjusted(raw)
    assert told[0].p_value > raw[0].p_value
    assert f"{p(told[0].p_value)}); over" in mine


def test_what_is_not_beyond_chance_is_said_of_its_figure():
    verdict = judge(compare(CLASSES, {"plain": 1, "mine": 1}, evidence=False))
    assert verdict.further[0].startswith(
        "By average precision no difference between mine and plain is beyond chance (0.000, 95 % interval"
    )
    lost = judge(compare(CLASSES, {"plain": 3, "mine": 0.5}, evidence=False)).further[0]
    assert lost.startswith("By average precision plain is better than mine (+0.")


def test_a_single_set_is_compared_with_nothing():
    verdict = judge(compare(CLASSES, {"mine": 3}, evidence=False))
    assert (verdict.pair, verdict.winner, verdict.further) == (None, None, ())
    assert "compared with no other prompt set" in verdict.figures


def test_classes_are_named_only_where_the_difference_is_sure():
    sure = judge(compare(CLASSES, {"plain": 0, "mine": 5}, evidence=False)).further[-1]
    assert sure.endswith("Of 3 classes, mine is better in A, B and C beyond chance, by Holm.")
    some = judge(compare(CLASSES, {"plain": 0.5, "mine": 0.7}, evidence=False)).further[-1]
    assert some.endswith("; the rest could be chance.")
    none = judge(compare(CLASSES, {"plain": 1, "mine": 1}, evidence=False)).further[-1]
    assert none.startswith("In none of the 3 classes")


def test_a_comparison_turns_with_all_its_figures():
    result = compare(CLASSES, {"plain": 0.5, "mine": 3}, evidence=False)
    there, back = turned(result, "plain", "mine"), turned(result, "mine", "plain")
    assert (back.a, back.b, back.difference) == ("mine", "plain", -there.difference)
    assert back.interval == (-there.interval[1], -there.interval[0])
    assert back.per_class["A"].difference == -there.per_class["A"].difference
    assert back.average_precision.difference == -there.average_precision.difference
    assert turned(result, "plain", "other") is None


def test_a_difference_has_a_sign_unless_it_is_none():
    assert [signed(value) for value in (0.0216, -0.2, -0.0004, 0.0)] == ["+0.022", "−0.200", "0.000", "0.000"]
