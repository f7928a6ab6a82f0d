"""The content that ships: knowledge entries, label sets and prompt sets that fit each other."""

from collections import defaultdict
from itertools import combinations

import pytest

from merl.ckepe.prompt_set import PromptSet
from merl.files import content_dir
from merl.knowledge.entries import load_entries, load_sources, statements
from merl.knowledge.lookup import NameTable, normalise
from merl.knowledge.passages import passages_of
from merl.label_sets import load_label_set, shipped_label_sets

#: Abbreviations that clinicians use for two things; a name or synonym must never be one.
AMBIGUOUS = {
    "ami": {"AMI", "ACUTEMI"},  # anterior, or acute myocardial infarction
    "lah": {"LAFB", "LATRIALHYP"},  # left anterior hemiblock, or left atrial hypertrophy
    "veb": {"VESCB", "AAMI_V"},  # ventricular escape beat, or ventricular ectopic beat
}
SETS = sorted((content_dir("prompts") / "sets").glob("*/*.yaml"))


@pytest.fixture(scope="module")
def entries():
    return load_entries()


def shared(entries, names_of):
    owners = defaultdict(set)
    for entry in entries.values():
        for name in names_of(entry):
            owners[normalise(name)].add(entry.id)
    return {name: ids for name, ids in owners.items() if len(ids) > 1}


def test_no_two_entries_share_a_name_or_synonym(entries):
    assert shared(entries, lambda entry: (entry.name, *entry.synonyms)) == {}


def test_shared_abbreviations_are_known_to_be_ambiguous(entries):
    assert shared(entries, lambda entry: entry.names) == AMBIGUOUS


def test_every_finding_is_a_phrase_and_every_entry_has_three(entries):
    few = [entry.id for entry in entries.values() if len(entry.findings) < 3]
    odd = [
        (entry.id, finding.text)
        for entry in entries.values()
        for finding in entry.findings
        if not 3 <= len(finding.text.split()) <= 14
    ]
    assert (few, odd) == ([], [])


def test_no_finding_speaks_for_and_against_or_twice(entries):
    for entry in entries.values():
        found = [item.text.casefold() for item in entry.findings]
        against = [item.text.casefold() for item in entry.absent]
        assert not set(found) & set(against), entry.id
        assert len(set(found)) == len(found), entry.id
        assert len(set(against)) == len(against), entry.id


def test_every_source_is_cited_and_none_claims_a_review(entries):
    cited = {item.source for entry in entries.values() for item in statements(entry)}
    assert cited == set(load_sources())
    assert not [entry.id for entry in entries.values() if entry.clinically_reviewed]


def test_no_entry_is_a_kind_of_itself(entries):
    for entry in entries.values():
        open_ids, met = list(entry.is_a), set()
        while open_ids:
            parent = open_ids.pop()
            assert parent != entry.id
            if parent not in met:
                met.add(parent)
                open_ids += entries[parent].is_a


@pytest.mark.parametrize("name", shipped_label_sets())
def test_every_class_means_one_entry(entries, name):
    table = NameTable(entries.values())
    meant, classes = {}, load_label_set(name).classes
    for code, item in classes.items():
        found = {item.entry} if item.entry else {entry.id for entry, _ in table.by_name(item.name)}
        assert len(found) == 1, (code, found)
        assert found <= entries.keys()
        meant[code] = found.pop()
    for one, other in combinations(
        meant, 2
    ):  # two of one meaning only where the data set has one code for both
        shared = classes[one].snomed is not None and classes[one].snomed == classes[other].snomed
        assert meant[one] != meant[other] or shared, (one, other)


@pytest.mark.parametrize("name", shipped_label_sets())
def test_the_plain_set_is_the_names_alone(name):
    assert PromptSet.find("plain", name) == PromptSet.plain(name)


@pytest.mark.parametrize("path", SETS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_shipped_prompts_fit_their_label_set_and_rest_on_the_knowledge(entries, path):
    prompts, labels = PromptSet.load(path), load_label_set(path.parent.name)
    assert prompts.label_set == labels.name
    assert {code: item.name for code, item in prompts.classes.items()} == {
        code: item.name for code, item in labels.classes.items()
    }
    passages = {passage.id for entry in entries.values() for passage in passages_of(entry)}
    for code, item in prompts.classes.items():
        assert item.present, code
        assert {source for phrase in item.prompts for source in phrase.sources} <= passages, code


def test_no_phrase_is_a_finding_of_two_classes_of_a_set():
    for path in SETS:
        owners = defaultdict(set)
        for code, item in PromptSet.load(path).classes.items():
            for text in item.present:
                owners[text.casefold()].add(code)
        assert not {text: codes for text, codes in owners.items() if len(codes) > 1}, path


def test_left_strain_belongs_to_hypertrophy_and_right_strain_need_not(
    entries,
):  # pulmonary embolism has it too
    assert (entries["LVSTRAIN"].is_a, entries["RVSTRAIN"].is_a) == (("STTC", "LVH"), ("STTC",))
