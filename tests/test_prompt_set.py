import pytest
import yaml

from merl.ckepe.prompt_set import ClassPrompts, Generator, Phrase, PromptSet, Rejected
from merl.errors import PromptError, UsageError
from merl.files import content_dir
from merl.label_sets import shipped_label_sets


@pytest.fixture
def prompts() -> PromptSet:
    phrases = (
        Phrase(text="atrial fibrillation", role="name"),
        Phrase(text="no P waves: 'f' waves, 350–600/min", sources=("ecg:AFIB#findings/0",)),
        Phrase(text="distinct P waves", polarity="absent", edited=True),
    )
    rejected = (Rejected(text="prolonged PR", reason="not supported", sources=("ecg:AFIB#findings/1",)),)
    classes = {
        "AFIB": ClassPrompts(name="atrial fibrillation", prompts=phrases, rejected=rejected),
        "NO": ClassPrompts(name="null", prompts=(Phrase(text="yes"),)),
        "427393009": ClassPrompts(name="1e3"),
    }
    generator = Generator(kind="ckepe", llm="openai:x", temperature=0.0, created="2026-11-21")
    return PromptSet(label_set="mine", generator=generator, classes=classes)


def test_round_trip(prompts, tmp_path):
    path = tmp_path / "new" / "mine.yaml"
    prompts.save(path)
    loaded = PromptSet.load(path)
    assert loaded == prompts.model_copy(update={"name": "mine"})
    assert list(loaded.classes) == ["AFIB", "NO", "427393009"]
    assert loaded.classes["AFIB"].present == ["atrial fibrillation", "no P waves: 'f' waves, 350–600/min"]
    assert loaded.classes["AFIB"].absent == ["distinct P waves"]
    first = path.read_bytes()
    loaded.save(path)
    assert path.read_bytes() == first


def test_a_phrase_is_a_line(prompts, tmp_path):
    prompts.save(tmp_path / "a.yaml")
    lines = [
        line for line in (tmp_path / "a.yaml").read_text(encoding="utf-8").splitlines() if "text:" in line
    ]
    assert len(lines) == 5
    assert yaml.safe_load((tmp_path / "a.yaml").read_text(encoding="utf-8"))["schema"] == "merl/prompt-set/v1"


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "edited"),
    [
        ("text: long PR", "text: very long PR", True),
        ("text: long PR, role: finding", "text: long PR, role: criterion", True),
        ("long PR, role: finding, polarity: present", "long PR, role: finding, polarity: absent", True),
        ("sources: [a]", "sources: [b]", False),  # nothing else is said
    ],
)
def test_an_edit_by_hand_is_noticed_and_stays_known(tmp_path, *, old, new, edited):
    phrases = (Phrase(text="P waves", role="name"), Phrase(text="long PR", sources=("a",)))
    classes = {"A": ClassPrompts(name="a", prompts=phrases)}
    path = tmp_path / "a.yaml"
    PromptSet(label_set="x", generator=Generator(kind="knowledge"), classes=classes).save(path)
    edit(path, old, new)
    for _ in range(2):  # also once written anew
        loaded = PromptSet.load(path)
        assert [phrase.edited for phrase in loaded.classes["A"].prompts] == [False, edited]
        assert [bool(phrase.sources) for phrase in loaded.classes["A"].prompts] == [False, True]
        loaded.save(path)
    assert ("edited: true" in path.read_text()) is edited


def test_a_phrase_added_by_hand_is_marked_and_a_hand_written_set_needs_no_mark(tmp_path):
    path = tmp_path / "a.yaml"
    PromptSet.plain({"A": "atrial flutter"}).save(path)
    edit(path, "    prompts:\n", "    prompts:\n    - {text: sawtooth waves}\n")
    assert [phrase.edited for phrase in PromptSet.load(path).classes["A"].prompts] == [True, False]
    path.write_text(
        "label_set: x\ngenerator: {kind: manual}\nclasses: {A: {name: a, prompts: [{text: b}]}}\n"
    )
    PromptSet.load(path).save(path)
    assert "as_made" not in path.read_text()
    assert not PromptSet.load(path).classes["A"].prompts[0].edited


def damaged(prompts, path, change) -> str:
    prompts.save(path)
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(yaml.safe_dump(data, sort_keys=False))
    with pytest.raises(PromptError) as caught:
        PromptSet.load(path)
    return str(caught.value)


def test_an_unknown_key_is_refused_with_a_near_match(prompts, tmp_path):
    message = damaged(prompts, tmp_path / "a.yaml", lambda data: data.update(generater={"kind": "plain"}))
    assert "unknown key 'generater'; did you mean 'generator'?" in message


def test_all_faults_are_named_at_once(prompts, tmp_path):
    def change(data):
        data["classes"]["AFIB"]["prompts"][0]["role"] = "finding?"
        data["classes"]["AFIB"]["prompts"][1]["polarty"] = "absent"
        data["classes"]["NO"]["prompts"][0]["text"] = ""
        del data["label_set"]
        data["schema"] = "merl/prompt-set/v2"

    message = damaged(prompts, tmp_path / "a.yaml", change)
    for fault in ("prompts.0.role", "polarty", "NO.prompts.0.text", "label_set", "merl/prompt-set/v1"):
        assert fault in message
    assert str(tmp_path / "a.yaml") in message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "expected a mapping"),
        ("- a\n", "expected a mapping"),
        ("name: x\n", "unknown key 'name'"),
        ("label_set: x\nclasses:\n  A: {name: one}\n  A: {name: two}\n", "line 4: 'A' appears twice"),
        ("label_set: x\nclasses:\n  A:\n    prompts:\n    - {text: a, text: b}\n", "'text' appears twice"),
        ("label_set: [\n", "not valid YAML"),
    ],
)
def test_malformed_files_are_refused(tmp_path, content, message):
    path = tmp_path / "a.yaml"
    path.write_text(content)
    with pytest.raises(PromptError, match=message):
        PromptSet.load(path)


@pytest.mark.parametrize(
    ("review", "message"),
    [
        ("{by: A. Example, date: 2026-01-31, agreed: true, comment: only V1}", None),
        ("{by: A. Example, date: 2026-01-31, agred: true}", "unknown key 'agred'; did you mean 'agreed'?"),
        ("{by: A. Example}", "reviews.0.date"),
        ("{by: '', date: 2026-01-31}", "reviews.0.by"),
        ("{by: A. Example, date: 2026-01-31, digest: abc}", "reviews.0.digest"),
    ],
)
def test_marks_written_by_hand_are_read_and_their_keys_checked(tmp_path, review, message):
    path = tmp_path / "a.yaml"
    path.write_text(
        "label_set: x\ngenerator: {kind: manual}\nreviewed_by: [{by: A. Example, date: 2026-01-31}]\n"
        f"classes: {{A: {{name: a, prompts: [{{text: b, reviews: [{review}]}}]}}}}\n"
    )
    if message is None:
        loaded = PromptSet.load(path)
        assert loaded.classes["A"].prompts[0].agreed == ("A. Example",)
        assert loaded.reviewed_by[0].date.isoformat() == "2026-01-31"
    else:
        with pytest.raises(PromptError) as caught:
            PromptSet.load(path)
        assert message in str(caught.value)


@pytest.mark.parametrize(
    "classes",
    ["A: {name: a, prompts: [{text: ' '}]}", "A: {name: ' '}", "' ': {name: a}"],
)
def test_white_space_is_no_text(tmp_path, classes):
    path = tmp_path / "a.yaml"
    path.write_text(f"label_set: x\ngenerator: {{kind: manual}}\nclasses: {{{classes}}}\n")
    with pytest.raises(PromptError, match=r"a\.yaml: classes.*at least 1 character"):
        PromptSet.load(path)


def test_white_space_around_a_phrase_is_not_kept(tmp_path):
    path = tmp_path / "a.yaml"
    written = "' A': {name: ' a ', prompts: [{text: ' long PR '}]}"
    path.write_text(f"label_set: x\ngenerator: {{kind: manual}}\nclasses: {{{written}}}\n")
    item = PromptSet.load(path).classes["A"]
    assert (item.name, item.present) == ("a", ["long PR"])


def test_plain_is_the_name_in_lower_case_and_nothing_else():
    plain = PromptSet.plain({"BIGU": "bigeminal pattern (unknown origin, SV or Ventricular)"})
    assert plain.classes["BIGU"].present == ["bigeminal pattern (unknown origin, sv or ventricular)"]
    assert plain.classes["BIGU"].prompts[0].role == "name"
    assert (plain.name, plain.generator.kind) == ("plain", "plain")


@pytest.mark.parametrize("label_set", shipped_label_sets())
def test_shipped_plain_sets_are_what_plain_makes(label_set, tmp_path):
    plain = PromptSet.plain(label_set)
    for given in (("plain", label_set), (f"{label_set}/plain", label_set), (f"{label_set}/plain",)):
        assert PromptSet.find(*given) == plain
    plain.save(tmp_path / "plain.yaml")
    shipped = content_dir("prompts") / "sets" / label_set / "plain.yaml"
    assert shipped.read_bytes() == (tmp_path / "plain.yaml").read_bytes()


def test_find_refuses_unknown_names_and_foreign_sets(prompts, tmp_path):
    with pytest.raises(UsageError, match="did you mean 'plain'"):
        PromptSet.find("plian", "ptbxl-form")
    with pytest.raises(UsageError, match="set of mine 'plain'; there is none"):
        PromptSet.find("plain", "mine")
    with pytest.raises(PromptError, match="made for the label set 'ptbxl-sub', not for 'ptbxl-form'"):
        PromptSet.find("ptbxl-sub/plain", "ptbxl-form")
    prompts.save(tmp_path / "mine.yaml")
    assert PromptSet.find(tmp_path / "mine.yaml").name == "mine"
    assert PromptSet.find(tmp_path / "mine.yaml", "mine").name == "mine"
    with pytest.raises(PromptError, match="made for the label set 'mine', not for 'ptbxl-form'"):
        PromptSet.find(tmp_path / "mine.yaml", "ptbxl-form")
    with pytest.raises(PromptError, match="there is no file"):
        PromptSet.load(tmp_path / "none.yaml")


def test_a_folder_holds_a_set_for_each_label_set(tmp_path):
    made = PromptSet.plain("ptbxl-rhythm")
    made.save(tmp_path / "mine" / "ptbxl-rhythm.yaml")
    found = PromptSet.find(tmp_path / "mine", "ptbxl-rhythm")
    assert (found.name, found.classes) == ("mine", made.classes)
    made.save(tmp_path / "mine" / "ptbxl-form.yaml")
    with pytest.raises(PromptError, match="made for the label set 'ptbxl-rhythm', not for 'ptbxl-form'"):
        PromptSet.find(tmp_path / "mine", "ptbxl-form")
    with pytest.raises(UsageError):
        PromptSet.find(tmp_path / "mine", "ptbxl-sub")
