import os
import stat
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, Field

from merl import files
from merl.errors import DataError, MerlError, UsageError


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    size: int = 1


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    schema_: str = Field("outer", alias="schema")
    name: str
    inner: Inner = Inner()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_whole_with_its_folder(tmp_path):
    path = tmp_path / "new" / "file.txt"
    files.write_text(path, "µV\n")
    assert path.read_bytes() == "µV\n".encode()
    assert names(path.parent) == ["file.txt"]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")

    def fail():
        with files.atomic_path(path) as part:
            part.write_text("half")
            raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        fail()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file.txt"]


def test_a_folder_in_the_way_is_called_by_its_own_name(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError) as raised:
        files.write_text(tmp_path / "folder", "x")
    assert raised.value.filename == str(tmp_path / "folder")
    assert names(tmp_path) == ["folder"]


def test_a_place_to_write_is_checked_and_nothing_made(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    files.check_writable(tmp_path / "file")
    files.check_writable(tmp_path / "new" / "deep" / "file")
    with pytest.raises(MerlError, match=r"cannot write .*folder: it is a folder; name a file in it"):
        files.check_writable(tmp_path / "folder")
    with pytest.raises(MerlError, match=r"cannot write .*out: .*file is a file; name another"):
        files.check_writable(tmp_path / "file" / "new" / "out")
    assert names(tmp_path) == ["file", "folder"]


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="no /proc")
def test_a_folder_where_no_file_can_be_made_is_found_and_named():
    with pytest.raises(MerlError, match=r"cannot write /proc/x.csv: no file can be made in /proc \("):
        files.check_writable("/proc/x.csv")  # which root may write in, says the system
    with pytest.raises(OSError, match=r"/proc/x\.csv") as raised:
        files.write_text("/proc/x.csv", "x")
    assert raised.value.filename == "/proc/x.csv"


def test_outputs_are_no_inputs_and_differ(tmp_path):
    read, other = tmp_path / "read", tmp_path / "other"
    read.touch()
    other.symlink_to(read)
    files.check_outputs(tmp_path / "a", None, tmp_path / "b", inputs=[read, "plain", None])
    for path in (read, other, tmp_path / "x" / ".." / "read"):
        with pytest.raises(UsageError, match="is read here and would be replaced; write to another"):
            files.check_outputs(tmp_path / "a", path, inputs=["plain", str(read)])
    with pytest.raises(UsageError, match="a is named for two outputs; give each a file of its own"):
        files.check_outputs(tmp_path / "a", tmp_path / "x" / ".." / "a")
    with pytest.raises(MerlError, match="it is a folder"):
        files.check_outputs(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
def test_a_written_file_has_the_users_usual_mode(tmp_path):
    plain = tmp_path / "plain"
    plain.touch()
    files.write_text(tmp_path / "ours", "x")
    assert stat.S_IMODE((tmp_path / "ours").stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes and links")
def test_a_file_that_is_replaced_keeps_its_mode_and_the_links_to_it(tmp_path):
    own, link = tmp_path / "own", tmp_path / "here" / "link"
    link.parent.mkdir()
    own.write_text("old")
    own.chmod(0o640)
    link.symlink_to(own)
    files.check_writable(link)
    files.write_text(link, "new")
    assert link.is_symlink()
    assert own.read_text() == "new"
    assert stat.S_IMODE(own.stat().st_mode) == 0o640
    assert names(tmp_path) == ["here", "own"]
    assert names(link.parent) == ["link"]


def test_the_cache_is_where_the_user_says(tmp_path, monkeypatch):
    monkeypatch.setenv("MERL_CACHE", str(tmp_path / "here"))
    assert files.cache_dir() == tmp_path / "here"
    assert not (tmp_path / "here").exists()  # asking makes nothing
    monkeypatch.delenv("MERL_CACHE")
    assert "merl-ckepe" in str(files.cache_dir())


def test_content_is_found_or_missed_in_words():
    assert (files.content_dir("prompts") / "label_sets").is_dir()
    with pytest.raises(MerlError, match="'recipes' is missing from this installation"):
        files.content_dir("recipes")


def test_sha256_of_a_file(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert files.sha256(tmp_path / "abc").startswith("ba7816bf8f01cfea")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"a: [1, 2", "file.yaml line 1 is not valid YAML"),
        (b"a: 1\n b: 2", "file.yaml line 2 is not valid YAML"),
        (b"\xff\xfe\x00", "cannot read .*file.yaml"),
        (b"name: 2026-13-45", "file.yaml holds a date or number that cannot be .*; put it in quotes"),
        (b"name: " + 5000 * b"1", "file.yaml holds a date or number that cannot be"),
        (b"!!python/object/apply:os.getcwd []", "not valid YAML: could not determine a constructor"),
    ],
)
def test_yaml_that_cannot_be_read(tmp_path, content, sentence):
    path = tmp_path / "file.yaml"
    path.write_bytes(content)
    with pytest.raises(DataError, match=sentence):
        files.read_yaml(path, DataError)


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(DataError, match=r"there is no file .*nowhere.yaml"):
        files.read_yaml(tmp_path / "nowhere.yaml", DataError)
    with pytest.raises(DataError, match="is a folder; name a file in it"):
        files.read_yaml(tmp_path, DataError)


def test_all_faults_of_a_file_are_named_together():
    with pytest.raises(DataError) as raised:
        files.validate(Outer, {"nam": "x", "inner": {"size": "big", "colour": 1}}, "file.yaml", DataError)
    sentence = str(raised.value)
    assert sentence.startswith("file.yaml: ")
    for fault in (
        "unknown key 'nam'; did you mean 'name'?",
        "name: field required",
        "inner.size",
        "unknown key 'colour'; allowed are size in inner",
    ):
        assert fault in sentence
    assert "\n" not in sentence


def test_keys_are_called_as_they_are_written_and_listed_once():
    with pytest.raises(DataError, match="did you mean 'schema'"):
        files.validate(Outer, {"name": "x", "schem": 1}, "file.yaml", DataError)
    with pytest.raises(DataError) as raised:
        files.validate(Outer, {"name": "x", "zzz": 1, "qqq": 2}, "file.yaml", DataError)
    assert str(raised.value) == (
        "file.yaml: unknown key 'zzz'; allowed are inner, name, schema; unknown key 'qqq'"
    )


def test_what_is_no_mapping_is_said_so():
    with pytest.raises(DataError, match=r"file.yaml: it is empty; expected a mapping"):
        files.validate(Outer, None, "file.yaml", DataError)
    with pytest.raises(DataError, match="expected a mapping of keys, found list"):
        files.validate(Outer, ["name"], "file.yaml", DataError)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("a: 1\nb: 2\na: 3\n", r"file.yaml line 3: 'a' appears twice; write a key once"),
        ("- {deep: {1: x, '1': y}}\n", r"line 1: '1' appears twice"),
    ],
)
def test_a_key_written_twice_is_refused(tmp_path, content, sentence):
    (tmp_path / "file.yaml").write_text(content)
    with pytest.raises(DataError, match=sentence):
        files.read_yaml(tmp_path / "file.yaml", DataError)
