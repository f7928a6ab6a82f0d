import random
from collections import Counter

import numpy as np
import pytest

from merl.pretraining.shown import ShownFindings

TEXTS = ["qrs duration above 120 ms", "wide qrs complexes", "narrow qrs complexes", "inverted t waves in v5"]


@pytest.fixture
def shown():
    """Four records: one wide with inverted T waves, two narrow, the last without any finding."""
    true = np.array([[1, 1, 0, 1], [0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0]], bool)
    weights = np.maximum(true.sum(0), 1) ** -0.5
    return ShownFindings(TEXTS, np.array([0, 0, 0, 1]), weights, np.packbits(true, axis=1))


def test_what_is_drawn_is_shown_and_each_kind_is_equally_likely(shown):
    rng = random.Random(0)
    drawn = Counter(shown.draw(0, rng) for _ in range(2000))
    assert set(drawn) == {0, 1, 3}
    assert drawn[3] / 2000 == pytest.approx(0.5, abs=0.05)
    assert {shown.draw(1, rng) for _ in range(20)} == {2}


def test_a_record_that_shows_nothing_gives_nothing(shown):
    assert shown.draw(3, random.Random(0)) is None


def test_which_records_show_which_findings(shown):
    told = shown.true_of(np.array([1, 0]), np.array([3, 2, 0]))
    assert told.tolist() == [[False, True, False], [True, False, True]]


def test_rare_findings_are_drawn_more_often(shown):
    shown.bits[0] |= np.packbits([0, 0, 1, 0])[0]  # the first record shows them all, two others the third
    drawn = Counter(shown.draw(0, random.Random(seed)) for seed in range(3000))
    assert drawn[2] / drawn[0] == pytest.approx(2**-0.5, abs=0.12)
