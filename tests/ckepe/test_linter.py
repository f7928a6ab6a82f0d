import csv
import itertools
import json
from dataclasses import dataclass

import numpy as np
import pytest

from merl.ckepe.generator import generate_prompts
from merl.ckepe.importing import fitting_label_sets, import_prompts, read_foreign
from merl.ckepe.linter import KINDS, collisions, lint
from merl.ckepe.prompt_set import PromptSet
from merl.files import content_dir
from merl.label_sets import LabelClass, LabelSet, load_label_set
from tests.ckepe.hand import by_hand


def found(prompt_set, index, **options):
    return [(item.kind, item.code, item.text) for item in lint(prompt_set, index=index, **options)]


@pytest.mark.parametrize(
    ("kind", "name", "phrase"),
    [
        ("chatter", "atrial fibrillation", "Based on the input"),
        ("chatter", "atrial fibrillation", "I generated the following subtypes for AFIB"),
        ("chatter", "atrial fibrillation", "irregular rhythmLet me know if this meets your requirements!"),
        ("chatter", "atrial fibrillation", "As an AI language model, here are the findings"),
        ("contradiction", "complete right bundle branch block", "incomplete right bundle branch block"),
        ("contradiction", "ST depression", "ST segment elevation"),
        ("contradiction", "first degree AV block", "shortened PR interval"),
        ("contradiction", "clockwise rotation", "counterclockwise rotation"),
        ("contradiction", "atrial fibrillation", "distinct P waves"),
        ("other-condition", "complete left bundle branch block", "atrial flutter"),
        ("other-condition", "sinus rhythm", "atrial fibrillation (AF)"),
        ("number", "atrial flutter", "atrial rate of 500 per minute"),
        ("number", "first degree AV block", "PR interval below 200 ms"),
        ("non-english", "atrial fibrillation", "Vorhofflimmern"),
        ("non-english", "atrial fibrillation", "unregelmäßige RR-Abstände"),
        ("non-english", "atrial fibrillation", "ondes f sans onde P"),
        ("non-english", "atrial fibrillation", "心房颤动"),
        ("unsupported", "atrial fibrillation", "delta wave at the QRS onset"),
    ],
)
def test_what_is_wrong_with_a_phrase(index, kind, name, phrase):
    assert (kind, "A", phrase) in found(by_hand(A=(name, phrase)), index)


@pytest.mark.parametrize(
    ("name", "phrase"),
    [
        ("atrial fibrillation", "irregularly irregular RR intervals"),
        ("atrial fibrillation", "not distinct P waves before every QRS complex"),
        ("complete left bundle branch block", "broad notched R waves in leads I, aVL, V5 and V6"),
        ("supraventricular arrhythmia", "atrial flutter"),  # a kind of it
        ("supraventricular arrhythmia", "atrial fibrillation (AF)"),
    ],
)
def test_what_the_knowledge_says_is_left_alone(index, name, phrase):
    assert found(by_hand(A=(name, f"= {name}", phrase)), index) == []


def test_a_phrase_that_names_another_class_or_a_kind_of_it(index):
    prompts = by_hand(
        A=("supraventricular arrhythmia", "= supraventricular arrhythmia"),
        B=("sinus rhythm", "= sinus rhythm", "atrial flutter"),
        C=("complete right bundle branch block", "= complete right bundle branch block", "sinus rhythm"),
    )
    said = {(item.kind, item.code, item.text): item for item in lint(prompts, index=index)}
    assert said["other-class", "B", "atrial flutter"].others == ("A",)
    assert said["other-class", "C", "sinus rhythm"].others == ("B",)
    assert said["shared", "C", "sinus rhythm"].others == ("B",)
    assert {key[0] for key in said} == {"other-class", "shared"}


def test_a_shared_phrase_is_found_in_other_words_but_not_in_what_speaks_against(index):
    prompts = by_hand(
        A=("martian drift", "long PR interval", "not pacing spikes"),
        B=("venusian drift", "prolonged PR intervals", "not pacing spikes"),
    )
    shared = [item for item in lint(prompts, index=index) if item.kind == "shared"]
    assert [(item.code, item.others) for item in shared] == [("A", ("B",)), ("B", ("A",))]


def test_a_class_nobody_knows_is_one_warning(index):
    prompts = by_hand(X=("martian drift", "green waves in V1", "PR interval of 17 ms", "Let me know"))
    assert found(prompts, index) == [("no-knowledge", "X", None), ("chatter", "X", "Let me know")]


def test_what_is_said_twice(index):
    prompts = by_hand(
        A=(
            "martian drift",
            "long PR interval",
            "prolonged PR interval",
            "flat T waves",
            "not flattened T waves",
        )
    )
    assert [item for item in found(prompts, index) if item[2]] == [
        ("near-duplicate", "A", "prolonged PR interval"),
        ("contradiction", "A", "flattened T waves"),
    ]


def test_classes_missing_unknown_and_empty(index):
    labels = LabelSet(
        name="mine",
        classes={"SR": LabelClass(name="sinus rhythm"), "AF": LabelClass(name="atrial fibrillation")},
    )
    prompts = by_hand(AF=("atrial fibrillation", "not distinct P waves before every QRS complex"), X=("x",))
    said = {(kind, code) for kind, code, _ in found(prompts, index, label_set=labels)}
    assert {
        ("missing-class", "SR"),
        ("unknown-class", "X"),
        ("empty-class", "AF"),
        ("empty-class", "X"),
    } <= said


@dataclass
class Words:
    """A text encoder that reads five words."""

    name: str = "words"
    max_tokens: int = 5

    def count_tokens(self, text):
        return len(text.split())


def test_a_text_that_is_too_long_is_counted(index):
    long = "irregularly irregular RR intervals in all of the leads"
    said = lint(by_hand(A=("atrial fibrillation", long)), index=index, encoder=Words())
    (item,) = [item for item in said if item.kind == "too-long"]
    assert item.message == "has 9 tokens and words reads 5"


def test_the_joined_string_is_what_the_encoder_reads(index):
    said = lint(
        by_hand("imported", A=("atrial fibrillation", "one two three, four five six")),
        index=index,
        encoder=Words(),
    )
    assert [item.text for item in said if item.kind == "too-long"] == ["one two three, four five six"]


def test_classes_that_an_embedding_hardly_tells_apart(index):
    prompts = PromptSet.plain({"A": "atrial fibrillation", "B": "sinus rhythm", "C": "ST depression"})
    rows = np.array([[1, 0], [0, 1], [0.995, 0.0999]], np.float32)
    (item,) = lint(prompts, index=index, embeddings=rows)
    assert (item.kind, item.code, item.others) == ("close-classes", "A", ("C",))
    assert lint(prompts, index=index, embeddings=rows, closest=0.999) == []


def test_what_is_generated_is_clean(index):
    labels = {"AF": "atrial fibrillation", "SR": "sinus rhythm", "LBBB": "complete left bundle branch block"}
    assert lint(generate_prompts(labels, index=index), index=index) == []


def test_one_key_for_two_label_sets(tmp_path):
    path = tmp_path / "flat.json"
    path.write_text(json.dumps({"STE": "ST elevation", "AF": "atrial fibrillation"}))

    def labels(name, **classes):
        items = {code: LabelClass(name=said, entry=entry) for code, (said, entry) in classes.items()}
        return import_prompts(path, LabelSet(name=name, classes=items))

    one = labels("one", STE_=("non-specific ST elevation", "STE_"), AF=("atrial fibrillation", "AFIB"))
    two = labels("two", STE=("ST elevation infarction", "STEMI"), AF=("auricular fibrillation", "AFIB"))
    said = {item.code: item for item in collisions([one, two])}
    assert (said["STE"].kind, said["AF"].kind) == ("collision", "same-key")
    assert said["STE"].severity == "error"
    assert said["STE"].others == ("one", "two")
    assert collisions([one]) == []


SHIPPED = sorted((content_dir("prompts") / "sets").glob("*/*.yaml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_shipped_sets_have_no_error(path):
    prompts = PromptSet.load(path)
    counters = Words(max_tokens=256)
    said = [item for item in lint(prompts, encoder=counters) if item.severity == "error"]
    assert said == []


def _official(merl_data):
    """The published prompts for each label set; CSN's classes are the columns of its table."""
    path = merl_data / "merl-official" / "CKEPE_prompt.json"
    keys = read_foreign(path)
    with (merl_data / "merl-official/data_split/chapman/chapman_val.csv").open() as table:
        codes = next(csv.reader(table))[3:]
    names = {code: str(keys[code]).split(",")[0] for code in codes}
    csn = LabelSet(name="chapman", classes={code: LabelClass(name=name) for code, name in names.items()})
    wanted = ["cpsc2018", "ptbxl-form", "ptbxl-rhythm", "ptbxl-sub", "ptbxl-super"]
    fitting = [item.name for item in fitting_label_sets(keys)]
    assert set(wanted) <= set(fitting)
    return {labels.name: import_prompts(path, labels) for labels in (*map(load_label_set, wanted), csn)}


@pytest.mark.realdata
def test_the_published_prompts_have_the_faults_that_are_known_of_them(merl_data):
    imports = _official(merl_data)
    said = {name: lint(item.prompt_set, label_set=item.label_set) for name, item in imports.items()}
    assert all(not item.missing for item in imports.values())

    def texts(name, code, *kinds):
        return {
            (item.text or "").lower()
            for item in said[name]
            if item.code == code and item.kind in kinds and KINDS[item.kind] == "error"
        }

    wrong = ("contradiction", "other-class", "other-condition")
    assert len(texts("ptbxl-rhythm", "BIGU", "chatter")) == 3
    for name in ("cpsc2018", "ptbxl-sub", "ptbxl-super"):
        assert {"sinus tachycardia", "sinus bradycardia"} <= texts(name, "NORM", *wrong)
    for name in ("cpsc2018", "ptbxl-sub"):
        assert "incomplete right bundle branch block" in texts(name, "CRBBB", *wrong)
        fascicular = {"left anterior fascicular block", "left posterior fascicular block"}
        assert fascicular <= texts(name, "CLBBB", *wrong)
    assert "st segment elevation" in texts("chapman", "STDD", *wrong)
    assert "counterclockwise rotation" in texts("chapman", "CR", *wrong)

    def pairs(name):
        shared = [item for item in said[name] if item.kind == "shared"]
        return {frozenset((item.code, other)) for item in shared for other in item.others}

    for name, least in (("ptbxl-sub", 10), ("ptbxl-rhythm", 7), ("ptbxl-form", 2), ("chapman", 10)):
        classes = imports[name].prompt_set.classes.items()
        said_by = {code: {phrase.text.lower() for phrase in item.prompts} for code, item in classes}
        same = {
            frozenset(pair)
            for pair in itertools.combinations(said_by, 2)
            if said_by[pair[0]] & said_by[pair[1]]
        }
        assert len(same) == least
        assert same <= pairs(name)
    assert len(collisions(list(imports.values()))) == 16
