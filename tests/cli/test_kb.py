import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.small_knowledge import KNOWLEDGE

ROOT = Path(__file__).parents[2]


def test_an_exact_hit_needs_no_torch():
    code = (
        "import sys; from merl.cli import main\n"
        "try: main(['kb', 'search', 'AFIB', '--json'])\n"
        "finally: print({'torch', 'transformers', 'faiss'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert [(hit["id"], hit["matched_by"]) for hit in json.loads(done.stdout)] == [("AFIB", "code")]
    assert done.stderr.strip() == "set()"


def test_every_meaning_of_an_abbreviation_is_given_and_said_to_be_one_of_several(merl):
    done = merl("kb", "search", "LAH", "--json")
    assert {hit["id"]: hit["matched_by"] for hit in json.loads(done.out)} == dict.fromkeys(
        ("LAFB", "LATRIALHYP"), "abbreviation"
    )
    assert "'LAH' has 2 meanings: LAFB, LATRIALHYP" in done.err


@pytest.mark.parametrize(
    ("label_set", "code", "entry"), [("ptbxl-rhythm", "AFLT", "AFLT"), ("cpsc2018", "STE", "STE_")]
)
def test_a_code_means_what_its_label_set_says(merl, label_set, code, entry):
    done = merl("kb", "search", code, "--label-set", label_set, "--json")
    assert [hit["id"] for hit in json.loads(done.out)] == [entry]


def test_a_code_that_the_label_set_does_not_have_is_refused(merl):
    done = merl("kb", "search", "AFIBB", "--label-set", "cpsc2018")
    assert done.code == 2
    assert "unknown class of cpsc2018 'AFIBB'; did you mean 'AFIB'" in done.err


def test_k_fills_up_with_the_nearest(merl):
    done = merl("kb", "search", "AFIB", "-k", "3", "--json")
    hits = json.loads(done.out)
    assert [hit["matched_by"] for hit in hits] == ["code", "hybrid", "hybrid"]


def test_what_other_label_sets_mean_by_a_bare_code_is_given_too(merl):
    done = merl("kb", "search", "AF", "--json")
    assert [(hit["id"], hit["matched_by"]) for hit in json.loads(done.out)] == [
        ("AFIB", "abbreviation"),
        ("AFLT", "code"),
    ]
    assert "'AF' has 2 meanings: AFIB, AFLT in csn" in done.err
    done = merl("kb", "search", "AF", "--label-set", "csn", "--json")
    assert [hit["id"] for hit in json.loads(done.out)] == ["AFLT"]


def test_lint_of_the_shipped_knowledge(merl):
    done = merl("kb", "lint")
    assert (done.code, done.out) == (0, "")
    assert done.err.endswith(" entries, 0 faults\n")


def test_lint_prints_each_fault_and_exits_with_1(merl, place):
    shutil.copytree(KNOWLEDGE, place / "mine")
    path = place / "mine" / "entries" / "AFLT.yaml"
    path.write_text(path.read_text().replace("german:", "germn:"))
    done = merl("kb", "lint", "mine", "--json")
    assert done.code == 1
    (fault,) = [fault for fault in json.loads(done.out) if fault["check"] == "schema"]
    assert (fault["file"], fault["line"]) == ("entries/AFLT.yaml", 4)
    assert "unknown key 'germn'; did you mean 'german'?" in fault["message"]
    lines = merl("kb", "lint", "mine").out.splitlines()
    assert f"entries/AFLT.yaml:4: schema: {fault['message']}" in lines


def test_an_entry_that_is_not_there_is_near_others(fails):
    said = fails(2, "kb", "show", "afib")
    assert "unknown entry 'afib'; did you mean 'AFIB'" in said
    assert said.endswith("find one with `merl kb search`\n")


def test_lint_of_a_folder_that_is_not_there(fails):
    assert "there is no folder nowhere" in fails(2, "kb", "lint", "nowhere")


def test_lint_of_what_is_no_knowledge_base(fails):
    assert "no entries in" in fails(1, "kb", "lint", ".")


def test_coverage_counts_the_classes_of_a_label_set(merl, place):
    (place / "mine.yaml").write_text("AF: atrial fibrillation\nZZ: xylophone\n")
    done = merl("kb", "coverage", "code15", "mine.yaml", "--json")
    first, second = json.loads(done.out)
    assert (first["classes"], first["with_entry"], first["with_numbers"]) == (6, 6, 6)
    assert (second["classes"], second["with_entry"], second["missing"]) == (2, 1, ["ZZ"])
    assert "code15" in merl("kb", "coverage", "code15").out


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["AFIB", "--index", "nowhere"], 2, "nowhere is no index: it has no manifest.json; give a folder"),
        (["AFIB", "--base-url", "http://127.0.0.1:9/v1"], 2, "name it with --index"),
        ([" "], 2, "the query is empty"),
    ],
)
def test_a_search_that_cannot_be(fails, arguments, code, sentence):
    assert sentence in fails(code, "kb", "search", *arguments)
