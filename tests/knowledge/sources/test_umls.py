import tracemalloc
from collections import Counter

import pytest

from merl.errors import KnowledgeError
from merl.knowledge.sources.umls import UMLS


def atom(cui, text, *, lat="ENG", ts="P", stt="PF", ispref="Y", sab="MSH", suppress="N"):
    return f"{cui}|{lat}|{ts}|L1|{stt}|S1|{ispref}|A1||M1|D1|{sab}|MH|D001|{text}|0|{suppress}|256|"


CONSO = [
    atom("C0000002", "Auricular fibrillation", ts="S", sab="SNOMEDCT_US"),
    atom("C0000002", "Atrial fibrillation"),
    atom("C0000002", "atrial  Fibrillation", stt="VC"),  # the same again
    atom("C0000002", "Vorhofflimmern", lat="GER", sab="MSHGER"),
    atom("C0000002", "AF, obsolete", suppress="O"),
    atom("C0000001", "Arrhythmia"),
    atom("C0000003", "Aspirin", sab="RXNORM"),
]
DEF = [
    "C0000002|A1|AT1||MSH|The atria quiver.|N||",
    "C0000002|A1|AT2||MSHGER|Die Vorhöfe flimmern.|N||",
    "C0000002|A1|AT3||MSH|Withdrawn.|O||",
    "C0000009|A1|AT4||MSH|Of a concept without a name.|N||",
]
REL = [
    "C0000002|A1|AUI|PAR|C0000001|A2|AUI|inverse_isa|R1||MSH|MSH|||N||",
    "C0000002|A1|AUI|PAR|C0000001|A3|AUI||R2||SNOMEDCT_US|SNOMEDCT_US|||N||",
    "C0000001|A2|AUI|CHD|C0000002|A1|AUI|isa|R3||MSH|MSH|||N||",
    "C0000002|A1|AUI|PAR|C0000009|A4|AUI||R4||MSH|MSH|||N||",
]
STY = [
    "C0000001|T033|A2.2|Finding|AT1||",
    "C0000002|T047|B2.2.1.2.1|Disease or Syndrome|AT2|256|",
    "C0000003|T121|A1.4.1.1.1|Pharmacologic Substance|AT3||",
]


@pytest.fixture
def release(tmp_path):
    """A release of three concepts in the published columns, rows in no order."""
    folder = tmp_path / "2026AA"
    tables = {"MRCONSO": CONSO, "MRDEF": DEF, "MRREL": REL, "MRSTY": STY}
    for name, rows in tables.items():
        write(folder / "META" / f"{name}.RRF", rows)
    return folder


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")


def read(source):
    return {passage.id: passage.text for passage in source.passages()}


def test_names_definitions_and_parents(release):
    source = UMLS(release)
    assert read(source) == {
        "umls:C0000001#name/0": "Arrhythmia",
        "umls:C0000002#name/0": "Atrial fibrillation",
        "umls:C0000002#name/1": "Auricular fibrillation",
        "umls:C0000002#definition": "The atria quiver.",
        "umls:C0000002#is_a/C0000001": "Atrial fibrillation is a kind of Arrhythmia",
        "umls:C0000003#name/0": "Aspirin",
    }
    first = next(passage for passage in source.passages() if passage.id == "umls:C0000002#definition")
    assert (first.entry, first.name, first.kind) == ("C0000002", "Atrial fibrillation", "definition")
    assert source.skipped == Counter()


def test_filters(release):
    german = read(UMLS(release, languages=("GER",)))
    assert german == {
        "umls:C0000002#name/0": "Vorhofflimmern",
        "umls:C0000002#definition": "Die Vorhöfe flimmern.",
    }
    assert set(read(UMLS(release, vocabularies=("SNOMEDCT_US", "RXNORM"))).values()) == {
        "Auricular fibrillation",
        "Aspirin",
    }
    for wanted in ("T047", "Disease or Syndrome"):
        kept = read(UMLS(release, semantic_types=(wanted,)))
        assert {key.partition("#")[0] for key in kept} == {"umls:C0000002"}
        assert len(kept) == 3  # the parent is of another type


def test_malformed_rows_are_counted(release):
    path = release / "META" / "MRCONSO.RRF"
    whole = path.read_bytes()
    path.write_bytes(whole + b"C0000004|ENG|P\n" + b"\xff" + whole.splitlines()[0] + b"\n" + whole[:60])
    source = UMLS(release)
    assert len(read(source)) == 6
    assert source.skipped == {"MRCONSO.RRF: not 18 columns": 3}


@pytest.mark.parametrize("name", ["MRCONSO", "MRDEF", "MRREL", "MRSTY"])
def test_another_column_count_throughout_is_refused(release, name):
    path = release / "META" / f"{name}.RRF"
    write(path, [row.rsplit("|", 2)[0] + "|" for row in path.read_text(encoding="utf-8").splitlines()])
    with pytest.raises(KnowledgeError, match=rf"{name}\.RRF is not in the published layout: no row has its"):
        read(UMLS(release, semantic_types=("T047",)))


def test_another_folder_is_refused(release):
    (release / "META" / "MRREL.RRF").unlink()
    with pytest.raises(KnowledgeError, match=r"no UMLS release: it has no MRREL\.RRF"):
        UMLS(release)
    with pytest.raises(KnowledgeError, match=r"no UMLS release: it has no MRCONSO\.RRF, MRDEF\.RRF"):
        UMLS(release.parent)


def test_memory_does_not_grow_with_the_release(release):
    def peak(concepts):
        write(release / "META" / "MRCONSO.RRF", (atom(f"C{n:07}", f"finding {n}") for n in range(concepts)))
        tracemalloc.start()
        count = sum(1 for _ in UMLS(release).passages())
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return count, used

    few, many = peak(1000), peak(10_000)
    assert many[0] > 9 * few[0]
    assert many[1] < 1.2 * few[1] + 100_000


def test_progress_goes_through_every_file(release):
    told = []
    list(UMLS(release, semantic_types=("T047",)).passages(lambda *seen: told.append(seen)))
    ends = {what: done / total for done, total, what in told}
    assert ends == dict.fromkeys(("MRCONSO.RRF", "MRSTY.RRF", "MRDEF.RRF", "MRREL.RRF"), 1.0)
