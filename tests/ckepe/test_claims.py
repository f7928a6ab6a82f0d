import pytest

from merl.ckepe.claims import read_claim


def said(text):
    return {family for family, negated in read_claim(text).words if not negated}


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("prolonged QT interval", "long QT"),
        ("wide QRS", "broadened QRS"),
        ("sawtooth flutter waves", "flutter waves like the teeth of a saw"),
        ("P waves are absent", "no P waves"),
        ("R wave in aVL", "aVL with an R wave"),
        ("the intervals never change", "the intervals are constant"),
    ],
)
def test_two_ways_to_say_one_thing_share_their_words(one, two):
    told = ({pair for pair in read_claim(text).words if len(pair[0]) > 2} for text in (one, two))
    assert set.intersection(*told)


def test_what_is_denied_is_marked():
    assert ("septal", True) in read_claim("high R waves in V5 lacking a septal q").words
    assert ("high", False) in read_claim("high R waves in V5 lacking a septal q").words
    assert ("p", True) in read_claim("P waves are absent").words


def test_a_word_with_an_opposite_is_bound_to_its_wave():
    claim = read_claim("PR depression in most leads with ST elevation in V2")
    assert ("size", "low", frozenset({"pr"})) in claim.attributes
    assert ("size", "high", frozenset({"st"})) in claim.attributes
    assert ("size", "high", frozenset({"st"}), frozenset({"V2"})) in claim.placed


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("U wave taller than T wave", ("u", "t")),
        ("T wave smaller than U wave", ("u", "t")),
        ("R/S ratio above 1", ("r", "s")),
        ("ST raised more in V1 than in V2", ("V1", "V2")),
        ("second P wave peak higher than the first", ("second", "first")),
    ],
)
def test_what_is_greater_comes_first(text, pair):
    assert pair in read_claim(text).compared


def test_each_number_has_its_own_people():
    measures = read_claim("below 450 ms in men and below 460 ms in women").measures
    assert [(m.quantity.value, set(m.whom)) for m in measures] == [(450, {"men"}), (460, {"women"})]
    assert [set(m.whom) for m in read_claim("in women, above 20 mm").measures] == [{"women"}]


def test_a_wave_that_goes_on_a_list_stays_on_it():
    (part,) = read_claim("inverted P wave, QRS and T wave in lead I").parts
    assert {"inverted", "p", "qrs", "t"} <= {token.family for token in part.tokens}
    assert part.leads == {"I"}


def test_walls_of_a_compound():
    assert read_claim("anteroseptal infarction").walls == {"anter", "sept"}
    assert not read_claim("bilateral").walls
    assert said("infarct") == said("infarction")
