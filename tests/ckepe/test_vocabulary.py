import pytest

from merl.ckepe.vocabulary import Vocabulary, default_vocabulary
from merl.errors import KnowledgeError

FILE = """
families: {high: [tall, above the baseline], low: [small], grow: [increasing]}
opposites: {size: [high, low]}
implies: {grow: [high]}
qualifiers: []
filler: the, clear
talk: please
"""


@pytest.fixture
def vocabulary(tmp_path):
    path = tmp_path / "vocabulary.yaml"
    path.write_text(FILE)
    return Vocabulary(path)


def test_terms_are_replaced_the_longest_first_whatever_their_inflection(vocabulary):
    assert vocabulary.replace("st lies above the baselines") == "st lies high"
    assert vocabulary.replace("above, the baseline") == "above, the baseline"


def test_words_are_compared_by_family_or_stem(vocabulary):
    assert vocabulary.family("taller") == vocabulary.family("high") == "high"
    assert vocabulary.family("notches") == vocabulary.family("notching")


def test_free_words_claim_nothing_even_in_another_degree(vocabulary):
    assert vocabulary.is_free("clearest")
    assert not vocabulary.is_free("taller")


def test_an_opposite_without_family_is_refused(tmp_path):
    path = tmp_path / "vocabulary.yaml"
    path.write_text(FILE.replace("[high, low]", "[high, huge]"))
    with pytest.raises(KnowledgeError, match="'huge' is used but is no family"):
        Vocabulary(path)


def test_in_the_shipped_vocabulary_no_opposites_share_a_wording():
    vocabulary = default_vocabulary()
    groups = {}
    for word, group in vocabulary.group.items():
        groups.setdefault(group, set()).add(vocabulary.family(word))
    assert all(len(values) > 1 for values in groups.values()), groups
    for word, group in vocabulary.group.items():
        same = {other for other in vocabulary.implied.get(word, ()) if vocabulary.group.get(other) == group}
        assert not {frozenset({word, other}) for other in same} & {
            frozenset({"high", "low"}),
            frozenset({"left", "right"}),
            frozenset({"prolonged", "shortened"}),
            frozenset({"upright", "inverted"}),
        }
