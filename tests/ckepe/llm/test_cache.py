import sqlite3
import subprocess
import sys
import threading

import pytest

from merl.ckepe.llm.cache import Reply, ReplyCache, request_sha256
from merl.errors import LLMError

RED = Reply("red", "stop", 100, 10)


def put(cache, key, reply=RED):
    return cache.put(key, reply, model="fake", about="a test")


def test_a_reply_is_found_again_by_its_request_in_another_process_s_time(tmp_path):
    with ReplyCache(tmp_path / "new" / "r.sqlite") as cache:
        put(cache, "k")
        assert cache.get("other") is None
    with ReplyCache(tmp_path / "new" / "r.sqlite") as cache:
        assert cache.get("k") == RED
        assert cache.size == 1


def test_the_first_reply_counts(tmp_path):
    with ReplyCache(tmp_path / "r.sqlite") as one, ReplyCache(tmp_path / "r.sqlite") as two:
        put(one, "k")
        assert put(two, "k", Reply("blue")) == RED


def test_what_is_forgotten_is_gone(tmp_path):
    with ReplyCache(tmp_path / "r.sqlite") as cache:
        put(cache, "k")
        put(cache, "l")
        cache.forget(["k", "never"])
        assert (cache.get("k"), cache.size) == (None, 1)


def test_closed_it_is_one_file_that_can_be_read_where_nothing_may_be_written(tmp_path):
    path = tmp_path / "r.sqlite"
    with ReplyCache(path) as cache:
        put(cache, "k")
        assert path.with_name("r.sqlite-wal").exists(), "it writes ahead while it is open"
    assert [item.name for item in tmp_path.iterdir()] == ["r.sqlite"]
    before = path.read_bytes()
    with ReplyCache(path, read_only=True) as cache:
        assert cache.get("k") == RED
        with pytest.raises(LLMError, match="cannot use the reply cache"):
            put(cache, "l")
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["r.sqlite"]


def test_one_may_read_while_another_writes(tmp_path):
    with ReplyCache(tmp_path / "r.sqlite") as writer:
        put(writer, "k")
        with ReplyCache(tmp_path / "r.sqlite", read_only=True) as reader:
            assert reader.get("k") == RED
            put(writer, "l")
            assert reader.get("l") == RED


@pytest.mark.parametrize("content", [b"not a database, but long enough to look like one" * 30, None])
def test_a_file_that_is_no_cache(tmp_path, content):
    path = tmp_path / "r.sqlite"
    if content is None:
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE cats (name TEXT)")
    else:
        path.write_bytes(content)
    before = path.read_bytes()
    for read_only in (False, True):
        with pytest.raises(LLMError, match=r"r\.sqlite.*name another"):
            ReplyCache(path, read_only=read_only)
    assert content is None or path.read_bytes() == before


def test_a_cache_of_another_version(tmp_path):
    ReplyCache(tmp_path / "r.sqlite").close()
    with sqlite3.connect(tmp_path / "r.sqlite") as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(LLMError, match="no reply cache of this version"):
        ReplyCache(tmp_path / "r.sqlite")


def test_a_folder_and_a_file_that_is_not_there(tmp_path):
    with pytest.raises(LLMError, match="cannot use the reply cache"):
        ReplyCache(tmp_path)
    with pytest.raises(LLMError, match="there is no reply cache") as raised:
        ReplyCache(tmp_path / "none.sqlite", read_only=True)
    assert raised.value.kind == "offline"


def test_every_part_of_a_request_makes_another_hash():
    request = {
        "provider": "p",
        "model": "m",
        "parameters": {"t": 0},
        "messages": [["user", "x"]],
        "schema": {},
    }
    others = [{**request, key: "other"} for key in request]
    assert len({request_sha256(item) for item in [request, *others]}) == len(request) + 1
    assert request_sha256(dict(reversed(request.items()))) == request_sha256(request)


def test_threads_share_it(tmp_path):
    with ReplyCache(tmp_path / "r.sqlite") as cache:
        threads = [
            threading.Thread(target=lambda n=n: [put(cache, f"{n}-{i}") for i in range(50)]) for n in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert cache.size == 200


PROCESS = """
import sys
from merl.ckepe.llm.cache import Reply, ReplyCache
name, path = sys.argv[1:]
for start in range(0, 200, 20):
    with ReplyCache(path) as cache:  # opened and closed again and again while the other writes
        for number in range(start, start + 20):
            kept = cache.put(f"shared-{number}", Reply(name), model="fake", about="")
            assert kept.text in {"one", "two"}
            cache.put(f"{name}-{number}", Reply(name), model="fake", about="")
"""


def test_it_opens_once_another_process_has_written(tmp_path):
    """SQLite refuses at once to change the journal of a file in which somebody writes."""
    path = tmp_path / "r.sqlite"
    ReplyCache(path).close()
    writer = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    writer.execute("BEGIN IMMEDIATE")
    threading.Timer(0.3, writer.close).start()
    with ReplyCache(path) as cache:
        assert cache.put("request", Reply("kept"), model="fake", about="").text == "kept"


def test_two_processes_share_it(tmp_path):
    path = tmp_path / "r.sqlite"
    running = [
        subprocess.Popen([sys.executable, "-c", PROCESS, name, str(path)], stderr=subprocess.PIPE)
        for name in ("one", "two")
    ]
    for process in running:
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said.decode()
    with ReplyCache(path) as cache:
        assert cache.size == 600
        assert [cache.get(f"two-{number}").text for number in (0, 199)] == ["two", "two"]
    assert [item.name for item in tmp_path.iterdir()] == ["r.sqlite"]
