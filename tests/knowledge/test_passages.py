from merl.knowledge.passages import corpus_sha256, passages_of


def test_every_statement_becomes_a_passage_that_says_where_it_stands(entries):
    found = {passage.id: passage for passage in passages_of(entries["AFIB"])}
    assert list(found) == [
        "ecg:AFIB#name", "ecg:AFIB#synonyms/0", "ecg:AFIB#synonyms/1", "ecg:AFIB#definition",
        "ecg:AFIB#findings/0", "ecg:AFIB#findings/1", "ecg:AFIB#absent/0", "ecg:AFIB#distinguish/0",
    ]  # fmt: skip
    finding = found["ecg:AFIB#findings/1"]
    assert (finding.kind, finding.leads, finding.source) == ("finding", ("V1",), "test-statement")
    assert found["ecg:AFIB#absent/0"].text == "distinct P waves before every QRS complex"


def test_corpus_hash_sees_every_edit_but_not_the_order_of_files(entries):
    reference = corpus_sha256(entries)
    assert corpus_sha256(dict(reversed(entries.items()))) == reference
    edited = entries["AFIB"].model_copy(update={"abbreviations": ("AF",)})
    assert corpus_sha256({**entries, "AFIB": edited}) != reference
