import pytest

from merl.knowledge.quantities import take_quantities


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("QRS duration of 120 ms or more", [(120, "ms", "at least")]),
        ("QRS ≥0.12 s", [(120, "ms", "at least")]),
        ("ST elevation of at least 1 mm", [(0.1, "mV", "at least")]),
        ("PR interval of 120 to 200 ms", [(120, "ms", "from"), (200, "ms", "up to")]),
        ("atrial rate of 240-340/min", [(240, "per minute", "from"), (340, "per minute", "up to")]),
        ("between 60 and 100 beats per minute", [(60, "per minute", "from"), (100, "per minute", "up to")]),
        ("rate below 60 bpm", [(60, "per minute", "at most")]),
        ("axis of -45 to -90 degrees", [(-45, "degrees", "from"), (-90, "degrees", "up to")]),
        ("three or more in a row", [(3, None, "at least")]),
        ("a score of 5 points or more", [(5, "points", "at least")]),
        ("QTc 480ms", [(480, "ms", "equal")]),
        ("no numbers, only 1st words", []),
    ],
)
def test_value_unit_and_comparison(text, expected):
    assert [(pytest.approx(q.value), q.unit, q.comparison) for q in take_quantities(text)[0]] == expected


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("QRS of 0.12 s or more", "QRS above 120 ms", True),
        ("PR above 120 ms", "QRS above 120 ms", False),
        ("QRS below 120 ms", "QRS above 120 ms", False),
        ("QRS of 120 ms", "QRS of 120 mV", False),
        ("ST depression of 0.5 mm or more", "ST depression of 0.05 mV or more", True),
        ("PQ interval of 200 ms", "PR interval of 200 ms", True),
    ],
)
def test_agreement(one, two, same):
    assert take_quantities(one)[0][0].agrees(take_quantities(two)[0][0]) is same


def test_the_rest_keeps_no_number():
    assert take_quantities("a PR interval above 200 ms in lead")[1].split() == [
        "a",
        "pr",
        "interval",
        "in",
        "lead",
    ]
