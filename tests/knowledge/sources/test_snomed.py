import pytest

from merl.errors import KnowledgeError
from merl.knowledge.sources.snomed import SNOMED

TERM = "id effectiveTime active moduleId conceptId languageCode typeId term caseSignificanceId"
LINK = (
    "id effectiveTime active moduleId sourceId destinationId relationshipGroup typeId characteristicTypeId"
    " modifierId"
)
CONCEPT = "id effectiveTime active moduleId definitionStatusId"
FULL, SYNONYM, DEFINITION = "900000000000003001", "900000000000013009", "900000000000550004"
IS_A, SITE = "116680003", "363698007"
MODULE, CASE = "900000000000207008", "900000000000448009"


def term(concept, text, kind=SYNONYM, *, active=1, language="en"):
    return ["1", "20260101", str(active), MODULE, concept, language, kind, text, CASE]


def link(source, target, kind=IS_A, *, active=1):
    return ["1", "20260101", str(active), MODULE, source, target, "0", kind, "900000000000011006", CASE]


@pytest.fixture
def release(tmp_path):
    """A release of two concepts in the published columns, one of them inactive in the file of concepts."""
    folder = tmp_path / "SnomedCT_InternationalRF2" / "Snapshot" / "Terminology"
    names = [
        term("49", "Auricular fibrillation"),
        term("49", "Atrial fibrillation (disorder)", FULL),
        term("49", "Atrial fibrillation"),
        term("49", "Vorhofflimmern", language="de"),
        term("49", "Fibrillation of the auricle", active=0),
        term("69", "Disorder of rhythm (disorder)", FULL),
    ]
    write(folder / "sct2_Description_Snapshot-en_INT_20260101.txt", TERM, names)
    texts = [term("49", "The atria quiver.", DEFINITION)]
    write(folder / "sct2_TextDefinition_Snapshot-en_INT_20260101.txt", TERM, texts)
    links = [link("49", "69"), link("69", "49", SITE), link("69", "49", active=0)]
    write(folder / "sct2_Relationship_Snapshot_INT_20260101.txt", LINK, links)
    return folder


def write(path, columns, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ["\t".join(row) + "\r\n" for row in [columns.split(), *rows]]
    path.write_text("".join(lines), encoding="utf-8", newline="")


def read(source):
    return {passage.id: passage.text for passage in source.passages()}


def test_names_definitions_and_parents(release):
    source = SNOMED(release.parent.parent)
    assert source.version == "20260101"
    assert read(source) == {
        "snomed:49#name/0": "Atrial fibrillation",
        "snomed:49#name/1": "Auricular fibrillation",
        "snomed:49#definition": "The atria quiver.",
        "snomed:49#is_a/69": "Atrial fibrillation is a kind of Disorder of rhythm",
        "snomed:69#name/0": "Disorder of rhythm",
    }
    assert read(SNOMED(release, languages=("de",))) == {"snomed:49#name/0": "Vorhofflimmern"}


def test_inactive_concepts_are_dropped(release):
    rows = [["49", "20260101", "1", MODULE, "1"], ["69", "20260101", "0", MODULE, "1"]]
    write(release / "sct2_Concept_Snapshot_INT_20260101.txt", CONCEPT, rows)
    assert {key.partition("#")[0] for key in read(SNOMED(release))} == {"snomed:49"}


def test_malformed_rows_are_counted(release):
    path = next(release.glob("sct2_Description*"))
    whole = path.read_bytes()
    path.write_bytes(whole + whole.splitlines()[1][:40])
    source = SNOMED(release)
    assert len(read(source)) == 5
    assert source.skipped == {f"{path.name}: not 9 columns": 1}


def test_other_files_are_refused(release):
    path = next(release.glob("sct2_Relationship*"))
    write(path, LINK.replace(" modifierId", ""), [])
    with pytest.raises(KnowledgeError, match="its first row is 'id effectiveTime"):
        read(SNOMED(release))
    path.unlink()
    with pytest.raises(KnowledgeError, match=r"no RF2 snapshot: it has no sct2_Relationship_Snapshot\*\.txt"):
        SNOMED(release)
