import pytest

from merl.checkpoints import load_model

pytestmark = pytest.mark.usefixtures("eye_text_encoder")
CONFIG = """\
name: tiny
embed_dim: 8
spec: {leads: [I, II], sampling_rate: 50, seconds: 2}
folds: [1, 2]
epochs: 1
batch_size: 4
"""


@pytest.fixture
def config(place):
    (place / "tiny.yaml").write_text(CONFIG)
    return "tiny.yaml"


def test_a_run_with_a_setting(merl, config, tiny_ptbxl, place):
    done = merl("pretrain", config, f"data={tiny_ptbxl}", "out=model", "name=mine", "learning_rate=1e-4")
    assert (done.code, done.out) == (0, ""), done.err
    assert "mine is in model" in done.err
    assert load_model(place / "model").config.training.records == 6


@pytest.mark.parametrize(
    ("settings", "code", "sentence"),
    [
        ([], 2, "add data=DIR and out=DIR"),
        (["data=nowhere", "out=m"], 1, "there is no data set in nowhere"),
        (["data={data}", "out=m", "epoch=3"], 2, "unknown key 'epoch'; did you mean 'epochs'"),
        (
            ["data={data}", "out=m", "text.max_token=3"],
            2,
            "unknown key 'max_token'; did you mean 'max_tokens'",
        ),
        (["data={data}", "out=m", "name.first=cnn"], 2, "name.first leads nowhere in this configuration"),
        (["data={data}", "out=m", "then.0.epochs=1"], 2, "then: input should be"),
        (["data={data}", "out=m", "epochs=many"], 2, "epochs: input should be a valid integer"),
        (["data={data}", "out=m", "epochs=[1"], 2, "epochs=[1 is not valid YAML"),
        (["data={data}", "out=m", "epochs"], 2, "'epochs' is not key=value"),
        (["data={data}", "out=m", "encoder=resnt18"], 2, "unknown encoder 'resnt18'"),
        (["data={data}", "out=m", "embed_dim=10"], 2, "embed_dim 10 cannot be divided among 4"),
        (["data={data}", "out=m", "epochs=0"], 2, "with the settings given: epochs: input should be"),
        (["data={data}", "out=."], 1, ". holds other files (tiny.yaml); give a new or empty out folder"),
        (["data={data}", "out=tiny.yaml"], 1, "tiny.yaml is a file; name another place"),
        (["data={data}", "out=m", "batch_size=64"], 1, "6 records do not fill one batch of 64"),
        (["data={data}", "out=m", "folds=[11]"], 1, "no records of fold 11"),
    ],
)
def test_wrong_settings(fails, config, tiny_ptbxl, *, settings, code, sentence):
    assert sentence in fails(code, "pretrain", config, *(text.format(data=tiny_ptbxl) for text in settings))


def test_a_configuration_that_is_not_there(fails):
    assert "did you mean 'ptbxl-r18-100hz'" in fails(2, "pretrain", "ptbxl-r18-100", "data=a", "out=b")
