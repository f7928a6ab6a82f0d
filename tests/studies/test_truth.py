import numpy as np
import pytest

from merl.errors import ConfigError
from merl.knowledge.entries import load_entries
from merl.studies.config import Evaluation, UnseenClass
from merl.studies.scoring import in_the_columns_of, judge
from merl.studies.truth import SEEN, UNSEEN, find_concepts, load_truth
from merl.studies.withholding import Withholding
from tests import layouts

ENTRIES = load_entries()
RBBB = {"RBBB": UnseenClass(name="right bundle branch block", concepts=("RBBB",))}
SAID = [frozenset({"sinus rhythm", "first degree av block"})] * 10 + [
    frozenset({"ventricular premature complexes"})
]


@pytest.fixture
def concepts():
    return find_concepts(RBBB, Withholding(RBBB, ENTRIES), "ptbxl-all", ENTRIES, SAID)


def test_a_class_is_seen_if_reports_name_it_and_no_unseen_one_touches_it(concepts):
    assert concepts.unseen == ("RBBB",)
    assert set(concepts.seen) == {"SR", "1AVB"}
    assert concepts.members["RBBB"] == {"RBBB", "CRBBB", "IRBBB"}
    assert concepts.neither["PVC"] == "is named in 1 training reports"
    assert "CRBBB" not in concepts.neither  # it is unseen


def test_a_class_that_takes_in_an_unseen_one_is_neither():
    said = [frozenset({"bundle branch block", "conduction disturbance"})] * 20
    found = find_concepts(RBBB, Withholding(RBBB, ENTRIES), "challenge2021", ENTRIES, said)
    assert found.neither["BBB"] == "takes in an unseen class"


def test_a_class_that_is_named_like_an_unseen_one_is_neither():
    unseen = {"1AVB": UnseenClass(name="x", concepts=("1AVB",), wordings=("prolonged PR interval",))}
    said = [frozenset({"prolonged pr interval"})] * 20
    found = find_concepts(unseen, Withholding(unseen, ENTRIES), "ptbxl-all", ENTRIES, said)
    assert found.neither["LPR"] == "is named like an unseen class"


def test_records_by_concept_have_what_their_statements_are_a_kind_of(tiny_ptbxl, concepts):
    evaluation = Evaluation(name="a", statements="ptbxl-all")
    truth = load_truth(evaluation, tiny_ptbxl, "val", 100, concepts)
    assert truth.groups == {UNSEEN: ("RBBB",), SEEN: ("1AVB", "SR")}
    column = truth.data.classes.index("1AVB")
    assert truth.data.labels[:, column].tolist() == [False, True, False]
    assert truth.prompts.classes["RBBB"].present == ["right bundle branch block"]


def test_beats_of_mitbih_are_read_by_their_symbols(tmp_path):
    unseen = {"PAC": UnseenClass(name="premature", concepts=("PAC",)), **RBBB}
    found = find_concepts(unseen, Withholding(unseen, ENTRIES), "ptbxl-all", ENTRIES, SAID)
    marks = [*layouts.MITBIH_NOTES, (100, "N", ""), (3700, "R", ""), (3800, "A", ""), (7300, "a", "")]
    layouts.mitbih(tmp_path, 101, marks)
    evaluation = Evaluation(name="a", statements="mitbih-beats", split="all", allow_missing=True)
    truth = load_truth(evaluation, tmp_path, "all", 100, found)
    assert dict(zip(truth.data.classes, truth.data.labels[:3].T.tolist(), strict=True)) == {
        "PAC": [False, True, True],  # an aberrant one is a kind of it
        "RBBB": [False, True, False],
    }


def test_by_concept_there_have_to_be_concepts(tiny_ptbxl):
    with pytest.raises(ConfigError, match="'a' is by concept and no class is unseen"):
        load_truth(Evaluation(name="a", statements="ptbxl-all"), tiny_ptbxl, "val", 100, None)


def test_a_class_gives_way(tmp_path):
    marks = [*layouts.MITBIH_NOTES, (100, "N", ""), (200, "V", ""), (3700, "N", "")]
    layouts.mitbih(tmp_path, 101, marks)
    given = {"name": "a", "task": "mitbih-aami", "split": "all", "allow_missing": True}
    truth = load_truth(Evaluation(**given, gives_way="N"), tmp_path, "all", 100, None)
    columns = [truth.data.classes.index(code) for code in ("N", "V")]
    assert truth.data.labels[:2, columns].tolist() == [[False, True], [True, False]]
    with pytest.raises(ConfigError, match="unknown class of mitbih-aami 'n'"):
        load_truth(Evaluation(**given, gives_way="n"), tmp_path, "all", 100, None)


def test_groups_are_measured_by_themselves_without_classes_a_method_does_not_know(tiny_ptbxl, concepts):
    truth = load_truth(Evaluation(name="a", statements="ptbxl-all"), tiny_ptbxl, "val", 100, concepts)
    known = in_the_columns_of(truth, ("SR", "elsewhere"), np.array([[2.0, 0], [1.0, 0], [0.0, 0]]))
    unseen, seen = judge("a", "m", known, truth, resamples=20, seed=0)
    assert (unseen.n_classes, unseen.figures) == (0, None)
    assert (seen.n_classes, seen.n_records) == (1, 3)
    assert seen.figures.per_class["SR"].auroc == 1.0
