import pytest

from merl.errors import PromptError, UsageError
from merl.label_sets import load_label_set, shipped_label_sets

PAIRS = {"AFIB": "atrial fibrillation", "SR": "sinus rhythm, normal"}


def names(label_set) -> dict[str, str]:
    return {code: item.name for code, item in label_set.classes.items()}


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("a.yaml", "AFIB: atrial fibrillation\nSR: sinus rhythm, normal\n"),
        ("a.yml", "classes:\n  AFIB: atrial fibrillation\n  SR: {name: 'sinus rhythm, normal'}\n"),
        ("a.json", '{"AFIB": "atrial fibrillation", "SR": "sinus rhythm, normal"}'),
        ("a.csv", 'code,name\nAFIB,atrial fibrillation\n\nSR,"sinus rhythm, normal"\n'),
        ("a.csv", '\ufeffAFIB,atrial fibrillation\r\nSR,"sinus rhythm, normal"\r\n'),
    ],
)
def test_files_of_codes_and_names(tmp_path, file, content):
    path = tmp_path / file
    path.write_text(content, encoding="utf-8", newline="")
    label_set = load_label_set(path)
    assert names(label_set) == PAIRS
    assert list(label_set.classes) == list(PAIRS)
    assert label_set.name == "a"
    assert names(load_label_set(PAIRS)) == PAIRS


def test_a_folder_holds_no_labels_and_a_shipped_name_goes_before_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("csn", "mine"):
        (tmp_path / name).mkdir()
    assert load_label_set("csn").name == "csn"
    with pytest.raises(UsageError, match="mine is a folder; give a file of labels"):
        load_label_set("mine")


@pytest.mark.parametrize("header", ["Code,Name", "label, description", "CLASS,label", "id,name"])
def test_a_csv_header_is_no_class(tmp_path, header):
    path = tmp_path / "a.csv"
    path.write_text(f"{header}\nAFIB,atrial fibrillation\n")
    assert names(load_label_set(path)) == {"AFIB": "atrial fibrillation"}


def test_text_has_a_name_a_line(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("\ufeff# rhythms\natrial fibrillation\n\n  sinus rhythm \n", encoding="utf-8")
    assert list(load_label_set(path).classes) == ["atrial fibrillation", "sinus rhythm"]


def test_a_full_yaml_keeps_entries_and_numeric_codes(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(
        "schema: merl/label-set/v1\nname: mine\n"
        "classes:\n  427393009: {name: sinus arrhythmia, entry: SARRH}\n"
    )
    label_set = load_label_set(path)
    assert label_set.name == "mine"
    assert label_set.classes["427393009"].entry == "SARRH"


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("e.yaml", "", "holds no labels"),
        ("e.yaml", "{}", "holds no labels"),
        ("e.csv", "code,name\n", "holds no labels"),
        ("e.txt", "# nothing\n\n", "holds no labels"),
        ("e.yaml", "schema: merl/label-set/v1\nname: x\nclasses: {}\n", "classes"),
        ("e.yaml", "AFIB: ''\n", "has no name"),
        ("e.yaml", "AFIB:\n", "has no name"),
        ("e.yaml", "AFIB: 3\n", "has no name"),
        ("e.csv", "AFIB, \n", "has no name"),
        ("d.yaml", "A: one\nB: two\nA: three\n", "line 3: 'A' appears twice"),
        ("d.yaml", "classes:\n  A: one\n  B: two\n  A: three\n", "line 4: 'A' appears twice"),
        ("d.yaml", "A: one\nB: ONE\n", "'B' .ONE. repeats 'A'"),
        ("d.csv", "A,one\nA,two\n", "'A' .two. repeats 'A'"),
        ("d.txt", "one\nOne\n", "repeats 'one'"),
        ("m.csv", "A,one\nB\n", "'B' has 1 column"),
        ("m.csv", "A,one, two and three\n", "has 3 column"),
        ("m.csv", "Name,Code\natrial fibrillation,AFIB\n", "columns are name,code; write the code first"),
        ("m.csv", "label,code\natrial fibrillation,AFIB\n", "columns are label,code; write the code first"),
        ("m.yaml", "classes:\n  A: {name: ' '}\n", "at least 1 character"),
        ("m.yaml", "classes:\n  A: one\n  'A ': two\n", "line 3: 'A ' appears twice"),
        ("c.yaml", "A: &a [*a]\n", "'A'. has no name"),
        ("c.yaml", "classes: &a {A: *a}\n", "unknown key"),
        ("m.yaml", "- A\n- B\n", "expected a mapping"),
        ("m.yaml", "A: [\n", "not valid YAML"),
        ("m.yaml", "NO: normal\n", "reads a code as False"),
        ("m.yaml", "classes:\n  A: {nam: one}\n", "nam"),
        ("m.yaml", "clases: {A: one}\nschema: merl/label-set/v1\nname: x\n", "did you mean 'classes'"),
    ],
)
def test_bad_files_are_refused_in_one_sentence(tmp_path, file, content, message):
    path = tmp_path / file
    path.write_text(content)
    with pytest.raises(PromptError, match=message) as caught:
        load_label_set(path)
    assert file in str(caught.value)


@pytest.mark.parametrize("file", ["x.csv", "x.txt", "x.yaml"])
def test_other_encodings_are_refused(tmp_path, file):
    (tmp_path / file).write_bytes("A,Überleitung\n".encode("latin-1"))
    with pytest.raises(PromptError, match=r"UTF-8|utf-8"):
        load_label_set(tmp_path / file)


def test_unknown_names_are_refused_with_near_ones():
    with pytest.raises(UsageError, match="did you mean 'ptbxl-rhythm'"):
        load_label_set("ptbxl-rythm")


def test_shipped_label_sets():
    sizes = {name: len(load_label_set(name).classes) for name in shipped_label_sets()}
    ptbxl = {"ptbxl-form": 19, "ptbxl-rhythm": 12, "ptbxl-sub": 23, "ptbxl-super": 5}
    mitbih = {"mitbih-aami": 5, "mitbih-beats": 21, "mitbih-rhythm": 15}
    others = {"challenge2021": 133, "code15": 6, "cpsc2018": 9, "csn": 63, "georgia": 23, "ludb": 57}
    assert sizes == {**ptbxl, **mitbih, **others, "ptbxl-all": 71, "sph": 44}
    for name in sizes:
        label_set = load_label_set(name)
        assert label_set.name == name
        assert all(item.entry for item in label_set.classes.values())
    assert load_label_set("ptbxl-form").classes["PRC(S)"].entry == "PRCS"
    assert load_label_set("cpsc2018").classes["VPC"].entry == "PVC"
