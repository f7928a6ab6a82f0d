from merl.ckepe.concepts import Concept
from merl.ckepe.siblings import Siblings

NAMES = {
    "AF": "atrial fibrillation",
    "AFL": "atrial flutter",
    "SR": "sinus rhythm",
    "LBBB": "left bundle branch block",
}


def concepts(names):
    return {code: Concept(code, name) for code, name in names.items()}


def test_a_text_that_has_every_word_of_a_name_may_name_that_class_but_never_its_own():
    known = concepts(NAMES)
    siblings = Siblings(known)
    text = "Fibrillation, ATRIAL, in sinus rhythms"
    assert siblings.named_in(text, known["LBBB"]) == {"AF": ("atrial fibrillation",), "SR": ("sinus rhythm",)}
    assert siblings.named_in(text, known["AF"]) == {"SR": ("sinus rhythm",)}
    assert siblings.named_in("atrial", known["SR"]) == {}


def test_a_few_siblings_are_all_shown_in_order():
    known = concepts(NAMES)
    assert Siblings(known).near(known["SR"]) == ["atrial fibrillation", "atrial flutter", NAMES["LBBB"]]


def test_of_many_those_that_share_words_are_shown():
    known = concepts(NAMES | {f"X{number}": f"thing {number}" for number in range(5000)})
    siblings = Siblings(known)
    assert siblings.near(known["AF"], most=3) == ["atrial flutter"]
    assert siblings.near(known["X7"], most=3) == ["thing 0", "thing 1", "thing 2"]
