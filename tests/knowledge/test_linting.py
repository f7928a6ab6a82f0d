import shutil

import pytest

from merl.errors import KnowledgeError
from merl.knowledge.entries import load_entries
from merl.knowledge.linting import bare_numbers, lint
from tests.small_knowledge import KNOWLEDGE


@pytest.fixture
def folder(tmp_path):
    """Two sound entries, written out so that lines can be counted by eye."""
    (tmp_path / "entries").mkdir()
    shutil.copy(KNOWLEDGE / "sources.yaml", tmp_path)
    for key, parent in (("ONE", "TWO"), ("TWO", "")):
        (tmp_path / "entries" / f"{key}.yaml").write_text(
            f"""id: {key}
name: concept {key.lower()}
synonyms: [thing {key.lower()}]
abbreviations: [{key}A]
codes: {{snomed: ["{len(key) + ord(key[0])}"], icd10: [I44.0]}}
is_a: [{parent}]
definition: {{text: "A wave of {key}", source: test-statement, locator: table 1}}
findings:
  - {{text: "PR interval above 200 ms in II", source: test-statement, locator: table 1}}
  - {{text: "tall R wave in V1", source: test-statement, locator: table 1}}
  - {{text: "two or more adjacent leads, V7 to V9, ratio of 2:1", source: test-statement, locator: table 1}}
absent:
  - {{text: "broad S wave in V6", source: test-statement, locator: table 1}}
"""
        )
    return tmp_path


def plant(folder, old, new, name="ONE"):
    path = folder / "entries" / f"{name}.yaml"
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def test_sound_entries_have_no_fault(folder):
    assert lint(folder) == (2, [])


def test_the_shipped_knowledge_has_no_fault():
    count, faults = lint()
    assert faults == []
    assert count == len(load_entries())


@pytest.mark.parametrize(
    ("old", "new", "expected", "message"),
    [
        ("thing one]", "thing one", (4, "yaml"), "is not valid YAML"),
        ("synonyms:", "name:", (3, "yaml"), "'name' appears twice"),
        ("synonyms:", "synonims:", (3, "schema"), "unknown key 'synonims'; did you mean 'synonyms'?"),
        ("id: ONE", "id: OME", (1, "schema"), "the file must be called OME.yaml"),
        (
            "table 1}\nabsent",
            "''}\nabsent",
            (11, "schema"),
            "findings.2.locator: string should have at least 1",
        ),
        ("in V1", 'in V1", leads: [V1, V22], x: "', (10, "schema"), "'V1'"),
        ('ONE", source: test-', 'ONE", source: tset-', (7, "source"), "'tset-statement'; did you mean"),
        ("is_a: [TWO]", "is_a: [TOW]", (6, "link"), "unknown entry 'TOW'; did you mean 'TWO'?"),
        ("is_a: [TWO]", "is_a: [ONE]", (6, "link"), "links to itself"),
        (
            "broad S wave in V6",
            "above 200 ms PR interval in lead II",
            (13, "contradiction"),
            "for and against",
        ),
        ("tall R wave in V1", "in II a PR interval longer than 200 ms", (10, "contradiction"), "says again"),
        ("thing one", "thing TWO", (3, "twin"), "'thing two' is one of ONE too"),
        ("ONEA", "thing two", (3, "twin"), "'thing two' is one of ONE too"),
        ('snomed: ["82"]', 'snomed: ["87"]', (5, "twin"), "the snomed code '87' is one of ONE too"),
        ("above 200 ms", "above 200", (9, "unit"), "'above 200' has no unit"),
        ("tall R wave in V1", "amplitude of 40 to 60", (10, "unit"), "'40 to 60' has no unit"),
        (
            '  - {text: "tall R wave in V1", source: test-statement, locator: table 1}\n',
            "",
            (8, "findings"),
            "2",
        ),
        (
            "absent:",
            "clinically_reviewed: true\nabsent:",
            (1, "schema"),
            "together with a signature, reviews",
        ),
    ],
)
def test_a_planted_fault_is_found_on_its_line(folder, old, new, expected, message):
    line, check = expected
    plant(folder, old, new)
    _, faults = lint(folder)
    found = [fault for fault in faults if (fault.check, fault.line) == (check, line)]
    assert any(message in fault.message for fault in found), faults
    where = "TWO" if check == "twin" else "ONE"  # the second of the two
    assert {fault.file for fault in found} == {f"entries/{where}.yaml"}


def test_a_cycle_is_named_in_full(folder):
    plant(folder, "is_a: []", "is_a: [ONE]", "TWO")
    ((fault,),) = [lint(folder)[1]]
    assert (fault.check, fault.message.split(":")[0]) == ("cycle", "ONE is a TWO is a ONE")


def test_a_shared_name_may_be_declared_ambiguous(folder):
    plant(folder, "[ONEA]", "[TWOA]")
    assert [fault.check for fault in lint(folder)[1]] == ["twin"]
    (folder / "ambiguous.yaml").write_text("TWOA: [ONE, TWO]\n")
    assert lint(folder)[1] == []
    plant(folder, "[TWOA]", "[]", "TWO")
    (fault,) = lint(folder)[1]
    assert fault.file == "ambiguous.yaml"
    assert "but is a name of ONE" in fault.message


def test_a_source_that_nobody_cites_is_found(folder):
    with (folder / "sources.yaml").open("a") as handle:
        handle.write("idle: {title: T, year: 2000, kind: article, reference: R}\n")
    (fault,) = lint(folder)[1]
    assert (fault.file, fault.line, fault.check) == ("sources.yaml", 2, "source")


def test_all_faults_are_told_at_once(folder):
    plant(folder, "is_a: [TWO]", "is_a: [TOW]")
    plant(folder, "above 200 ms", "above 200", "TWO")
    assert [fault.check for fault in lint(folder)[1]] == ["link", "unit"]


def test_a_signature_says_who_and_when(folder):
    plant(
        folder, "absent:", "clinically_reviewed: true\nreviews: [{by: A. Example, date: 2026-01-31}]\nabsent:"
    )
    assert lint(folder)[1] == []
    (review,) = load_entries(folder)["ONE"].reviews
    assert (review.by, review.date.isoformat()) == ("A. Example", "2026-01-31")
    plant(folder, "2026-01-31", "last week")
    assert "reviews.0.date" in lint(folder)[1][0].message


def test_an_entry_that_breaks_the_schema_is_not_loaded(folder):
    plant(folder, "synonyms:", "synonims:")
    with pytest.raises(KnowledgeError, match=r"ONE\.yaml line 3: unknown key 'synonims'; did you mean 'syn"):
        load_entries(folder)


def test_a_folder_without_entries_is_refused(tmp_path):
    with pytest.raises(KnowledgeError, match="no entries in"):
        lint(tmp_path)


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("R/S ratio above 1 in V1, type 2 pattern, 5 points or more, men aged 40 or older", []),
        ("QRS between 110 and 119 ms", []),
        ("S wave deeper than 3 in V1", ["deeper than 3"]),
        ("PR 200 ms, then 240", ["240"]),
    ],
)
def test_which_numbers_need_a_unit(text, bare):
    assert bare_numbers(text) == bare
