from merl.knowledge.citations import citations
from merl.knowledge.entries import load_entries
from tests.small_knowledge import KNOWLEDGE


def test_every_statement_has_its_place_and_names_have_none():
    entries = load_entries(KNOWLEDGE)
    found = citations(entries)
    statement = entries["AFIB"].findings[0]
    cited = found["ecg:AFIB#findings/0"]
    assert (cited.passage.text, cited.concept, cited.place) == (
        statement.text,
        entries["AFIB"].name,
        statement.locator,
    )
    assert found["ecg:AFIB#name"].place is None
    assert all(item.place for item in found.values() if item.passage.source)
