"""Fetching from a real HTTP server on this machine."""

import pytest

from merl.datasets.download import download
from merl.errors import DataError, UsageError
from tests.publisher import FILES


def there(out):
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def test_everything_comes_with_its_list_and_a_second_call_fetches_nothing(publisher, tmp_path):
    told = []
    done = download(publisher.url + "/", tmp_path / "x", progress=lambda *args: told.append(args))
    assert (done.fetched, done.kept) == (3, 0)
    assert done.size == sum(len(content) for content in FILES.values())
    assert there(tmp_path / "x") == {**FILES, "SHA256SUMS.txt": publisher.sums().encode()}
    assert list(dict.fromkeys(told)) == [
        (0, 3, "RECORDS"), (1, 3, "data/one.dat"), (2, 3, "data/t wo.hea"), (3, 3, "done"),
    ]  # fmt: skip
    publisher.requests.clear()
    assert (download(publisher.url, tmp_path / "x").kept, publisher.requests) == (
        3,
        [("SHA256SUMS.txt", None)],
    )


def test_what_was_cut_short_goes_on_where_it_stopped(publisher, tmp_path):
    publisher.cut["data/one.dat"] = 1000
    done = download(publisher.url, tmp_path)
    assert [asked for name, asked in publisher.requests if name == "data/one.dat"] == [None, "bytes=1000-"]
    assert done.size == sum(len(content) for content in FILES.values())  # no byte came twice
    assert there(tmp_path)["data/one.dat"] == FILES["data/one.dat"]


def test_a_stopped_run_goes_on_when_called_again(publisher, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/.one.dat.part").write_bytes(FILES["data/one.dat"][:3000])
    done = download(publisher.url, tmp_path, only="one")
    assert (done.fetched, done.size) == (1, 10240 - 3000)
    assert ("data/one.dat", "bytes=3000-") in publisher.requests
    assert set(there(tmp_path)) == {"data/one.dat", "SHA256SUMS.txt"}


def test_a_whole_part_needs_only_its_name(publisher, tmp_path):
    (tmp_path / ".RECORDS.part").write_bytes(FILES["RECORDS"])
    assert download(publisher.url, tmp_path, only="^RECORDS").size == 0
    assert there(tmp_path)["RECORDS"] == FILES["RECORDS"]


def test_a_server_that_cannot_begin_in_the_middle_sends_all_again(publisher, tmp_path):
    publisher.ranges = False
    publisher.cut["data/one.dat"] = 1000
    assert download(publisher.url, tmp_path).size == sum(len(c) for c in FILES.values()) + 1000
    assert there(tmp_path)["data/one.dat"] == FILES["data/one.dat"]


def test_a_part_of_another_version_is_fetched_anew(publisher, tmp_path):
    (tmp_path / ".RECORDS.part").write_bytes(b"old")
    download(publisher.url, tmp_path, only="^RECORDS")
    assert there(tmp_path)["RECORDS"] == FILES["RECORDS"]


def test_a_changed_file_is_replaced(publisher, tmp_path):
    (tmp_path / "RECORDS").write_bytes(b"changed by hand")
    assert download(publisher.url, tmp_path, only="^RECORDS").fetched == 1
    assert there(tmp_path)["RECORDS"] == FILES["RECORDS"]


def test_a_wrong_checksum_leaves_nothing_under_the_name(publisher, tmp_path):
    publisher.listed = publisher.sums()
    publisher.files["RECORDS"] = b"not what was published"
    with pytest.raises(DataError, match=r"RECORDS does not have the checksum that SHA256SUMS\.txt gives it"):
        download(publisher.url, tmp_path)
    assert there(tmp_path) == {}


def test_a_file_that_is_cut_short_each_time_is_kept_for_the_next_call(publisher, tmp_path):
    publisher.listed = publisher.sums()
    tries = iter((500, 500, 500))

    class Always(dict):
        def pop(self, name, default=None):
            return next(tries) if name == "data/one.dat" else default

    publisher.cut = Always()
    with pytest.raises(DataError, match="was cut short 3 times; call again to go on"):
        download(publisher.url, tmp_path)
    assert there(tmp_path)["data/.one.dat.part"] == FILES["data/one.dat"][:1500]
    publisher.cut = {}
    download(publisher.url, tmp_path)
    assert there(tmp_path)["data/one.dat"] == FILES["data/one.dat"]


@pytest.mark.parametrize(
    ("listed", "sentence"),
    [
        ("", "lists no files"),
        ("<html>", "line 1 is no checksum and path"),
        (f"{'0' * 64} ../out\n", "names ../out, which lies outside"),
        (f"{'0' * 64} /etc/passwd\n", "names /etc/passwd, which lies outside"),
    ],
)
def test_a_list_that_is_none_is_refused(publisher, tmp_path, listed, sentence):
    publisher.listed = listed
    with pytest.raises(DataError, match=sentence):
        download(publisher.url, tmp_path / "x")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(("code", "sentence"), [(404, "answers 404$"), (403, "answers 403; sign its terms")])
def test_a_server_that_refuses_is_quoted(publisher, tmp_path, code, sentence):
    publisher.status["SHA256SUMS.txt"] = code
    with pytest.raises(DataError, match=sentence):
        download(publisher.url, tmp_path)


def test_a_server_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match=r"cannot reach http://127\.0\.0\.1:9/SHA256SUMS\.txt"):
        download("http://127.0.0.1:9", tmp_path)


@pytest.mark.parametrize(
    ("url", "only", "sentence"),
    [
        ("ftp://x", None, "no address; write it with https"),
        ("", "[", "no regular expression"),
        ("", "three", "none of the 3 files fits 'three'; RECORDS is one of them"),
    ],
)
def test_wrong_use(publisher, tmp_path, url, only, sentence):
    with pytest.raises(UsageError, match=sentence):
        download(url or publisher.url, tmp_path, only=only)
