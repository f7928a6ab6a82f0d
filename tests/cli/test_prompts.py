import json
import socket

import pytest

from merl.ckepe.prompt_set import PromptSet
from merl.knowledge import embedders, wide
from merl.knowledge.entries import load_entries
from merl.knowledge.sources import ontologies
from tests.fake_llm import completion, failure, serve
from tests.small_knowledge import KNOWLEDGE, WordEmbedder


@pytest.fixture
def labels(place):
    path = place / "mine.yaml"
    path.write_text("AF: atrial fibrillation\nLBBB: left bundle branch block\n")
    return path


def test_generate_from_the_knowledge_alone(merl, labels, place):
    done = merl("prompts", "generate", labels, "--out", "new/mine.yaml")
    assert (done.code, done.out) == (0, ""), done.err
    assert "2 classes:" in done.err
    prompts = PromptSet.load(place / "new" / "mine.yaml")
    assert prompts.label_set == "mine"
    assert prompts.classes["AF"].present[0] == "atrial fibrillation"
    assert any(phrase.sources for phrase in prompts.classes["LBBB"].prompts)


@pytest.mark.usefixtures("small_knowledge")
def test_an_index_of_ones_own_says_what_a_class_is(merl, place, monkeypatch):
    monkeypatch.setattr(embedders, "CuttingMiniLM", WordEmbedder)
    for module in (wide, ontologies):
        monkeypatch.setattr(module, "load_entries", lambda: load_entries(KNOWLEDGE))
    (place / "own").mkdir()
    (place / "own" / "ms.md").write_text("# Mitral stenosis\nBroad notched P waves in II.\n")
    (place / "mine.csv").write_text("code,name\nMS,mitral stenosis\n")
    assert merl("kb", "build", "--out", "index", "--source", "ecg", "--source", "md:own").code == 0
    done = merl("prompts", "generate", "mine.csv", "--out", "mine.yaml", "--index", "index")
    assert done.code == 0, done.err
    (phrase,) = PromptSet.load(place / "mine.yaml").classes["MS"].prompts
    assert phrase.sources == ("md:own:ms.md#name",)
    done = merl("prompts", "verify", "mine.yaml", "--index", "index")
    assert done.out == "ok  MS: mitral stenosis  [md:own:ms.md#name]\n"
    assert "(no such passage)" in merl("prompts", "show", "mine.yaml").out
    assert "(no such passage)" not in merl("prompts", "show", "mine.yaml", "--index", "index").out
    text = (place / "mine.yaml").read_text().replace("md:own:ms.md#name", "md:own:ms.md#text/0")
    (place / "mine.yaml").write_text(text)
    assert merl("prompts", "show", "mine.yaml", "--index", "index", "--html", "mine.html").code == 0
    assert '<span class="words">Broad notched P waves in II.</span>' in (place / "mine.html").read_text()
    done = merl("prompts", "verify", "mine.yaml", "--index", "none")
    assert (done.code, done.out) == (2, "")
    assert "error: none is no index: it has no manifest.json; give a folder that" in done.err


def test_a_shipped_set_is_verified_by_its_name(merl):
    done = merl("prompts", "verify", "ptbxl-rhythm/plain")
    assert done.code == 0, done.err
    assert "ok  AFIB: atrial fibrillation" in done.out


def test_a_set_is_not_written_over_by_what_is_made_of_it(fails, merl, place):
    (place / "mine.csv").write_text("AF,atrial fibrillation\n")
    assert "mine.csv is read here" in fails(2, "prompts", "generate", "mine.csv", "--out", "mine.csv")
    assert merl("prompts", "generate", "mine.csv", "--out", "mine.yaml").code == 0
    for command in ("verify", "repair"):
        said = fails(2, "prompts", command, "mine.yaml", "--out", "./mine.yaml")
        assert "mine.yaml is read here and would be replaced; write to another file" in said


@pytest.mark.usefixtures("small_knowledge")
def test_a_class_without_knowledge_is_said(merl, place, caplog):
    (place / "odd.txt").write_text("flux capacitor drift\n")
    done = merl("prompts", "generate", "odd.txt", "--out", "odd.yaml")
    assert done.code == 0
    assert "no knowledge found for class 'flux capacitor drift'; only the name is used there" in caplog.text


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.yaml", "AF: ''\n", "has no name; give every class a name"),
        ("a.yaml", "AF: x\nAF: y\n", "'AF' appears twice; write a key once"),
        ("a.yaml", "AF: x\nB: X\n", "repeats 'AF'; every class once"),
        ("a.yaml", "", "holds no labels"),
        ("a.yaml", "AF: [x\n", "is not valid YAML"),
        ("a.csv", "AF,x\nAF,y\n", "repeats 'AF'"),
        ("a.csv", "AF;x\n", "write code,name on every line"),
        ("a.txt", "x\n\nX\n", "repeats 'x'"),
    ],
)
def test_bad_labels(fails, place, name, content, sentence):
    (place / name).write_text(content)
    assert sentence in fails(1, "prompts", "generate", name, "--out", "out.yaml")


def test_an_unknown_label_set(fails):
    said = fails(2, "prompts", "generate", "ptbxl-rythm", "--out", "out.yaml")
    assert "did you mean 'ptbxl-rhythm'" in said


def test_a_language_model_that_is_not_there(fails, labels):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    said = fails(1, "prompts", "generate", labels, "--out", "o.yaml", "--llm", "openai:m", "--base-url", url)
    assert f"cannot reach the language model at {url}" in said


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (completion("I would rather talk of cats."), "gave no usable answer in 3 tries"),
        (completion('{"findings": "all of them"}'), "gave no usable answer in 3 tries"),
        ((200, "<html>hello</html>"), "does not answer like an OpenAI-compatible server"),
        (failure(401, "Incorrect API key"), "check OPENAI_API_KEY"),
    ],
)
def test_a_language_model_that_answers_nonsense(fails, labels, answer, sentence):
    with serve(answer) as server:
        given = ["--llm", "openai:m", "--base-url", server.url, "--concurrency", "1"]
        assert sentence in fails(1, "prompts", "generate", labels, "--out", "out.yaml", *given)


def test_an_unknown_language_model(fails, labels):
    said = fails(2, "prompts", "generate", labels, "--out", "out.yaml", "--llm", "gpt-4o")
    assert "write none, local, openai:MODEL or provider:model" in said


@pytest.mark.usefixtures("small_knowledge")
def test_a_kept_index_of_another_embedder_is_built_again(merl, place, tmp_path, caplog):
    (place / "odd.txt").write_text("slow heart\n")  # no exact name: the index is searched
    assert merl("prompts", "generate", "odd.txt", "--out", "odd.yaml").code == 0
    (manifest,) = (tmp_path / "cache" / "index").glob("*/manifest.json")
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "embedder_sha256": "0" * 64}))
    assert merl("prompts", "generate", "odd.txt", "--out", "out.yaml").code == 0
    assert "is damaged and is built again" in caplog.text
    assert '"0000000000' not in manifest.read_text()


def test_a_place_that_cannot_be_written_is_found_before_the_model_is_asked(fails, labels, place):
    (place / "file").write_text("in the way")
    (place / "folder").mkdir()
    with serve(completion("{}")) as server:
        given = ["--llm", "openai:m", "--base-url", server.url]
        said = fails(1, "prompts", "generate", labels, "--out", "file/out.yaml", *given)
        assert "file is a file" in said
        said = fails(1, "prompts", "generate", labels, "--out", "folder", *given)
        assert "cannot write folder: it is a folder" in said
    assert server.requests == []


@pytest.mark.usefixtures("small_knowledge")
def test_verify_says_of_each_phrase_whether_it_stands(merl, place):
    PromptSet.plain({"AF": "atrial fibrillation", "SR": "sinus rhythm"}).save(place / "mine.yaml")
    text = (
        (place / "mine.yaml")
        .read_text()
        .replace("{text: sinus rhythm, role: name", "{text: delta wave before QRS")
    )
    (place / "mine.yaml").write_text(text)
    done = merl("prompts", "verify", "mine.yaml", "--json", "--out", "checked.yaml")
    assert done.code == 0, done.err
    said = json.loads(done.out)
    assert [sorted(item) for item in said] == [["class", "reason", "sources", "supported", "text"]] * 2
    assert [(item["class"], item["supported"]) for item in said] == [("AF", True), ("SR", False)]
    assert said[0]["sources"] == ["ecg:AFIB#name"]
    assert PromptSet.load(place / "checked.yaml").classes["SR"].rejected[0].text == "delta wave before QRS"
