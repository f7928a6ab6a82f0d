import pytest

from merl.pretraining.prepared import PreparedPairs


def test_preparing_says_what_there_is_and_what_was_left_out(merl, tiny_mimic, place):
    options = [tiny_mimic, "--out", "pairs", "--rate", 100, "--leads", "I", "--leads", "V2"]
    done = merl("data", "prepare", *options)
    assert done.code == 0, done.err
    assert done.out.splitlines() == [
        "40 pairs of mimic-iv-ecg in pairs: 2 leads, 10 s at 100 Hz, 0.000163 GB in 1 shards",
        "left out: 1 (report of fewer than 4 words)",
        "left out: 1 (record without a report)",
        "left out: 1 (report without a record)",
    ]
    assert PreparedPairs.open(place / "pairs").spec.leads == ("I", "V2")
    again = merl("data", "prepare", *options, "--verify")
    assert again.out.splitlines()[0].endswith("in 1 shards, checksums right")


def test_folds_of_ptbxl(merl, tiny_ptbxl, place):
    done = merl("data", "prepare", tiny_ptbxl, "--out", "p", "--rate", 100, "--folds", 2, "--folds", 9)
    assert done.out.startswith("6 pairs of ptbxl in p: 12 leads"), done.err


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (["nowhere"], 1, "there is no data set in nowhere"),
        (["nowhere", "--dataset", "ptbxl"], 1, "there is no PTB-XL in nowhere"),
        (["{data}", "--dataset", "mimic"], 2, "unknown data set 'mimic'"),
        (["{data}", "--rate", "0"], 2, "sampling_rate: input should be greater than 0"),
        (["{data}", "--leads", "I", "--leads", "I"], 2, "a lead is named twice"),
        (["{data}", "--folds", "1"], 2, "mimic-iv-ecg has no folds"),
    ],
)
def test_wrong_use(fails, tiny_mimic, options, code, sentence):
    given = [option.format(data=tiny_mimic) for option in options]
    assert sentence in fails(code, "data", "prepare", *given, "--out", "pairs")
