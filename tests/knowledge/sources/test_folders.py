import json

import pytest

from merl.errors import KnowledgeError
from merl.knowledge.sources.base import LONGEST
from merl.knowledge.sources.folders import JSONLines, Markdown

BOOK = """Before any heading.

# Arrhythmias
## Atrial fibrillation
The rhythm is irregular.
No P waves are seen.
```
# not a heading
```
#### Flutter ####
Sawtooth waves.
# Blocks
"""


def test_json_lines(tmp_path):
    path = tmp_path / "own.jsonl"
    lines = [
        {"text": "irregular rhythm", "concept": "AF", "name": "atrial fibrillation", "kind": "finding"},
        {"text": "a thought"},
        {"txt": "misspelt key"},
        {"text": "of a strange kind", "kind": "poem"},
    ]
    path.write_text("\n".join([*map(json.dumps, lines), "{cut off"]))
    source = JSONLines(path)
    first, second = source.passages()
    assert (first.id, first.entry, first.kind) == ("jsonl:own:AF#finding/1", "AF", "finding")
    assert (first.name, first.source) == ("atrial fibrillation", "jsonl:own")
    assert (second.id, second.kind, second.text) == ("jsonl:own:2#text/2", "text", "a thought")
    assert source.skipped == {"line that is no passage": 3}


def test_a_file_of_other_lines_is_refused(tmp_path):
    path = tmp_path / "other.jsonl"
    path.write_text('{"sentence": "x"}\n')
    sentence = r"holds no passage \(line 1: text field required\); its keys are text, concept, name, kind"
    with pytest.raises(KnowledgeError, match=sentence):
        list(JSONLines(path).passages())
    with pytest.raises(KnowledgeError, match="there is no file"):
        JSONLines(tmp_path)


def test_markdown_is_cut_at_headings(tmp_path):
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "ecg.md").write_text(BOOK)
    (tmp_path / "latin.md").write_bytes("Überleitung".encode("latin-1"))
    source = Markdown(tmp_path)
    found = [(passage.name, passage.text) for passage in source.passages()]
    assert found == [
        ("ecg", "Before any heading."),
        ("Arrhythmias > Atrial fibrillation", "The rhythm is irregular. No P waves are seen."),
        ("Arrhythmias > Atrial fibrillation > Flutter", "Sawtooth waves."),
    ]
    assert [passage.id for passage in source.passages()][1] == f"md:{tmp_path.name}:part/ecg.md#text/1"
    assert source.skipped == {"file that is not UTF-8": 2}  # once in each reading


def test_long_sections_are_cut_at_sentences(tmp_path):
    sentence = "The QRS complex is broad in leads V1 and V2."
    (tmp_path / "long.md").write_text(f"# A\n{(sentence + ' ') * 40}\n# B\n{'word ' * 400}")
    texts = [passage.text for passage in Markdown(tmp_path).passages()]
    assert max(map(len, texts)) <= LONGEST
    assert " ".join(texts).split() == (f"{sentence} " * 40 + "word " * 400).split()  # nothing is lost
    assert all(text.endswith(".") for text in texts if "QRS" in text)


def test_a_folder_without_markdown_is_refused(tmp_path):
    with pytest.raises(KnowledgeError, match="holds no Markdown"):
        Markdown(tmp_path)
