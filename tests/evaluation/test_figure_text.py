import io

import pytest
from rich.console import Console

from merl.evaluation.figure_text import FigureTable, cell_text, gap_text, interval_text, p_text, score_text


def lines(table, width):
    page = io.StringIO()
    Console(width=width, file=page).print(table)
    return page.getvalue().splitlines()


@pytest.fixture
def table():
    made = FigureTable("Figures", left=["class", "name"], right=["one set", "another"])
    cell = cell_text(0.5, (0.25, 0.75))
    made.add_row("SR", "sinus rhythm, regular", cell, cell)
    made.add_section()
    made.add_row("AFIB", "atrial fibrillation", cell)
    return made


@pytest.mark.parametrize(
    ("width", "interval"), [(40, ["[0.250,", "0.750]"]), (56, ["[0.250,0.750]"]), (120, ["[0.250,0.750]"])]
)
def test_no_number_breaks_and_nothing_is_cut(table, width, interval):
    found = lines(table, width)
    assert max(map(len, found)) <= width
    figures = [word for word in " ".join(found).split() if "0." in word]
    assert sorted(figures) == sorted(3 * ["0.500", *interval])


def test_a_row_on_one_line_where_there_is_room(table):
    assert any("SR      sinus rhythm, regular   0.500 [0.250,0.750]" in line for line in lines(table, 120))


def test_figures_as_text():
    assert score_text(None) == interval_text(None) == p_text(None) == cell_text(None, None) == "-"
    assert gap_text(-0.1, (-0.2, 0.04)) == ("-0.100", "[-0.200,+0.040]")
    assert (p_text(0.0009), p_text(0.0011)) == ("<0.001", "0.001")
