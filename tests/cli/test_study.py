import json

import pytest
import yaml

from tests.studies.conftest import SMALL

pytestmark = pytest.mark.usefixtures("eye_text_encoder")


@pytest.fixture
def config(place):
    (place / "small.yaml").write_text(yaml.safe_dump(SMALL))
    return "small.yaml"


def test_a_study_prints_one_table_and_keeps_its_result(merl, config, tiny_ptbxl, place):
    done = merl("study", config, "--data", tiny_ptbxl, "--markdown", "table.md")
    assert done.code == 0, done.err
    assert "zero-shot" in done.out
    assert "2 all" in done.out
    assert "studies/small.json" in done.err
    lines = (place / "table.md").read_text().splitlines()
    assert lines[0].startswith("| model | trained on | epochs | scored on | classes | n | AUROC |")
    assert lines[2].startswith("| zero-shot | 18 | 1 | rhythm | 2 all | 2 | ")
    again = merl("study", config, "--data", tiny_ptbxl, "--json")
    result = json.loads(again.out)
    assert result == json.loads((place / "studies/small.json").read_text())
    assert len(list((place / "studies/cells").iterdir())) == 1


def test_the_plan_lists_cells_and_trains_nothing(merl, config, tiny_ptbxl, place):
    done = merl("study", config, "--data", tiny_ptbxl, "--plan")
    assert done.out == "cnn, all-MiniLM-L6-v2, share 1, scratch, whole: 1 epochs\n"
    assert not (place / "studies").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["smal", "--data", "."], 2, "unknown study 'smal'"),
        (["small.yaml", "--data", "nowhere"], 1, "there is no PTB-XL in nowhere"),
        (["small.yaml", "--data", ".", "--markdown", "."], 1, "it is a folder; name a file in it"),
    ],
)
def test_wrong_use(fails, config, *, arguments, code, sentence):
    assert sentence in fails(code, "study", *arguments)
