import pytest

from merl.errors import PromptError, UsageError
from merl.label_sets import LabelClass, LabelSet
from merl.overlap import ClassOverlap, Overlap


def label_set(name, *codes):
    return LabelSet(name=name, classes={code: LabelClass(name=code) for code in codes})


HERE, THERE = label_set("here", "A", "B"), label_set("there", "X", "Y", "Z")
OVERLAP = Overlap(
    source="here",
    target="there",
    classes={
        "X": ClassOverlap(sources=("A", "B"), take="lowest", reason="it is both"),
        "Y": ClassOverlap(sources=(), reason="nothing is"),
    },
)


def test_it_reads_back_what_it_wrote(tmp_path):
    OVERLAP.save(tmp_path / "overlap.yaml")
    assert Overlap.load(tmp_path / "overlap.yaml", HERE, THERE) == OVERLAP
    assert list(OVERLAP.scored) == ["X"]


def test_a_reader_may_leave_out_reasons_and_classes_and_order(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "schema: merl/overlap/v1\nsource: here\ntarget: there\n"
        "classes: {Z: {sources: [B]}, X: {sources: [A]}}\n"
    )
    found = Overlap.load(path, HERE, THERE)
    assert list(found.scored) == ["X", "Z"]
    assert found.classes["Z"].take == "highest"


@pytest.mark.parametrize(
    ("line", "problem", "sentence"),
    [
        ("target: elsewhere", UsageError, "leads from here to elsewhere, not from here to there"),
        ("classes: {W: {sources: [A]}}", UsageError, "unknown class of there 'W'"),
        ("classes: {X: {sources: [C]}}", UsageError, "unknown class of here 'C'"),
        ("classes: {X: {sources: [A], take: mean}}", PromptError, "'highest' or 'lowest'"),
        ("classes: {X: {from: [A]}}", PromptError, "unknown key 'from'"),
    ],
)
def test_a_faulty_overlap_is_named(tmp_path, line, problem, sentence):
    given = {"schema": "merl/overlap/v1", "source": "here", "target": "there", "classes": "{}"}
    key, _, value = line.partition(": ")
    path = tmp_path / "overlap.yaml"
    path.write_text("".join(f"{name}: {text}\n" for name, text in (given | {key: value}).items()))
    with pytest.raises(problem, match=sentence) as found:
        Overlap.load(path, HERE, THERE)
    assert "overlap.yaml" in str(found.value)
