import pytest

from merl.errors import ConfigError, UsageError
from merl.files import validate
from merl.knowledge.entries import load_entries
from merl.studies.config import Cell, StudyConfig, load_study, shipped_studies
from merl.studies.truth import task_of
from merl.studies.withholding import Withholding
from tests.studies.conftest import BY_CONCEPT, SMALL, UNSEEN

PLAN = SMALL["pretraining"]


@pytest.mark.parametrize("name", sorted(shipped_studies()))
def test_shipped_studies_can_be_run(name):
    config = load_study(name)
    assert config.name == name
    assert [config.pretraining_of(cell) for cell in config.cells]
    assert [task_of(evaluation) for evaluation in config.evaluations]
    assert Withholding(config.unseen, load_entries())
    said = shipped_studies()[name].read_text(encoding="utf-8")
    assert said.startswith("# ")
    assert f"#   merl study {name} --data DATA" in said


def test_every_combination_is_a_cell(study):
    config = study(axes={"encoder": ["cnn", "resnet18"], "share": [0.1, 1]})
    assert len(config.cells) == 4
    assert config.cells[1] == Cell("cnn", "all-MiniLM-L6-v2", 1.0, "scratch", "whole")


def test_the_axes_enter_the_pretraining(study):
    config = study(axes={"encoder": ["vit_tiny"], "text": ["some/folder"]})
    made = config.pretraining_of(config.cells[0])
    assert (made.encoder, made.text.encoder) == ("vit_tiny", "some/folder")


def test_a_share_takes_as_many_steps_or_as_many_epochs(study):
    plan = PLAN | {"epochs": 2, "crop_epochs": 1, "then": [{"epochs": 3}]}
    same = study(pretraining=plan, axes={"share": [0.1]})
    made = same.pretraining_of(same.cells[0])
    assert [stage.epochs for stage in made.stages] == [20, 30]
    assert made.crop_epochs == 10
    other = study(pretraining=plan, axes={"share": [0.1]}, same_steps=False)
    assert [stage.epochs for stage in other.pretraining_of(other.cells[0]).stages] == [2, 3]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"axis": {}}, "unknown key 'axis'; did you mean 'axes'"),
        ({"axes": {"encoders": ["cnn"]}}, "unknown key 'encoders'; did you mean 'encoder'? in axes"),
        ({"axes": {"share": [0]}}, "axes.share.0: input should be greater than 0"),
        (
            {"pretraining": PLAN | {"epoch": 1}},
            "unknown key 'epoch'; did you mean 'epochs' or 'crop_epochs'? in pretraining",
        ),
        ({"pretraining": PLAN | {"encoder": "cnn"}}, "encoder in pretraining is what the axes vary"),
        (
            {"pretraining": PLAN | {"text": {"encoder": "x"}, "name": "n"}},
            "name, text.encoder in pretraining is what the axes vary",
        ),
        ({"pretraining": PLAN | {"validation_folds": [9]}}, "leave validation_folds out"),
        ({"evaluations": []}, "evaluations: tuple should have at least 1 item"),
        ({"evaluations": [{"name": "a"}]}, "'a' names a task or statements, one of the two"),
        ({"evaluations": [SMALL["evaluations"][0]] * 2}, "two are called 'rhythm'"),
        ({"evaluations": [BY_CONCEPT]}, "'fold 9' is by concept, seen and unseen, and no class is unseen"),
        ({"axes": {"texts": ["withheld"]}}, "texts are withheld and no class is unseen"),
        (
            {
                "axes": {"texts": ["withheld"]},
                "unseen": UNSEEN,
                "pretraining": PLAN | {"then": [{"rephrase_share": 0.5}]},
            },
            "rephrase_share would say what unseen classes are or look like",
        ),
        (
            {
                "axes": {"texts": ["withheld"]},
                "unseen": UNSEEN,
                "pretraining": PLAN | {"findings_share": 0.5},
            },
            "findings_share would say what unseen classes are or look like",
        ),
        (
            {"axes": {"texts": ["withheld"], "start": ["ptbxl-r18-100hz"]}, "unseen": UNSEEN},
            "a start with ptbxl-r18-100hz may have met the unseen classes",
        ),
        ({"classifiers": {"c": {"labels_of": "rythm"}}}, "unknown evaluation 'rythm'; did you mean 'rhythm'"),
        ({"axes": {"start": ["labels"]}}, "a start with labels needs start: one of the classifiers"),
        ({"name": "a/b"}, "name: string should match pattern"),
    ],
)
def test_a_faulty_study_is_refused_in_a_sentence(changes, sentence):
    with pytest.raises(ConfigError) as refused:
        validate(StudyConfig, SMALL | changes, "a.yaml", ConfigError)
    assert sentence in str(refused.value)


def test_a_study_that_is_not_there():
    with pytest.raises(UsageError, match="did you mean 'encoders'"):
        load_study("encoder")
