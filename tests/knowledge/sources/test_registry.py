import pytest

from merl.errors import KnowledgeError, UsageError
from merl.knowledge.sources import SOURCES, parse_source


def test_filters_reach_the_source(tmp_path):
    for name in ("MRCONSO", "MRDEF", "MRREL", "MRSTY"):
        (tmp_path / f"{name}.RRF").touch()
    source = parse_source(f"umls:{tmp_path}?vocabularies=MSH,SNOMEDCT_US&languages=GER")
    assert source.path == tmp_path
    assert source.options == {
        "languages": ("GER",),
        "vocabularies": ("MSH", "SNOMEDCT_US"),
        "semantic_types": (),
    }
    with pytest.raises(UsageError, match="unknown filter 'vocabulary'; did you mean 'vocabularies'"):
        parse_source(f"umls:{tmp_path}?vocabulary=MSH")


@pytest.mark.parametrize(
    ("given", "error", "sentence"),
    [
        ("hpoo", UsageError, "unknown source 'hpoo'; did you mean 'hpo'"),
        ("umls", UsageError, "'umls' needs a path; write umls:DIR"),
        ("jsonl:", UsageError, "'jsonl' needs a path; write jsonl:FILE"),
        ("ecg:entries", UsageError, "'ecg' takes no path; write ecg"),
        ("snomed:nowhere", KnowledgeError, "nowhere is no RF2 snapshot"),
    ],
)
def test_wrong_use(given, error, sentence):
    with pytest.raises(error, match=sentence):
        parse_source(given)


def test_every_source_says_whom_to_cite():
    for name, source in SOURCES.items():
        assert source.name == name
        assert source.licence
        assert source.attribution
