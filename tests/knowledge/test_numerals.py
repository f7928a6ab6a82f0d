import pytest
from hypothesis import given
from hypothesis import strategies as st

from merl.knowledge.numerals import spell_out
from merl.knowledge.quantities import take_quantities


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("half a second", "0.5 second"),
        ("two tenths of a millivolt", "0.2 millivolt"),
        ("one hundred and twenty ms", "120 ms"),
        ("sixty to one hundred", "60 to 100"),
        ("shorter than twice the interval", "shorter than 2 the interval"),
        ("0,12 s", "0.12 s"),
        ("minus thirty degrees", "-30 degrees"),
        ("every third beat", "every third beat"),
        ("one p wave", "one p wave"),
        ("one millimetre", "1 millimetre"),
        ("four and five", "4 and 5"),
    ],
)
def test_number_words_become_figures(text, figures):
    assert spell_out(text) == figures


MORE = ["at least", "no less than", "above", "more than", "not below", "in excess of", ">="]
LESS = ["at most", "no more than", "below", "less than", "not above", "not exceeding", "<="]


def one(text):
    (quantity,) = take_quantities(text)[0]
    return quantity


@given(st.integers(1, 2000), st.sampled_from(MORE), st.sampled_from(LESS))
def test_more_is_never_less(value, more, less):
    assert one(f"{more} {value} ms").comparison == "at least"
    assert one(f"{less} {value} ms").comparison == "at most"
    assert not one(f"{more} {value} ms").agrees(one(f"{less} {value} ms"))


@given(st.integers(1, 5000))
def test_units_of_one_quantity_agree(value):
    assert one(f"{value} ms").agrees(one(f"{value / 1000:.4f} s"))
    assert one(f"{value} mm").agrees(one(f"{value / 10:.2f} mV"))
    assert not one(f"{value} ms").agrees(one(f"{value} s"))
    assert not one(f"{value} ms").agrees(one(f"{value} mV"))
    assert not one(f"{value} per minute").agrees(one(f"{value} per hour"))


@given(st.integers(1, 999), st.integers(1, 999), st.sampled_from([*MORE, *LESS]))
def test_another_number_never_agrees(value, other, how):
    assert one(f"{how} {value} ms").agrees(one(f"{how} {other} ms")) == (value == other)


@given(st.integers(-180, 180), st.integers(-180, 180))
def test_a_range_is_read_in_every_wording(low, high):
    texts = [f"between {low} and {high} degrees", f"from {low} to {high} degrees", f"{low} to {high} degrees"]
    read = [[(q.value, q.comparison) for q in take_quantities(text)[0]] for text in texts]
    assert read == [[(low, "from"), (high, "up to")]] * 3


@given(st.text(max_size=60))
def test_any_text_can_be_read(text):
    quantities, rest = take_quantities(text)
    assert isinstance(rest, str)
    assert all(quantity.text for quantity in quantities)
