"""Every data set in its published layout: listed, labelled, read."""

import numpy as np
import pytest

from merl.datasets import code15, cpsc2018, csn, georgia, ludb, mitbih, ningbo, sph
from merl.datasets.catalogue import DATASETS
from merl.datasets.published import FOLDS, hashed_folds
from merl.errors import DataError, RecordError
from merl.records import STANDARD_LEADS
from tests import layouts


def listed(module, root, rate=500):
    published = module.DATASET
    records = published.records(published.folder(root), rate)
    return published, records, published.statements(published.folder(root), records)


def test_every_data_set_says_what_it_is():
    for key, published in DATASETS.items():
        assert key == published.key
        assert published.licence
        assert published.doi.startswith("10.")
        assert published.records_in_all > 0
        assert published.url.startswith("http")
        with pytest.raises(
            DataError, match=r"there is no .* give the folder that holds it, or get it from http"
        ):
            published.folder("/nowhere")


def test_a_hashed_fold_depends_on_the_patient_alone():
    folds = hashed_folds("sph", ["S1", "S2", "S1", "S3"])
    assert folds.tolist() == [hashed_folds("sph", [p])[0] for p in ("S1", "S2", "S1", "S3")]
    many = hashed_folds("csn", [f"JS{n:05d}" for n in range(1, 20001)])
    shares = np.bincount(many, minlength=11)[1:] / len(many)
    assert shares == pytest.approx(0.1, abs=0.01)
    # frozen: results on the data sets without published folds rest on it
    assert many[:12].tolist() == FIRST_FOLDS
    assert set(FOLDS["all"]) == set(range(1, 11))


FIRST_FOLDS = [8, 4, 8, 4, 3, 10, 2, 4, 1, 3, 3, 9]


def test_csn_is_a_tree_with_codes_in_headers(tmp_path):
    layouts.csn(tmp_path, {"JS00001": "426177001,164934002", "JS10647": "164890007", "JS45551": ""})
    published, records, said = listed(csn, tmp_path)
    assert records.names == ("JS00001", "JS10647", "JS45551")
    assert records.paths[0] == tmp_path / "WFDBRecords/00/000/JS00001"
    assert said == ({"426177001", "164934002"}, {"164890007"}, set())
    record = published.read(records.paths[1], 0)
    assert (record.name, record.leads, record.sampling_rate) == ("JS10647", STANDARD_LEADS, 500)
    assert listed(ningbo, tmp_path)[1].names == ("JS10647", "JS45551")


def test_a_record_that_a_list_names_is_missing_when_its_files_are(tmp_path):
    layouts.csn(tmp_path, {"JS00001": "426177001", "JS00002": "426177001", "JS00003": "426177001"})
    folder = tmp_path / "WFDBRecords/00/000"
    (folder / "JS00001.hea").unlink()
    (folder / "JS00002.mat").unlink()
    published, records, said = listed(csn, tmp_path)
    assert published.missing(records).tolist() == [True, True, False]
    assert said == (None, {"426177001"}, {"426177001"})


def test_a_table_of_names_that_contradicts_the_label_set_is_refused(tmp_path):
    from merl.label_sets import load_label_set

    layouts.csn(tmp_path, {"JS00001": "426177001"})
    table = tmp_path / csn.CONDITIONS
    assert csn.classes(tmp_path, load_label_set("csn"))["164890007"] == "AF"
    table.write_text(table.read_text(encoding="utf-8-sig").replace("164890007", "164889003"))
    with pytest.raises(DataError, match="disagree on AF;"):
        csn.classes(tmp_path, load_label_set("csn"))


def test_the_challenge_writes_its_line_with_and_without_a_space(tmp_path):
    layouts.challenge_record(tmp_path / "training/georgia/g1/E00001", "426783006", space=True)
    layouts.challenge_record(tmp_path / "training/georgia/g2/E00002", "164889003,1")
    layouts.challenge_record(tmp_path / "training/georgia/g2/E00003", None)
    layouts.challenge_record(tmp_path / "training/ptb/g1/S0001", "164865005")
    _, records, said = listed(georgia, tmp_path)
    assert records.names == ("E00001", "E00002", "E00003")
    assert said == ({"426783006"}, {"164889003", "1"}, None)


def test_a_record_that_is_there_twice_is_refused(tmp_path):
    for copy in ("a", "b"):
        layouts.challenge_record(tmp_path / copy / "E00001", "426783006")
    with pytest.raises(DataError, match="holds E00001 more than once"):
        listed(georgia, tmp_path)


def test_cpsc2018_as_its_challenge_published_it(tmp_path):
    layouts.cpsc2018(tmp_path, {"A0001": (5,), "A0002": (1,), "A0003": (2, 5, 8)})
    published, records, said = listed(cpsc2018, tmp_path)
    assert said == ({"CRBBB"}, {"NORM"}, {"AFIB", "CRBBB", "STD"})
    assert published.read(records.paths[0], 0).seconds == 6


def test_cpsc2018_in_the_challenges_form_with_codes_or_abbreviations(tmp_path):
    layouts.challenge_record(tmp_path / "A0001", "59118001,164884008")
    layouts.challenge_record(tmp_path / "A0002", "I-AVB,PVC")
    assert listed(cpsc2018, tmp_path)[2] == ({"CRBBB", "VPC"}, {"1AVB", "VPC"})
    layouts.challenge_record(tmp_path / "A0003", "5911800")
    with pytest.raises(DataError, match="A0003 has the label '5911800', which is none of"):
        listed(cpsc2018, tmp_path)


def test_two_forms_of_cpsc2018_are_told_apart(tmp_path):
    layouts.challenge_record(tmp_path / "A0001", "59118001")
    layouts.cpsc2018(tmp_path, {"A0002": (5,)})
    with pytest.raises(DataError, match="in two forms: 1 records with headers, 1 without, such as A0002"):
        listed(cpsc2018, tmp_path)


def test_the_labels_of_cpsc2018_may_not_be_missing(tmp_path):
    layouts.cpsc2018(tmp_path, {"A0001": (5,)})
    table = tmp_path / "TrainingSet1/REFERENCE.csv"
    table.write_text(table.read_text().replace("Second_label", "Second"))
    with pytest.raises(DataError, match="lacks the columns Second_label"):
        listed(cpsc2018, tmp_path)
    table.unlink()
    with pytest.raises(DataError, match=r"there is no REFERENCE\.csv"):
        listed(cpsc2018, tmp_path)


def test_a_window_of_mitbih_has_what_occurs_in_it(tmp_path):
    marks = [
        *layouts.MITBIH_NOTES,
        (100, "N", ""),
        (200, "V", ""),
        (3599, "A", ""),
        (3600, "L", ""),
        (9000, "!", ""),
    ]
    layouts.mitbih(tmp_path, 101, marks)
    published, records, said = listed(mitbih, tmp_path)
    assert len(records) == 44 * 180
    assert said[0] == {"beat:N", "beat:V", "beat:S", "rhythm:N"}
    assert said[1] == {"beat:N", "rhythm:N"}
    assert said[2] == {"rhythm:N", "rhythm:AFIB"}  # the rhythm changes inside; flutter waves are no beats
    assert said[3] == {"rhythm:AFIB"}
    assert said[4] == said[179] == {"rhythm:N"}
    assert said[180] is None  # recording 106 is not there
    assert published.missing(records).sum() == 43 * 180
    record = published.read(records.paths[7], 7)
    assert (record.name, record.leads, record.sampling_rate, record.seconds) == (
        "101/007",
        ("MLII", "V1"),
        360,
        10,
    )
    whole = mitbih.read_record(tmp_path / "101")
    assert np.array_equal(record.signal, whole.signal[:, 7 * 3600 : 8 * 3600])


def test_mitbih_is_split_by_recording_and_leaves_the_paced_out():
    groups = [set(mitbih.DS11), set(mitbih.DS12), set(mitbih.DS2)]
    assert [len(group) for group in groups] == [11, 11, 22]
    assert len(set.union(*groups)) == 44
    assert not set.union(*groups) & set(mitbih.PACED)
    records = mitbih.DATASET.records(mitbih.Path("x"), 0)
    assert len(set(records.patients)) == 43  # 201 and 202 are one


def test_ludb_compares_whole_names(tmp_path):
    from merl.label_sets import load_label_set

    layouts.ludb(tmp_path, {
        1: ["Rhythm: Sinus bradycardia.", "Electric axis of the heart: left axis deviation."],
        2: ["Rhythm: Irregular sinus rhythm.", "Sinoatrial blockade, undefined."],
        10: ["Rhythm: Sinus rhythm.", "Non-specific repolarization abnormalities: apical."],
    })  # fmt: skip
    published, records, said = listed(ludb, tmp_path)
    assert records.names == ("1", "2", "10")
    groups = ludb.classes(tmp_path, load_label_set("ludb"))
    assert [sorted(groups[s] for s in row if s in groups) for row in said] == [
        ["AXIS_LEFT", "SB"], ["ISR", "SAB"], ["SR"],
    ]  # fmt: skip
    assert published.read(records.paths[0], 0).leads == STANDARD_LEADS


def test_code15_finds_an_exam_by_its_number_and_takes_the_padding_off(tmp_path):
    root = layouts.code15(tmp_path / "c", [
        (11, 1, "exams_part0.hdf5", 5), (12, 1, "exams_part0.hdf5", -1), (13, 2, "exams_part1.hdf5", 0),
    ])  # fmt: skip
    published, records, said = listed(code15, root)
    assert said == ({"AF"}, set(), {"1dAVb"})
    assert records.rows.tolist() == [1, 0, 0]
    assert records.folds[0] == records.folds[1]  # one patient
    record = published.read(records.paths[0], 1)
    assert (record.name, record.leads, record.sampling_rate, record.seconds) == ("11", STANDARD_LEADS, 400, 7)
    assert record.signal == pytest.approx(layouts.beats(7, 400, seed=11) + 0.001, abs=1e-6)
    (root / "exams_part1.hdf5").unlink()
    assert published.missing(records).tolist() == [False, False, True]
    with pytest.raises(RecordError, match="is zero in every lead"):
        published.read(root / "exams_part0.hdf5", 2)
    with pytest.raises(RecordError, match="there is no file"):
        published.read(root / "exams_part1.hdf5", 0)
    with pytest.raises(RecordError, match="does not hold an exam"):
        published.read(root / "exams_part0.hdf5", -1)


def test_code15_refuses_labels_that_are_neither_true_nor_false(tmp_path):
    root = layouts.code15(tmp_path / "c", [(11, 1, "exams_part0.hdf5", 5)])
    table = root / "exams.csv"
    table.write_text(table.read_text().replace("True,1,", "perhaps,1,"))
    with pytest.raises(DataError, match="label value 'perhaps'"):
        listed(code15, root)


def test_sph_counts_a_statement_whatever_its_modifiers(tmp_path):
    root = layouts.sph(
        tmp_path / "s", {"A00001": ("S1", "60+310;22"), "A00002": ("S1", "1"), "A00003": ("S2", "147")}
    )
    published, records, said = listed(sph, root)
    assert said == ({"60", "22"}, {"1"}, {"147"})
    assert records.folds[0] == records.folds[1]
    record = published.read(records.paths[0], 0)
    assert (record.name, record.sampling_rate, record.signal.shape) == ("A00001", 500, (12, 5000))


def test_sph_has_its_codes_compared(tmp_path):
    from merl.label_sets import load_label_set

    root = layouts.sph(tmp_path / "s", {"A00001": ("S1", "1")})
    assert sph.classes(root, load_label_set("sph"))["60"] == "60"
    (root / "code.csv").write_text("Category,Code,Description\nA,1,Normal ECG\n")
    with pytest.raises(DataError, match="lacks the codes 21, 22, 23"):
        sph.classes(root, load_label_set("sph"))


@pytest.mark.parametrize("content", [b"", b"no HDF5", None])
def test_a_damaged_hdf5_file_is_refused(tmp_path, content):
    root = layouts.sph(tmp_path / "s", {"A00001": ("S1", "1")})
    path = root / "records/A00001.h5"
    path.write_bytes(path.read_bytes()[:1500] if content is None else content)
    with pytest.raises(RecordError, match="truncated or damaged"):
        sph.read_h5(path, 0)


def test_an_hdf5_file_without_the_array_or_with_other_leads_is_refused(tmp_path):
    import h5py

    for name, shape, sentence in (("other", (12, 5), "has no array ecg"), ("ecg", (8, 5), "and not")):
        with h5py.File(tmp_path / "x.h5", "w") as handle:
            handle[name] = np.zeros(shape)
        with pytest.raises(RecordError, match=sentence):
            sph.read_h5(tmp_path / "x.h5", 0)
