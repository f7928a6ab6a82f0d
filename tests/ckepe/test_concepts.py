from merl.ckepe.concepts import Concept, children


def kinds(entries, index, of, *siblings, **is_a):
    """Return the kinds of ``of`` beside its siblings, in an index where some entries have other parents."""
    for kind, parents in is_a.items():
        index.entries[kind] = entries[kind].model_copy(update={"is_a": parents})
    concepts = {code: Concept(code, code, index.entries[code]) for code in (of, *siblings)}
    return [kind.id for kind in children(concepts[of], concepts, index)]


def test_a_kind_that_takes_in_a_sibling_is_not_a_subtype(entries, index):
    deeper = {"STD_": ("AFIB",), "SR": ("STD_",)}  # SR, below STD_, below AFIB, below SVARR
    assert kinds(entries, index, "SVARR", **deeper) == ["AFIB", "AFLT"]
    assert kinds(entries, index, "SVARR", "SR", **deeper) == ["AFLT"]


def test_a_kind_that_has_a_sibling_above_it_is_not_a_subtype(entries, index):
    assert kinds(entries, index, "SVARR", "STD_", SR=("STD_",), AFIB=("SVARR", "SR")) == ["AFLT"]


def test_a_broader_class_beside_it_leaves_a_concept_its_kinds(entries, index):
    assert kinds(entries, index, "AFIB", "SVARR", STD_=("AFIB",)) == ["STD_"]
