import pytest

from merl.ckepe.generator import generate_prompts
from merl.ckepe.prompt_set import PromptSet
from merl.errors import PromptError, UsageError
from merl.label_sets import LabelClass, LabelSet

LABELS = {"AFIB": "Atrial fibrillation", "SR": "sinus rhythm", "1AVB": "1st degree AV block"}


def texts(prompt_set, code, role=None, polarity="present"):
    phrases = prompt_set.classes[code].prompts
    return [p.text for p in phrases if role in {None, p.role} and p.polarity == polarity]


def test_knowledge_alone_gives_every_statement_its_place_and_source(index):
    made = generate_prompts(LABELS, index=index)
    afib = made.classes["AFIB"]
    assert [(p.text, p.role, p.polarity, *p.sources) for p in afib.prompts] == [
        ("atrial fibrillation", "name", "present", "ecg:AFIB#name"),
        ("auricular fibrillation", "synonym", "present", "ecg:AFIB#synonyms/0"),
        ("absolute arrhythmia", "synonym", "present", "ecg:AFIB#synonyms/1"),
        ("irregularly irregular RR intervals", "finding", "present", "ecg:AFIB#findings/0"),
        (
            "fine fibrillatory waves of the baseline, best seen in V1",
            "finding",
            "present",
            "ecg:AFIB#findings/1",
        ),
        ("distinct P waves before every QRS complex", "finding", "absent", "ecg:AFIB#absent/0"),
    ]
    assert list(made.classes) == list(LABELS)
    assert texts(made, "1AVB", "synonym") == [
        "first degree AV block",
        "prolonged atrioventricular conduction",
    ]
    assert (made.generator.kind, made.generator.index_sha256) == ("knowledge", index.sha256)


def test_a_phrase_shared_by_two_classes_is_thrown_out_of_both(index):
    made = generate_prompts({"L": "LBBB", "R": "RBBB"}, index=index)
    for code, other in (("L", "R"), ("R", "L")):
        assert "QRS duration of 120 ms or more" not in texts(made, code)
        reasons = {item.text: item.reason for item in made.classes[code].rejected}
        assert f"class {other}" in reasons["QRS duration of 120 ms or more"]


def test_a_phrase_that_names_a_sibling_is_thrown_out(index, entries):
    finding = entries["AFLT"].findings[0].model_copy(update={"text": "a rhythm unlike atrial fibrillation"})
    index.entries["AFLT"] = entries["AFLT"].model_copy(update={"findings": (finding,)})
    changed = type(index)(index.entries, index.embedder)
    made = generate_prompts({"AFIB": "atrial fibrillation", "AFLT": "atrial flutter"}, index=changed)
    assert [item.reason for item in made.classes["AFLT"].rejected] == [
        "names the class AFIB (atrial fibrillation) of the same label set"
    ]


def test_kinds_are_subtypes_of_a_group_unless_they_are_classes_themselves(index):
    alone = generate_prompts({"SVARR": "supraventricular arrhythmia"}, index=index)
    assert texts(alone, "SVARR", "subtype") == ["atrial fibrillation", "atrial flutter"]
    labels = {"SVARR": "supraventricular arrhythmia", "AFIB": "atrial fibrillation"}
    assert texts(generate_prompts(labels, index=index), "SVARR", "subtype") == ["atrial flutter"]


def test_a_declared_entry_decides_and_an_unknown_one_is_refused(index):
    declared = LabelSet(name="x", classes={"AF": LabelClass(name="AF", entry="AFLT")})
    assert "ecg:AFLT#findings/0" in [
        s for p in generate_prompts(declared, index=index).classes["AF"].prompts for s in p.sources
    ]
    wrong = LabelSet(name="x", classes={"AF": LabelClass(name="AF", entry="AFLTT")})
    with pytest.raises(PromptError, match="did you mean 'AFLT'"):
        generate_prompts(wrong, index=index)


def test_an_ambiguous_name_is_not_guessed_unless_the_code_decides(index):
    with pytest.raises(PromptError, match=r"may mean AFIB \(atrial fibrillation\) or AFLT"):
        generate_prompts({"7": "AF"}, index=index)
    assert "irregularly irregular RR intervals" in texts(
        generate_prompts({"AFIB": "AF"}, index=index), "AFIB"
    )


def test_the_nearest_name_is_not_taken_where_it_excludes_the_class(index):
    made = generate_prompts(
        {"X": "total left-sided bundle block", "Y": "incomplete right bundle block"}, index=index
    )
    assert "ecg:CLBBB#absent/0" in [s for p in made.classes["X"].prompts for s in p.sources]
    assert [(p.text, p.sources) for p in made.classes["Y"].prompts] == [("incomplete right bundle block", ())]


def test_a_class_nobody_knows_keeps_its_name_and_says_so(index, caplog):
    made = generate_prompts({"Z": "Martian syndrome"}, index=index)
    assert [(p.text, p.role, p.sources) for p in made.classes["Z"].prompts] == [
        ("martian syndrome", "name", ())
    ]
    assert "no knowledge found for class 'Z'" in caplog.text


@pytest.mark.parametrize("bad", [{"verify": "strikt"}, {"k": 0}, {"concurrency": 0}, {"llm": "gpt"}])
def test_wrong_options_are_refused(index, bad):
    with pytest.raises(UsageError):
        generate_prompts(LABELS, index=index, **bad)


def test_the_set_survives_its_file(index, tmp_path):
    made = generate_prompts({"L": "LBBB", "R": "RBBB"}, index=index)
    made.save(tmp_path / "generated.yaml")
    assert PromptSet.load(tmp_path / "generated.yaml") == made
