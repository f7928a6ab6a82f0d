import json

from merl.ckepe.prompt_set import PromptSet
from tests.ckepe.hand import by_hand

HEAD = "schema: merl/prompt-set/v1\nlabel_set: x\ngenerator: {kind: manual}\n"


def test_show_names_phrases_sources_and_rejections(merl, place):
    (place / "set.yaml").write_text(
        f"{HEAD}classes:\n  AF:\n"
        "    name: atrial [old] fibrillation\n    prompts:\n"
        "      - {text: irregular rhythm, sources: ['ecg:AFIB#findings/0']}\n"
        "      - {text: P waves, polarity: absent}\n"
        "      - {text: long QT, edited: true, sources: ['ecg:NONE#findings/0']}\n"
        "    rejected:\n      - {text: long PR, reason: nothing supports it}\n"
    )
    done = merl("prompts", "show", "set.yaml")
    assert done.code == 0
    for text in (
        "x, 1 classes, manual",
        "AF: atrial [old] fibrillation",
        "irregular rhythm",
        "ecg:AFIB#findings/0",
        "not: P waves",
        "long QT  (edited by hand; verify says whether its sources hold)",
        "ecg:NONE#findings/0 (no such passage)",
        "rejected 1: nothing supports it",
        "Sources\n",
        "doi:",
    ):
        assert text in done.out


def test_show_a_shipped_set_and_who_made_it(merl):
    done = merl("prompts", "show", "ptbxl-rhythm/knowledge")
    assert done.code == 0
    assert done.out.startswith("ptbxl-rhythm, 12 classes, knowledge; verified: strict; made ")


def test_show_a_file_that_is_not_there(fails):
    assert "unknown prompt file or shipped set 'nowhere.yaml'" in fails(2, "prompts", "show", "nowhere.yaml")


def test_diff_names_what_changed_and_leaves_out_what_did_not(merl, place):
    by_hand(A=("a", "long PR interval", "flat T waves"), B=("b", "x")).save(place / "one.yaml")
    by_hand(A=("aa", "prolonged PR interval", "not flat T waves", "ST elevation")).save(place / "two.yaml")
    done = merl("prompts", "diff", "one.yaml", "two.yaml")
    assert done.code == 0
    assert done.out.splitlines() == [
        "class B is in one.yaml alone",
        "class A is called 'a' in one.yaml and 'aa' in two.yaml",
        "A:",
        "  ~ long PR interval -> prolonged PR interval",
        "  ! not: flat T waves  [finding, present -> finding, absent]",
        "  + ST elevation  [finding]",
        "B:",
        "  - x  [finding]",
    ]
    assert done.err.strip() == "1 reworded, 1 changed, 1 removed, 1 added"
    same = merl("prompts", "diff", "one.yaml", "one.yaml")
    assert (same.code, same.out, same.err) == (0, "", "3 same\n")


def test_diff_as_json(merl, place):
    by_hand(A=("a", "long PR interval")).save(place / "one.yaml")
    by_hand(A=("a", "prolonged PR interval")).save(place / "two.yaml")
    said = json.loads(merl("prompts", "diff", "one.yaml", "two.yaml", "--json").out)
    assert sorted(said) == ["added_classes", "changes", "removed_classes", "renamed"]
    (change,) = said["changes"]
    assert (change["class"], change["kind"]) == ("A", "reworded")
    assert change["before"]["text"] == "long PR interval"
    assert change["after"]["text"] == "prolonged PR interval"


def test_diff_pairs_by_meaning_where_it_is_asked_to(merl, place):
    by_hand(A=("a", "the atria are fibrillating")).save(place / "one.yaml")
    by_hand(A=("a", "fibrillating of the upper chambers")).save(place / "two.yaml")
    assert "  - the atria" in merl("prompts", "diff", "one.yaml", "two.yaml").out
    assert "  ? the atria" in merl("prompts", "diff", "one.yaml", "two.yaml", "--near", "0.4").out


def test_an_edit_by_hand_shows(merl, place):
    PromptSet.plain({"A": "atrial flutter"}).save(place / "set.yaml")
    text = (place / "set.yaml").read_text().replace("text: atrial flutter", "text: flutter waves")
    (place / "set.yaml").write_text(text)
    assert "flutter waves  (edited by hand)" in merl("prompts", "show", "set.yaml").out
