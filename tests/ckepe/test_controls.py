import json

import pytest

from merl.ckepe.control_sets import shuffled
from merl.ckepe.controls import CONTROLS, NEED_LLM, make_controls
from merl.ckepe.generator import generate_prompts
from merl.ckepe.prompt_set import PromptSet
from merl.errors import UsageError
from tests.fake_llm import completion, serve

LABELS = {
    "AF": "Atrial fibrillation",
    "AFL": "atrial flutter",
    "SR": "sinus rhythm",
    "AVB": "first degree AV block",
    "LBBB": "complete left bundle branch block",
}


def test_every_control_without_a_language_model(index):
    made = make_controls(LABELS, index=index)
    assert list(made) == [name for name in CONTROLS if name not in NEED_LLM]
    assert made["plain"] == PromptSet.plain(LABELS)
    assert made["template"].classes["AF"].present == ["this ECG shows atrial fibrillation"]
    assert made["mets"].classes["AF"].present == ["The report of the ECG is that atrial fibrillation"]
    assert made["knowledge"].classes == generate_prompts(LABELS, index=index).classes
    for name, prompts in made.items():
        assert (prompts.name, list(prompts.classes), prompts.label_set) == (name, list(LABELS), "labels")
        assert {code: item.name for code, item in prompts.classes.items()} == LABELS
    assert {made[name].generator.control for name in ("template", "mets", "shuffled", "random-words")} == {
        "template",
        "mets",
        "shuffled",
        "random-words",
    }


@pytest.mark.parametrize("seed", range(20))
def test_shuffling_leaves_no_class_its_own_and_loses_nothing(index, seed):
    known = generate_prompts(LABELS, index=index)
    turned = shuffled(known, seed)
    assert turned == shuffled(known, seed)
    assert turned.generator.seed == seed
    for code, item in turned.classes.items():
        assert item.prompts != known.classes[code].prompts
        assert item.name == known.classes[code].name
    assert {item.prompts for item in turned.classes.values()} == {
        item.prompts for item in known.classes.values()
    }


def test_two_classes_are_swapped_and_one_cannot_be_shuffled(index):
    two = PromptSet.plain({"A": "a", "B": "b"})
    assert [item.present for item in shuffled(two).classes.values()] == [["b"], ["a"]]
    with pytest.raises(UsageError, match="a single class cannot be shuffled"):
        shuffled(PromptSet.plain({"A": "a"}))
    assert "shuffled" not in make_controls({"SR": "sinus rhythm"}, index=index)


def test_random_words_keep_the_name_and_the_number_of_phrases(index):
    made = make_controls(LABELS, index=index, seed=3)
    words = made["random-words"]
    for code, item in words.classes.items():
        assert len(item.prompts) == len(made["knowledge"].classes[code].present)
        start = f"{LABELS[code].lower()}, which has "
        assert all(text.startswith(start) and len(text[len(start) :].split()) == 3 for text in item.present)
    assert words == make_controls(LABELS, index=index, seed=3)["random-words"]
    assert words.classes != make_controls(LABELS, index=index, seed=4)["random-words"].classes


def test_with_a_language_model_both_kinds_of_asking_are_made(index):
    def answer(request):
        question = request["messages"][-1]["content"]
        if '"attributes"' in question:
            said = {"attributes": [], "synonyms": [], "subtypes": []}
        elif '"findings"' in question:
            said = {"findings": [], "against": []}
        else:
            said = {"phrases": ["prolonged QT interval.", " "]}
        return completion(json.dumps(said))

    with serve(answer) as server:
        made = make_controls({"AF": "atrial fibrillation"}, llm="openai:m", base_url=server.url, index=index)
    assert list(made)[-2:] == list(NEED_LLM)
    unaided = made["no-retrieval"]
    assert unaided.classes["AF"].present == ["atrial fibrillation", "prolonged QT interval"]  # unchecked
    by = unaided.generator
    assert (by.kind, by.control, by.llm, by.verify) == ("control", "no-retrieval", "openai:m", "off")
    assert made["ckepe"].generator.kind == "ckepe"
    asked = [request["messages"][-1]["content"] for request in server.requests]
    assert "irregularly irregular" not in asked[0]
    assert "irregularly irregular" in asked[1]
