from pathlib import Path

import pytest

import merl
from merl.errors import ConfigError
from merl.files import read_yaml, validate
from merl.pretraining.config import PretrainConfig

CONFIGS = sorted((Path(merl.__file__).parent / "configs").glob("*.yaml"))


def check(**values):
    return validate(PretrainConfig, {"name": "run", "spec": {}, **values}, "run.yaml", ConfigError)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_shipped_configurations_are_valid_and_say_how_to_run_them(path):
    config = validate(PretrainConfig, read_yaml(path, ConfigError), path, ConfigError)
    assert config.name == path.stem
    assert f"merl pretrain {path.stem} data=" in path.read_text(encoding="utf-8")


def test_all_faults_are_said_at_once():
    with pytest.raises(ConfigError) as found:
        check(epoch=3, batch_size=0, objectives={"cma-mlti": 1}, text={"template": "no place"})
    for part in ("did you mean 'epochs'", "batch_size", "did you mean 'cma-multi'", "once, as {text}"):
        assert part in str(found.value)


def test_stages_follow_each_other():
    config = check(epochs=3, sentence_share=0.2, then=[{"epochs": 2, "sentence_share": 0.9}])
    stages = [config.stage_of(epoch) for epoch in range(5)]
    assert [stage.sentence_share for stage, _ in stages] == [0.2, 0.2, 0.2, 0.9, 0.9]
    assert [epoch for _, epoch in stages] == [0, 1, 2, 0, 1]
    assert config.total_epochs == 5


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"folds": [1, 2], "validation_folds": [2]}, "fold 2 is both trained on and validated on"),
        ({"temperature": 0.05, "temperature_floor": 0.1}, "temperature 0.05 lies below its floor 0.1"),
        ({"objectives": {}}, "objectives"),
        ({"objectives": {"uma": 1}}, "none brings ECG and text together"),
        ({"objectives": {"cma": float("nan")}}, "objectives.cma"),
        ({"learning_rate": float("inf")}, "learning_rate"),
        ({"spec": {"scaling": "minmax"}, "lead_masking": 0.1}, "minmax scaling has moved"),
        (
            {"text": {"trained_layers": 1}, "then": [{"text_learning_rate": 0}]},
            "a stage with text_learning_rate 0 follows one that trains text",
        ),
        ({"spec": {"seconds": 0.001}}, "hold no sample"),
        ({"text": {"trained_layer": 3}}, "trained_layer"),
    ],
)
def test_a_configuration_that_makes_no_sense(values, sentence):
    with pytest.raises(ConfigError, match=sentence):
        check(**values)
