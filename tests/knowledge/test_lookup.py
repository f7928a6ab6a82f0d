import pytest

from merl.knowledge.lookup import NameTable, normalise


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("First-degree AV block", "AV-Block I. Grades"),
        ("1st degree atrioventricular block", "1° AV block"),
        ("2nd degree A-V block".replace("A-V", "AV"), "AV block, second degree"),
        ("T-wave inversions", "T wave inversion"),
        ("ischaemia", "ischemia"),
        ("Überleitung", "Ueberleitung"),
    ],
)
def test_spellings_of_one_name_meet(text, same):
    assert normalise(text) == normalise(same)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("first degree AV block", "second degree AV block"),
        ("left bundle branch block", "right bundle branch block"),
        ("complete left bundle branch block", "incomplete left bundle branch block"),
        ("long QT", "short QT"),
        ("ISCAS", "ISCA"),
    ],
)
def test_other_meanings_stay_apart(text, other):
    assert normalise(text) != normalise(other)


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("AFIB", ["AFIB"]),
        ("164889003", ["AFIB"]),
        ("snomed:164889003", ["AFIB"]),
        ("50", ["AFIB"]),
        ("vorhofflimmern", ["AFIB"]),
        ("Atrial Fibrillation", ["AFIB"]),
        ("1st-degree atrio-ventricular block", ["1AVB"]),
        ("AV-Block II. Grades", ["2AVB"]),
        ("Linksschenkelblock, vollstandig", ["CLBBB"]),
        ("AF", ["AFIB", "AFLT"]),  # every meaning of an ambiguous abbreviation
        ("a", ["AFLT"]),  # beat symbols differ by case
        ("A", ["SR"]),
        ("second degree", []),
        ("", []),
    ],
)
def test_lookup_by_code_name_synonym_abbreviation(entries, text, ids):
    assert [entry.id for entry, _ in NameTable(entries.values()).all(text)] == ids


def test_a_name_outranks_a_synonym_of_something_else(entries):
    impostor = entries["SR"].model_copy(update={"synonyms": ("atrial flutter",)})
    table = NameTable([impostor, entries["AFLT"]])
    assert [(entry.id, by) for entry, by in table.by_name("atrial flutter")] == [("AFLT", "name")]
    assert {entry.id for entry, _ in table.all("atrial flutter")} == {"AFLT", "SR"}
