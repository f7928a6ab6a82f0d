import pytest

from merl.knowledge.entries import load_entries
from merl.studies.naming import Namings, namings, with_kinds

ENTRIES = load_entries()
CLASSES = {
    "AFIB": ["AFIB"],
    "IMI": ["IMI"],
    "PAC": ["PAC"],
    "RBBB": ["RBBB"],
    "1AVB": ["1AVB"],
    "STACH": ["STACH"],
}


@pytest.fixture(scope="module")
def named():
    concepts = {code: with_kinds(ids, ENTRIES) for code, ids in CLASSES.items()}
    return namings(concepts, ENTRIES, {"IMI": ["inferior myocardial damage"]})


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("atrial fibrillation", {"AFIB"}),
        ("no atrial fibrillation", {"AFIB"}),  # what denies a class names it
        ("rhythm was previously atrial fibrillation with rapid ventricular response (102/min)", {"AFIB"}),
        ("atrialfibrillation", {"AFIB"}),
        ("atrial-fibrillation", {"AFIB"}),
        ("vorhofflimmern", {"AFIB"}),
        ("afib", {"AFIB"}),
        ("atrial flutter", set()),
        ("ventricular fibrillation", set()),
        ("infarct inferior chronic", {"IMI"}),
        ("possible old infero-posterior infarct", {"IMI"}),
        ("possible inferior myocardial damage", {"IMI"}),
        ("no definite evidence for previous infarction of the inferior wall", {"IMI"}),
        ("inferior ischemia", set()),
        ("anteroseptal infarct", set()),
        ("premature atrial contraction(s), bigeminy", {"PAC"}),
        ("interpolated supraventricular premature complexes", {"PAC"}),
        ("supraventricular extrasystoles", {"PAC"}),
        ("ventricular premature complexes", set()),
        ("junctional premature complexes", set()),
        ("block of the right bundle branch, incomplete", {"RBBB"}),
        ("rbbb", {"RBBB"}),
        ("left bundle branch block", set()),
        ("st depression in v1-5", set()),  # ST alone is no sinus tachycardia
        ("av block i. degree", {"1AVB"}),
        ("1st degree a-v block", {"1AVB"}),
        ("second degree av block", set()),
        ("", set()),
    ],
)
def test_what_a_text_names(named, text, codes):
    assert named.named_in(text) == codes


def test_kinds_at_any_depth():
    assert with_kinds(["RBBB"], ENTRIES) == {"RBBB", "CRBBB", "IRBBB"}
    assert "IPLMI" in with_kinds(["MI"], ENTRIES)
    assert with_kinds([], ENTRIES) == frozenset()


def test_a_long_name_runs_through_a_text_whatever_parts_it():
    named = Namings({"A": ["sinus tachycardia"], "B": ["flutter"]})
    assert named.runs_through("rapid sinus. tachycardia") == {"A"}
    assert named.runs_through("flut. ter") == set()  # a short name would be found where it is not meant
