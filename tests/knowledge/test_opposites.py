import pytest

from merl.knowledge.entries import load_entries
from merl.knowledge.opposites import Stance, values_of
from merl.knowledge.queries import QueryReader
from merl.knowledge.wording import read_wording


@pytest.fixture(scope="module")
def reader():
    return QueryReader(load_entries().values())


@pytest.mark.parametrize(
    ("query", "right", "opposite"),
    [
        ("block of the left bundle branch", "LBBB", "RBBB"),
        ("QT too long", "LNGQT", "SHORTQT"),
        ("ST segment below the baseline", "STD_", "STE_"),
        ("AV block of the second degree", "2AVB", "3AVB"),
        ("infarct of the front wall", "AMI", "IMI"),
        ("infarct without ST elevation", "NSTEMI", "STEMI"),
        ("early beat from the atrium", "PAC", "PVC"),
        ("flattened T waves", "LOWT", "HIGHT"),
        ("rotated anticlockwise", "CCWROT", "CWROT"),
        ("partial block of the right bundle", "IRBBB", "CRBBB"),
    ],
)
def test_the_opposite_is_excluded_and_what_is_meant_is_not(reader, query, right, opposite):
    given, walls = values_of([reader.read(query)]), read_wording(reader.read(query)).walls
    excluded = [
        Stance(load_entries()[name], reader.fold).excludes(given, walls) for name in (right, opposite)
    ]
    assert excluded == [False, True]


@pytest.mark.parametrize(
    ("query", "entry"),
    [
        ("fibrillation of the atria with a rapid ventricular response", "AFIB"),  # where beats arrive
        ("fibrillation without any regularity", "AFIB"),  # denied
        ("tall U waves", "HYPOK"),  # said of something else than potassium
        ("atrial focus", "SVTAC"),  # a kind of it
    ],
)
def test_what_is_said_of_something_else_excludes_nothing(reader, query, entry):
    read = reader.read(query)
    assert not Stance(load_entries()[entry], reader.fold).excludes(
        values_of([read]), read_wording(read).walls
    )


@pytest.mark.parametrize(
    ("query", "entry", "agrees"),
    [
        ("PR of 90 ms", "SHORTPR", 1),
        ("PR of 90 ms", "LPR", -1),
        ("QTc of 520 ms", "LNGQT", 1),
        ("axis of minus 50 degrees", "LAD", 1),
        ("axis of minus 50 degrees", "RAD", -1),
        ("sinus rhythm at 42 per minute", "SBRAD", 1),
        ("sinus rhythm at 42 per minute", "STACH", -1),
        ("PR of 90 ms", "LVH", 0),
    ],
)
def test_numbers_agree_with_the_criteria_of_an_entry(reader, query, entry, agrees):
    assert Stance(load_entries()[entry], reader.fold).agrees(reader.quantities(query)) == agrees
