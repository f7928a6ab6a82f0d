import re

import numpy as np
import pytest

from merl.evaluation.evidence import Histogram
from merl.evaluation.result import ClassDifference, Comparison
from merl.report.charts import PALETTE, forest, spread
from merl.report.ecg_paper import figure_svg
from merl.report.inline import themed


def gap(value, half, p=0.5):
    return ClassDifference(difference=value, interval=(value - half, value + half), p_value=p, p_holm=p)


PAIR = Comparison(
    a="plain",
    b="mine",
    difference=0.1,
    interval=(0.05, 0.15),
    p_value=0.01,
    difference_min10=0.02,
    interval_min10=(-0.1, 0.12),
    p_value_min10=0.6,
    per_class={
        "LOW": gap(-0.2, 0.05, p=0.01),
        "HIGH $x$": gap(0.2, 0.05, p=0.01),
        "MID": gap(0.01, 0.1),
        "RARE": gap(0.3, 0.7),
    },
)
POSITIVES = {"LOW": 50, "HIGH $x$": 50, "MID": 50, "RARE": 2}


def test_the_largest_difference_is_on_top_and_what_is_rare_is_marked():
    (axes,) = forest(PAIR, POSITIVES).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        *("RARE*", "HIGH $x$", "MID", "LOW", "mean of all", "mean, 10+ positives")
    ]
    top = [line for line in axes.lines if line.get_marker() == "o"]
    assert [line.get_xdata()[0] for line in top] == [0.2, 0.01, -0.2]  # 0.3 lies beyond the axis


def test_frequent_classes_set_the_scale_and_what_leaves_it_ends_in_arrows():
    (axes,) = forest(PAIR, POSITIVES).axes
    assert axes.get_xlim() == pytest.approx((-0.27, 0.27))
    arrows = [line for line in axes.lines if line.get_marker() in (4, 5)]
    assert [np.sign(line.get_xdata()[0]) for line in arrows] == [-1, 1]


def test_points_are_filled_where_chance_is_unlikely():
    (axes,) = forest(PAIR, POSITIVES, narrow=True).axes
    faces = [line.get_markerfacecolor() for line in axes.lines if line.get_marker() == "o"]
    assert faces == [PALETTE["b"], PALETTE["page"], PALETTE["a"]]


def test_a_spread_is_in_shares_and_shows_the_threshold():
    counted = Histogram(low=-0.1, high=0.3, positives=(0, 1, 3, 0), negatives=(50, 30, 20, 0))
    (axes,) = spread(counted, "b", threshold=0.12).axes
    (line,) = axes.lines
    assert list(line.get_xdata()) == [0.12, 0.12]
    tops = {float(patch.get_data().values.max()) for patch in axes.patches}
    assert tops == {0.5, 0.75}


def test_in_a_page_a_chart_follows_its_colours_and_shares_no_id():
    svg = figure_svg(forest(PAIR, POSITIVES))
    theme = {colour: name for name, colour in PALETTE.items()}
    one, two = (themed(svg, theme, "a <label>", name) for name in ("one", "two"))
    assert "var(--b)" in one
    assert not re.search("#[0-9a-f]{6}", one)
    assert 'aria-label="a &lt;label&gt;"' in one
    ids = [{part.split('"')[0] for part in svg.split(' id="')[1:]} for svg in (one, two)]
    assert not ids[0] & ids[1]
    assert "HIGH $x$" in one
