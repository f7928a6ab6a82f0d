import json

import pytest

from merl.ckepe.importing import fitting_label_sets, import_prompts, match_keys, split_phrases, split_set
from merl.ckepe.prompt_set import Phrase
from merl.errors import PromptError, UsageError
from merl.label_sets import LabelClass, LabelSet, load_label_set
from tests.ckepe.hand import by_hand

LABELS = LabelSet(
    name="mine",
    classes={
        "AF": LabelClass(name="atrial fibrillation"),
        "STE_": LabelClass(name="non-specific ST elevation"),
        "LBBB": LabelClass(name="left bundle branch block"),
    },
)


def write(place, content):
    path = place / "theirs.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def texts(imported, code):
    return [phrase.text for phrase in imported.prompt_set.classes[code].prompts]


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("atrial fibrillation, absolute arrhythmia.", ["atrial fibrillation", "absolute arrhythmia"]),
        ("inverted T in II, III and aVF, long QT", ["inverted T in II, III and aVF", "long QT"]),
        ("ST elevation in V1, V2, V3, flat T", ["ST elevation in V1, V2, V3", "flat T"]),
        ("bigeminy (atrial, ventricular), pairs", ["bigeminy (atrial, ventricular)", "pairs"]),
        ("Here they are:* one* two\n* three", ["Here they are", "one", "two", "three"]),
        ("axis -30, -90; low voltage", ["axis -30", "-90", "low voltage"]),
        (" , ,. ", []),
    ],
)
def test_a_joined_string_is_cut_into_its_phrases(text, phrases):
    assert split_phrases(text) == phrases


def test_merl_json_one_string_a_class(tmp_path):
    path = write(tmp_path, {"AF": "Atrial Fibrillation, paroxysmal AF", "STE": "ST elevation", "XX": "x"})
    done = import_prompts(path, LABELS)
    assert texts(done, "AF") == ["Atrial Fibrillation", "paroxysmal AF"]
    assert [phrase.role for phrase in done.prompt_set.classes["AF"].prompts] == ["name", "finding"]
    assert done.used == {"AF": "AF", "STE_": "STE"}
    assert (done.missing, done.left_over) == (("LBBB",), ("XX",))
    assert list(done.prompt_set.classes) == list(LABELS.classes)  # in the label set's order
    assert done.prompt_set.generator.kind == "imported"
    assert len(done.prompt_set.generator.file_sha256 or "") == 64


def test_a_joined_string_may_stay_one_phrase(tmp_path):
    path = write(tmp_path, {"AF": "Atrial Fibrillation, paroxysmal AF."})
    assert texts(import_prompts(path, LABELS, joined=True), "AF") == ["Atrial Fibrillation, paroxysmal AF."]


def test_cupl_json_a_list_of_sentences_by_the_classes_names(tmp_path):
    path = write(tmp_path, {"Left Bundle Branch Block": ["A wide QRS, notched in V6.", " ", "No q in I."]})
    done = import_prompts(path, LABELS)
    assert texts(done, "LBBB") == ["A wide QRS, notched in V6", "No q in I"]
    assert done.used == {"LBBB": "Left Bundle Branch Block"}


def test_the_exact_code_comes_first():
    assert match_keys(["ste", "STE_", "STE"], LABELS) == {"STE_": "STE_"}
    assert match_keys(["AF", "atrial fibrillation"], LABELS) == {"AF": "AF"}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "line 1 is not valid JSON"),
        ('{"AF": "a", "AF": "b"}', "'AF' appears twice; write a key once"),
        ("[]", "expected class to text .MERL. or to a list of sentences .CuPL., found a list"),
        ("{}", "found nothing"),
        ({"AF": 3}, "'AF' holds something else"),
        ({"AF": ["a", {"b": 1}]}, "'AF' holds something else"),
        ({"V1": "a", "V2": "b"}, "has no prompts for mine: none of its 2 keys .V1, V2, ...."),
    ],
)
def test_a_bad_file_is_one_sentence(tmp_path, content, sentence):
    with pytest.raises(PromptError, match=sentence):
        import_prompts(write(tmp_path, content), LABELS)


def test_a_missing_file_and_an_unknown_label_set(tmp_path):
    with pytest.raises(PromptError, match="there is no file"):
        import_prompts(tmp_path / "none.json", LABELS)
    with pytest.raises(UsageError, match="did you mean 'ptbxl-form'"):
        import_prompts(write(tmp_path, {"AF": "a"}), "ptbxl-from")


def test_a_file_fits_the_label_sets_it_has_every_class_of():
    keys = [code.strip("_") for code in load_label_set("ptbxl-rhythm").classes]
    assert [item.name for item in fitting_label_sets(keys)] == ["ptbxl-rhythm"]
    assert fitting_label_sets(keys[1:]) == []


def test_only_uncited_phrases_of_imported_sets_are_joined_ones():
    cited = Phrase(text="inverted T, flat P", sources=("ecg:AFIB#findings/0",))
    given = by_hand("imported", A=("a", "long QT, a", cited))
    parts = split_set(given).classes["A"].prompts
    assert [(phrase.text, phrase.role) for phrase in parts] == [
        ("long QT", "finding"),
        ("a", "name"),
        (cited.text, "finding"),
    ]
    manual = by_hand("manual", A=("a", "long QT, a"))
    assert split_set(manual) == manual
