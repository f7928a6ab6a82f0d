import json

import pytest

from merl.checkpoints import WEIGHTS, load_model
from merl.errors import ConfigError, DataError, UsageError
from merl.pretraining.run import STATE
from merl.studies.run import CELLS, MODEL, ROW, run_study
from merl.studies.truth import SEEN, UNSEEN
from tests.studies import conftest

pytestmark = pytest.mark.usefixtures("eye_text_encoder")


def folders(out):
    return {path.name.rsplit("-", 1)[0]: path for path in (out / CELLS).iterdir()}


class TestStudy:
    def test_every_combination_is_pretrained_and_scored(self, study, tiny_ptbxl, tmp_path):
        config = study(axes={"encoder": ["cnn", "resnet18"], "share": [0.5, 1.0]})
        result = run_study(config, tiny_ptbxl, tmp_path)
        assert [(row.axes["encoder"], row.axes["share"]) for row in result.rows] == [
            ("cnn", "0.5"), ("cnn", "1"), ("resnet18", "0.5"), ("resnet18", "1"),
        ]  # fmt: skip
        assert [(row.n_training, row.epochs) for row in result.rows] == [(9, 2), (18, 1), (9, 2), (18, 1)]
        figures = result.rows[0].scores[0].figures
        assert result.rows[0].scores[0].n_classes == 2  # SR and AFIB; no record of fold 9 has another rhythm
        assert figures.nearest.n_records == 2
        assert set(figures.per_class) >= {"SR", "AFIB"}
        model = load_model(folders(tmp_path)["cnn-0.5-whole"] / MODEL)
        assert model.sha256 == result.rows[0].sha256
        assert model.config.training.records == 9
        assert json.loads((tmp_path / "small.json").read_text())["rows"][0]["sha256"] == model.sha256

    def test_what_is_finished_is_kept_and_what_was_stopped_goes_on(self, study, tiny_ptbxl, tmp_path):
        config = study(
            axes={"encoder": ["cnn", "resnet18"]},
            pretraining=conftest.SMALL["pretraining"] | {"epochs": 2},
        )

        def stop_in_the_second_cell(_done, _of, what):
            if what.startswith("epoch 2") and len(folders(tmp_path)) == 2:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run_study(config, tiny_ptbxl, tmp_path, progress=stop_in_the_second_cell)
        first, second = folders(tmp_path)["cnn-1-whole"], folders(tmp_path)["resnet18-1-whole"]
        assert (first / ROW).is_file()
        assert (second / MODEL / STATE).is_file()
        assert not (tmp_path / "small.json").exists()
        made = (first / MODEL / WEIGHTS).stat().st_mtime_ns
        seen = []
        result = run_study(config, tiny_ptbxl, tmp_path, progress=lambda *told: seen.append(told[2]))
        assert (first / MODEL / WEIGHTS).stat().st_mtime_ns == made
        assert not [what for what in seen if what.startswith("epoch 1")]
        whole = run_study(config, tiny_ptbxl, tmp_path / "other")
        assert [row.sha256 for row in result.rows] == [row.sha256 for row in whole.rows]

    def test_other_evaluations_score_anew_without_training(self, study, tiny_ptbxl, tmp_path):
        first = run_study(study(), tiny_ptbxl, tmp_path)
        seen = []
        more = study(evaluations=[{"name": "super", "task": "ptbxl-super"}])
        second = run_study(more, tiny_ptbxl, tmp_path, progress=lambda *told: seen.append(told[2]))
        assert not [what for what in seen if "epoch" in what]
        assert second.rows[0].sha256 == first.rows[0].sha256
        assert [score.evaluation for score in second.rows[0].scores] == ["super"]

    def test_unseen_classes_are_withheld_and_beside_a_classifier(
        self, study, tiny_ptbxl, tmp_path, monkeypatch
    ):
        monkeypatch.setattr("merl.studies.truth.NAMED_AT_LEAST", 1)
        config = study(
            axes={"encoder": ["cnn"], "texts": ["whole", "withheld"]},
            unseen=conftest.UNSEEN,
            evaluations=[conftest.BY_CONCEPT],
            classifiers={"told": {"labels_of": "fold 9", "encoder": "cnn", "epochs": 1, "batch_size": 4}},
        )
        whole, withheld, told = run_study(config, tiny_ptbxl, tmp_path).rows
        assert (whole.n_training, withheld.n_training, told.n_training) == (18, 12, 24)
        assert [score.group for score in withheld.scores] == [UNSEEN, SEEN]
        assert set(withheld.scores[0].figures.per_class) == {"AFIB"}
        assert "AFIB" not in withheld.scores[1].figures.per_class
        assert "SR" in withheld.scores[1].figures.per_class
        assert told.method == "told"
        next(folders(tmp_path)["classifier"].glob(ROW)).unlink()
        seen = []
        again = run_study(config, tiny_ptbxl, tmp_path, progress=lambda *what: seen.append(what[2]))
        assert again.rows[2].scores == told.scores  # its network is kept
        assert not [what for what in seen if what.startswith("training a classifier")]
        assert told.scores[1].n_classes == withheld.scores[1].n_classes
        result = json.loads((tmp_path / "small.json").read_text())
        assert result["withheld"]["1"]["named_before"] == {"AFIB": 6}
        assert result["withheld"]["1"]["named_after"] == {"AFIB": 0}

    def test_a_start_with_labels_takes_over_the_trained_encoder(self, study, tiny_ptbxl, tmp_path):
        config = study(
            axes={"encoder": ["cnn"], "start": ["scratch", "labels"]},
            classifiers={"told": {"labels_of": "rhythm", "epochs": 1, "batch_size": 4, "encoder": "cnn"}},
            start="told",
        )
        scratch, labels, _ = run_study(config, tiny_ptbxl, tmp_path).rows
        assert scratch.sha256 != labels.sha256
        models = [load_model(folder / MODEL) for folder in (tmp_path / CELLS).glob("cnn-*")]
        assert sum("labels of ptbxl-rhythm" in str(m.config.training.begun_with) for m in models) == 1

    def test_a_cell_may_begin_with_a_checkpoint(self, study, tiny_ptbxl, tmp_path):
        run_study(study(), tiny_ptbxl, tmp_path)
        begin = str(folders(tmp_path)["cnn-1-whole"] / MODEL)
        (row,) = run_study(study(axes={"encoder": ["cnn"], "start": [begin]}), tiny_ptbxl, tmp_path).rows
        assert row.axes["start"] == begin
        begun = [
            load_model(folder / MODEL).config.training.begun_with for folder in (tmp_path / CELLS).iterdir()
        ]
        assert sorted(map(bool, begun)) == [False, True]

    @pytest.mark.parametrize(
        ("changes", "error", "sentence"),
        [
            ({"axes": {"encoder": ["resnt18"]}}, ConfigError, "did you mean 'resnet18'"),
            (
                {"evaluations": [{"name": "a", "task": "ptbxl-rythm"}]},
                UsageError,
                "did you mean 'ptbxl-rhythm'",
            ),
            (
                {"evaluations": [{"name": "a", "task": "ptbxl-rhythm", "prompts": "plane"}]},
                UsageError,
                "'plain'",
            ),
            (
                {"evaluations": [{"name": "a", "task": "ptbxl-rhythm", "gives_way": "NSR"}]},
                ConfigError,
                "gives_way: unknown class of ptbxl-rhythm 'NSR'",
            ),
            ({"evaluations": [{"name": "a", "task": "mitbih-aami"}]}, DataError, "there is no MIT-BIH"),
            (
                {"evaluations": [{"name": "a", "statements": "ptbxl"}], "unseen": conftest.UNSEEN},
                UsageError,
                "unknown label set of statements 'ptbxl'",
            ),
            (
                {
                    "evaluations": [conftest.BY_CONCEPT],
                    "unseen": {"AF": {"name": "atrial fibrillation", "concepts": ["AFIBB"]}},
                },
                ConfigError,
                "unseen.AF: unknown knowledge entry 'AFIBB'; did you mean 'AFIB'",
            ),
            (
                {
                    "evaluations": [{"name": "a", "task": "ptbxl-rhythm", "split": "all"}],
                    "classifiers": {"c": {"labels_of": "a"}},
                },
                ConfigError,
                "'a' holds the training records of a classifier",
            ),
            (
                {"pretraining": conftest.SMALL["pretraining"] | {"folds": []}},
                ConfigError,
                "ptbxl has folds and the study names none",
            ),
        ],
    )
    def test_what_cannot_be_is_said_before_anything_is_trained(
        self, study, tiny_ptbxl, tmp_path, *, changes, error, sentence
    ):
        with pytest.raises(error, match=sentence):
            run_study(study(**changes), tiny_ptbxl, tmp_path / "out")
        assert not (tmp_path / "out").exists()

    def test_a_damaged_row_is_not_taken_for_a_result(self, study, tiny_ptbxl, tmp_path):
        run_study(study(), tiny_ptbxl, tmp_path)
        row = next((tmp_path / CELLS).glob(f"*/{ROW}"))
        row.write_text(row.read_text()[:40])
        with pytest.raises(DataError, match="is damaged; delete it to score its model again"):
            run_study(study(), tiny_ptbxl, tmp_path)
        row.unlink()
        assert run_study(study(), tiny_ptbxl, tmp_path).rows
