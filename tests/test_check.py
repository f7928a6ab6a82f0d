import numpy as np
import pytest

from merl.datasets.check import check
from merl.errors import DataError
from merl.records import STANDARD_LEADS
from tests import layouts


def only(root, **options):
    (found,) = check(root, **options)
    return found


def test_ptbxl_by_fold_and_label(tiny_ptbxl):
    found = only(tiny_ptbxl.parent)
    assert (found.key, found.records, found.published) == ("ptb-xl", 30, 21799)
    assert found.folds == dict.fromkeys(range(1, 11), 3)
    assert len(found.missing["500 Hz"]) == 30
    assert found.missing["100 Hz"] == []
    rhythm = found.tasks["ptbxl-rhythm"]
    assert rhythm.records == {"train": 16, "val": 2, "test": 2}
    assert rhythm.labels["SR"] == {"train": 8, "val": 1, "test": 1}
    assert found.problems == []  # one rate is enough


def test_a_fold_that_the_publisher_has_is_missed(tiny_ptbxl, tmp_path):
    table = (tiny_ptbxl / "ptbxl_database.csv").read_text().splitlines()
    (tmp_path / "ptbxl_database.csv").write_text("\n".join(table[:-3]) + "\n")
    (tmp_path / "scp_statements.csv").write_text((tiny_ptbxl / "scp_statements.csv").read_text())
    (tmp_path / "records100").symlink_to(tiny_ptbxl / "records100")
    assert only(tmp_path).problems == ["no record of fold 10"]


def test_several_data_sets_of_a_folder(tiny_mimic, tmp_path):
    layouts.csn(tmp_path / "csn", {"JS00001": "426177001,55827005", "JS20000": "164890007"})
    layouts.sph(tmp_path / "sph", {"A00001": ("S1", "60+310;22")})
    layouts.challenge_record(tmp_path / "training/ptb/g1/S0001", "164865005,733534002")
    (tmp_path / "mimic-iv-ecg").symlink_to(tiny_mimic)
    found = {item.key: item for item in check(tmp_path)}
    assert set(found) == {"csn", "ningbo", "ptb", "sph", "mimic-iv-ecg"}
    assert found["csn"].without_class == {"55827005": 1}
    assert (
        found["ptb"].tasks["challenge2021"].labels["CLBBB"]
        != found["ptb"].tasks["challenge2021"].labels["LBBB"]
    )
    assert found["mimic-iv-ecg"].notes[0] == "40 records with a report"
    assert found["mimic-iv-ecg"].folds == {}
    assert [item.key for item in check(tmp_path / "csn")] == ["csn"]  # Ningbo is a part of it


def test_what_lacks_files_or_labels_is_listed(tmp_path):
    layouts.csn(tmp_path, {f"JS0000{n}": "426177001" for n in range(1, 6)})
    folder = tmp_path / "WFDBRecords/00/000"
    (folder / "JS00002.mat").unlink()
    (folder / "JS00003.hea").unlink()
    found = only(tmp_path)
    assert found.missing == {"all": ["JS00002", "JS00003"]}
    assert found.problems == ["1 records have no labels that can be read", "2 of 5 records lack a file"]


def test_labels_that_cannot_be_read_are_a_problem_not_an_end(tmp_path):
    layouts.cpsc2018(tmp_path, {"A0001": (5,)})
    (tmp_path / "TrainingSet1/REFERENCE.csv").unlink()
    (problem,) = only(tmp_path).problems
    assert "there is no REFERENCE.csv" in problem


def test_every_record_is_read_when_asked(tmp_path, write_record):
    folder = tmp_path / "training/georgia/g1"
    for number in range(1, 5):
        layouts.challenge_record(folder / f"E0000{number}", "426783006")
    (folder / "E00002.mat").write_bytes(b"short")
    flat = layouts.beats(2, 250)
    flat[3] = 0.25
    write_record(folder / "E00003", flat[::-1], rate=250, leads=STANDARD_LEADS[::-1])
    write_record(folder / "E00004", layouts.beats(10, 500) * 1000, rate=500, unit="/uV", gain=1)
    for name in ("E00003", "E00004"):
        with (folder / f"{name}.hea").open("a") as handle:
            handle.write("#Dx: 426783006\n")
    told = []
    found = only(tmp_path, waveforms=True, progress=lambda *args: told.append(args))
    assert told[-1] == (4, 4)
    waves = found.waveforms
    assert waves.read == 3
    assert list(waves.unreadable) == ["E00002"]
    assert "truncated" in waves.unreadable["E00002"]
    assert waves.flat == {"E00003": ["aVR"]}
    assert waves.rates == {"500": 2, "250": 1}
    assert sorted(waves.leads.values()) == [1, 2]
    assert waves.seconds == (2, 10)
    assert found.problems == ["1 records cannot be read"]


def test_a_folder_of_nothing_and_one_of_the_release(tmp_path):
    with pytest.raises(DataError, match="there is no folder"):
        check(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"no data set is in .*; known are PTB-XL, CPSC2018, CSN"):
        check(tmp_path)
    (tmp_path / "data_split/chapman").mkdir(parents=True)
    with pytest.raises(DataError, match="`merl data audit"):
        check(tmp_path)


@pytest.mark.realdata
def test_the_real_data_sets(merl_data):
    found = {item.key: item for item in check(merl_data)}
    assert set(found) >= {"ptb-xl", "csn", "georgia", "cpsc-extra", "ptb", "ningbo", "mitbih"}
    assert "in two forms" in found["cpsc2018"].problems[0]
    assert found["ptb-xl"].records == 19601
    assert found["ptb-xl"].tasks["ptbxl-form"].records == {"train": 7200, "val": 901, "test": 0}
    aami = found["mitbih"].tasks["mitbih-aami"]
    assert aami.records == {"train": 1980, "val": 1969, "test": 0}  # the rest of 207 is flutter without beats
    assert aami.labels["V"] == {"train": 515, "val": 623, "test": 0}
    (samples,) = [
        item for item in check(merl_data / "challenge-2021-samples", waveforms=True) if item.key == "csn"
    ]
    assert samples.waveforms is not None
    assert (samples.waveforms.read, samples.waveforms.rates) == (28, {"500": 28})
    assert np.sum([sum(row.values()) for row in samples.tasks["csn"].labels.values()]) == 52
