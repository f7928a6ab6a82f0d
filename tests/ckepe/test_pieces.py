"""A phrase of several statements, and what holds it together."""

import pytest

from merl.ckepe.grounding import ground
from merl.ckepe.pieces import pieces
from tests.ckepe.hand import by_hand


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("tall R in V6 with a deep S in V1", ["tall R in V6", "a deep S in V1"]),
        ("sinus rhythm: PR of 160 ms, QRS of 90 ms", ["sinus rhythm", "PR of 160 ms", "QRS of 90 ms"]),
        ("Q waves in II, III and aVF", None),
        ("long, flat ST segment", None),
        ("P upright in I, negative in aVR", ["P upright in I", "P negative in aVR"]),
        ("early wide QRS without a P wave before it", ["early wide QRS", "no P wave before it"]),
        ("P upright in I and II before each QRS", None),
        ("fixed delay between the P wave and the QRS complex", None),
        ("no P waves and QRS complexes of 120 ms", None),
        ("narrow QRS complex with the P wave buried in it", None),
        ("deep S waves and tall R waves in V1", None),
        ("S in V1 plus R in V5, which exceed 3.5 mV", ["S in V1", "R in V5, which exceed 3.5 mV"]),
    ],
)
def test_a_phrase_is_cut_where_it_says_something_else_in_full(text, found):
    assert pieces(text, ["sinus rhythm"]) == (found or [text])


@pytest.mark.parametrize(
    ("text", "supported"),
    [
        ("QRS of at least 120 ms, broad S waves in V6, right ventricle activated late", True),
        ("QRS of at least 120 ms, broad S waves in V5, right ventricle activated late", False),
        ("QRS of at least 120 ms, broad S waves in V6, left ventricle activated late", False),
    ],
)
def test_each_statement_of_a_phrase_may_rest_on_another_passage(index, text, supported):
    (item,) = ground(by_hand(R=("RBBB", text)), index=index)
    assert item.supported == supported, item.reason
