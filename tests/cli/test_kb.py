import json
import subprocess
import sys
from pathlib import Path

import pytest

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
