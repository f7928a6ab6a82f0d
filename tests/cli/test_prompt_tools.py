import json

import pytest

from merl.ckepe.prompt_set import PromptSet
from tests.ckepe.hand import by_hand

pytestmark = pytest.mark.usefixtures("small_knowledge")
CLEAN = {"AF": ("atrial fibrillation", "= atrial fibrillation"), "SR": ("sinus rhythm", "= sinus rhythm")}
FLAT = {"AF": "Atrial Fibrillation, absolute arrhythmia, sinus rhythm", "SR": "Sinus Rhythm", "XX": "x"}


@pytest.fixture
def flat(place):
    path = place / "flat.json"
    path.write_text(json.dumps(FLAT))
    (place / "mine.yaml").write_text("AF: atrial fibrillation\nSR: sinus rhythm\n")
    return path


def test_lint_a_clean_set(merl, place):
    by_hand(**CLEAN).save(place / "set.yaml")
    done = merl("prompts", "lint", "set.yaml")
    assert (done.code, done.out) == (0, "")
    assert "set.yaml: 0 errors, 0 warnings" in done.err
    assert json.loads(merl("prompts", "lint", "set.yaml", "--json").out) == []


def test_lint_exits_with_1_for_an_error_and_0_for_a_warning(merl, place):
    by_hand(AF=("atrial fibrillation", "Let me know if it helps")).save(place / "bad.yaml")
    by_hand(AF=("atrial fibrillation", "a delta wave at QRS onset")).save(place / "so-so.yaml")
    done = merl("prompts", "lint", "bad.yaml")
    assert done.code == 1
    assert done.out.startswith("error   chatter         AF: 'Let me know if it helps' is a language model")
    done = merl("prompts", "lint", "so-so.yaml", "--json")
    assert done.code == 0
    (item,) = json.loads(done.out)
    assert (item["file"], item["label_set"], item["severity"]) == ("so-so.yaml", "mine", "warning")
    assert (item["kind"], item["class"], item["text"]) == ("unsupported", "AF", "a delta wave at QRS onset")
    done = merl("prompts", "lint", "bad.yaml", "so-so.yaml")
    assert done.code == 1
    assert "bad.yaml (mine): AF" in done.out
    assert "so-so.yaml (mine): AF" in done.out


def test_lint_knows_the_classes_it_is_told(merl, fails, flat, place):
    by_hand(AF=("atrial fibrillation", "= atrial fibrillation")).save(place / "set.yaml")
    done = merl("prompts", "lint", "set.yaml", "--labels", "mine.yaml")
    assert done.code == 1
    assert "missing-class   SR of mine is missing" in done.out
    said = fails(1, "prompts", "lint", "set.yaml", "--labels", "ptbxl-rhythm")
    assert "made for the label set 'mine', not for 'ptbxl-rhythm'" in said


def test_lint_json_of_others_as_it_is(merl, fails, flat):
    done = merl("prompts", "lint", "flat.json", "--labels", "mine.yaml", "--json")
    assert done.code == 1
    kinds = {(item["class"], item["kind"], item["text"]) for item in json.loads(done.out)}
    assert ("AF", "other-class", "sinus rhythm") in kinds
    assert "has all classes of no shipped label set" in fails(1, "prompts", "lint", "flat.json")


def test_lint_with_a_model_looks_at_lengths_and_nearness(merl, place, checkpoint):
    long = "irregularly irregular RR intervals " * 60
    by_hand(AF=CLEAN["AF"], SR=("sinus rhythm", long)).save(place / "a.yaml")
    given = ("prompts", "lint", "a.yaml", "--json", "--checkpoint", checkpoint)
    done = merl(*given)
    assert "whether classes are too close was not looked at" in done.err
    (item,) = [item for item in json.loads(done.out) if item["kind"] == "too-long"]
    assert "tokens and all-MiniLM-L6-v2 reads 256" in item["message"]
    by_hand(**CLEAN).save(place / "a.yaml")
    assert merl(*given, "--closest", "1").out == "[]\n"
    (item,) = json.loads(merl(*given, "--closest", "-1").out)
    assert (item["kind"], item["severity"], item["others"]) == ("close-classes", "warning", ["SR"])


def test_import_says_what_was_used_missing_and_left_over(merl, flat, place):
    (place / "more.yaml").write_text("AF_: atrial fibrillation\nAFL: atrial flutter\n")
    done = merl("prompts", "import", "flat.json", "--label-set", "more.yaml", "--out", "set.yaml")
    assert (done.code, done.out) == (0, "")
    for said in (
        "1 of 2 classes, written to set.yaml",
        "under another key: AF_ from AF",
        "without prompts: AFL",
        "2 keys of flat.json are no class of more: SR, XX",
    ):
        assert said in done.err
    assert PromptSet.load(place / "set.yaml").classes["AF_"].present == FLAT["AF"].split(", ")
    merl("prompts", "import", "flat.json", "--label-set", "more.yaml", "--out", "set.yaml", "--joined")
    assert PromptSet.load(place / "set.yaml").classes["AF_"].present == [FLAT["AF"]]


@pytest.mark.parametrize(
    ("code", "name", "content", "sentence"),
    [
        (1, "a.json", "{", "is not valid JSON"),
        (1, "a.json", '{"Q": "x"}', "has no prompts for ptbxl-rhythm"),
        (2, "none.json", None, "there is no file none.json"),
    ],
)
def test_a_file_that_cannot_be_imported(fails, place, *, code, name, content, sentence):
    if content:
        (place / name).write_text(content)
    given = ("prompts", "import", name, "--label-set", "ptbxl-rhythm", "--out", "set.yaml")
    assert sentence in fails(code, *given)


def test_the_file_imported_is_not_written_over(fails, flat):
    given = ("prompts", "import", "flat.json", "--label-set", "mine.yaml", "--out")
    for name in ("flat.json", "mine.yaml"):
        assert f"{name} is read here" in fails(2, *given, name)


def test_a_server_for_controls_needs_a_model(fails, flat):
    given = ("prompts", "controls", "mine.yaml", "--out", "controls", "--base-url", "http://127.0.0.1:9/v1")
    assert "--base-url needs --llm" in fails(2, *given)


def test_json_is_no_prompt_set_and_the_error_says_what_to_do(fails, flat):
    for given in (("repair", "flat.json", "--out", "x.yaml"), ("show", "flat.json"), ("verify", "flat.json")):
        assert "make a prompt set of it with `merl prompts import flat.json`" in fails(1, "prompts", *given)


def test_repair_writes_what_lint_has_nothing_against(merl, flat):
    merl("prompts", "import", "flat.json", "--label-set", "mine.yaml", "--out", "set.yaml")
    assert merl("prompts", "lint", "set.yaml").code == 1
    done = merl("prompts", "repair", "set.yaml", "--out", "fixed.yaml")
    assert (done.code, done.out) == (0, "")
    assert "1 rejected; written to fixed.yaml" in done.err
    assert merl("prompts", "lint", "fixed.yaml").code == 0


def test_repair_says_where_it_knows_nothing(merl, place):
    by_hand(X=("martian drift", "green waves")).save(place / "set.yaml")
    done = merl("prompts", "repair", "set.yaml", "--out", "fixed.yaml")
    assert "no knowledge found for X: only the name is left there" in done.err


def test_controls_are_written_and_those_left_out_are_said(merl, flat, place):
    done = merl("prompts", "controls", "mine.yaml", "--out", "controls", "--seed", 1)
    assert (done.code, done.out) == (0, "")
    names = sorted(path.stem for path in (place / "controls").iterdir())
    assert names == ["knowledge", "mets", "plain", "random-words", "shuffled", "template"]
    assert PromptSet.load(place / "controls" / "shuffled.yaml").generator.seed == 1
    assert "not made: ckepe" in done.err
    assert "name a language model with --llm" in done.err


def test_controls_into_a_file(fails, flat, place):
    (place / "file").write_text("in the way")
    assert "file is a file" in fails(1, "prompts", "controls", "mine.yaml", "--out", "file")
