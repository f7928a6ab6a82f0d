import numpy as np

from merl.knowledge.lexical import LexicalIndex
from merl.knowledge.wording import content_words


def test_a_name_said_in_any_order_scores_one_and_its_neighbours_less(entries):
    index = LexicalIndex(entries, str.lower)
    found = dict(
        zip(entries, index.names(content_words("block of the bundle branch, left, complete")), strict=True)
    )
    assert found["CLBBB"] == 1
    assert 0 < found["CRBBB"] < 1
    assert found["SR"] == 0


def test_the_body_finds_findings_and_unknown_words_find_nothing(entries):
    index = LexicalIndex(entries, str.lower)
    found = index.bodies(content_words("sawtooth waves in II"))
    assert list(entries)[int(np.argmax(found))] == "AFLT"
    assert not index.bodies(("martian",)).any()
