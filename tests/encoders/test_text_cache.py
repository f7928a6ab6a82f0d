import numpy as np
import pytest

from merl.encoders.text_cache import cached_embeddings
from merl.errors import MerlError


class Counting:
    """An encoder that writes down what it is asked to embed; a text's embedding is its length."""

    pooling, max_tokens, lowercase, template, dim, retrained = "mean", 256, False, "{text}", 2, False

    def __init__(self, sha256="a"):
        self.sha256, self.asked = sha256, []

    def encode(self, texts, *, truncate):
        assert truncate
        self.asked += texts
        return np.array([[len(text), 1] for text in texts], np.float32)


def test_each_distinct_text_is_embedded_once_and_read_back_in_order(tmp_path):
    encoder = Counting()
    texts = ["bb", "a", "bb", "dddd"]
    first = cached_embeddings(encoder, texts, folder=tmp_path)
    assert sorted(encoder.asked) == ["a", "bb", "dddd"]
    again = cached_embeddings(encoder, [*texts, "ccc"], folder=tmp_path)
    assert encoder.asked[3:] == ["ccc"]
    assert first[:, 0].tolist() == [2, 1, 2, 4]
    np.testing.assert_array_equal(again, [*first, [3, 1]])
    assert cached_embeddings(encoder, [], folder=tmp_path).shape == (0, 2)


@pytest.mark.parametrize("change", [{"sha256": "b"}, {"template": "The ECG: {text}"}, {"max_tokens": 8}])
def test_another_encoder_or_way_of_reading_has_a_cache_of_its_own(tmp_path, change):
    cached_embeddings(Counting(), ["a"], folder=tmp_path)
    other = Counting()
    vars(other).update(change)
    cached_embeddings(other, ["a"], folder=tmp_path)
    assert other.asked == ["a"]


def test_what_was_embedded_before_a_failure_is_kept(tmp_path):
    class Failing(Counting):
        def encode(self, texts, *, truncate):
            if self.asked:
                raise KeyboardInterrupt
            return super().encode(texts, truncate=truncate)

    texts = [f"text {number}" for number in range(700)]
    with pytest.raises(KeyboardInterrupt):
        cached_embeddings(Failing(), texts, folder=tmp_path)
    encoder = Counting()
    cached_embeddings(encoder, texts, folder=tmp_path)
    assert len(encoder.asked) == 700 - 512


def test_retrained_layers_pass_the_cache_by(tmp_path):
    cached_embeddings(Counting(), ["a"], folder=tmp_path)
    encoder = Counting()
    encoder.retrained = True
    cached_embeddings(encoder, ["a", "bb"], folder=tmp_path)
    assert encoder.asked == ["a", "bb"]
    fresh = Counting()
    cached_embeddings(fresh, ["bb"], folder=tmp_path)
    assert fresh.asked == ["bb"]  # nothing of the other weights was kept


def test_a_damaged_cache_is_said_so(tmp_path):
    cached_embeddings(Counting(), ["a"], folder=tmp_path)
    for path in tmp_path.iterdir():
        path.write_bytes(b"not a database" * 100)
    with pytest.raises(MerlError, match=r"cannot be used .* delete the folder"):
        cached_embeddings(Counting(), ["a"], folder=tmp_path)
