import pytest

from merl.knowledge.entries import load_entries
from merl.knowledge.queries import Phrases, QueryReader


@pytest.fixture(scope="module")
def reader():
    return QueryReader(load_entries().values())


@pytest.mark.parametrize(
    ("query", "read"),
    [
        ("ventrikular tachycadia", "ventricular tachycardia"),  # misspelled
        ("atrail flutter", "atrial flutter"),
        ("Kammertachykardie", "ventricular tachycardia"),  # a German compound
        ("Vorhofersatzrhythmus", "atrial escape rhythm"),
        ("verlängerte PQ-Zeit", "prolonged pr interval"),
        ("Senkung der ST-Strecke in V5", "depression of the st segment in v5"),
        ("LBBB", "left bundle branch block"),
        ("LV strain", "left ventricular strain"),
        ("upper right chamber", "atrial right chamber"),  # the words between stay
        ("scar after a heart attack", "scar after a infarction"),
        ("grief", "takotsubo"),
        ("block(Type one)", "block mobitz type i"),
        ("martian rhythm", "martian rhythm"),  # English that means nothing here
    ],
)
def test_a_query_is_read_into_the_words_of_the_entries(reader, query, read):
    assert reader.read(query) == read


def test_an_abbreviation_of_two_meanings_is_written_out_as_both(reader):
    assert reader.read("LAH pattern") == "left anterior fascicular block left atrial hypertrophy pattern"


def test_english_is_not_taken_for_german(reader):
    assert reader.read("the part that is in path of an es") == "the part that is in path of an es"


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("QTc of 330 ms", [(330, "ms", "equal", "qtc")]),
        ("axis of minus 40 degrees", [(-40, "degrees", "equal", "axis")]),
        ("Vorhofflimmern, 140/min", [(140, "per minute", "equal", "rate")]),
        ("regular rhythm at 130", [(130, "per minute", "equal", "rate")]),
        ("QRS not yet 120 ms", [(120, "ms", "at most", "qrs")]),
        ("Q waves in leads II and III", []),
    ],
)
def test_numbers_are_read_with_unit_and_subject(reader, query, numbers):
    found = [(n.value, n.unit, n.comparison, n.subject) for n in reader.quantities(query)]
    assert found == numbers


def test_the_longest_wording_is_replaced_first():
    phrases = Phrases({"one": ["heart"], "two": ["heart attack"], "three": ["top ~ chamber"]})
    assert (
        phrases.replace("Heart attacks, hearts and top left chambers") == "two , one and three left chambers"
    )
