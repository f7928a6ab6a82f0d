import os
import re
from pathlib import Path

import pytest

from merl.errors import KnowledgeError
from merl.files import content_dir, read_yaml
from merl.reports import (
    clean_report,
    coverage,
    load_glossary,
    read_report,
    sentences,
    translate,
    unknown_words,
)

GLOSSARY = content_dir("knowledge_base") / "glossary_de.yaml"


# Reports here are made up; none is taken from a data set.
FOOTER = "4.46          UNBESTÄTIGTER BERICHT"


@pytest.mark.parametrize(
    ("report", "clean"),
    [
        ("Atrial flutter, mended. Edit: XYZ 70, (QRS 3)", "atrial flutter, mended."),
        (f"VORHOFFLATTERN  STEILTYP {FOOTER}", "vorhofflattern steiltyp"),
        (f"steiltyp {FOOTER} Edit: XYZ, (QRS 30)", "steiltyp"),
        (f"steiltyp {FOOTER[:14]}", "steiltyp"),
        (f"steiltyp {FOOTER[:20]}", "steiltyp"),
        ("trace only requested.", ""),
        ("Trace only requested. Edit: XYZ 70", ""),
        (FOOTER, ""),
        ("path. ekg", "path ekg"),
        ("t neg inv7", "t neg in v7"),
        ("", ""),
    ],
)
def test_clean_strips_leaked_labels_and_boilerplate(report, clean):
    assert clean_report(report) == clean


def test_clean_keeps_the_age_that_looks_like_a_footer():
    assert clean_report(f"aneurysma     alter unbest. {FOOTER}") == "aneurysma alter unbest."


def test_clean_drops_the_stump_of_a_report_cut_short():
    whole = "atrial flutter. " * 16 + "u waves fl"
    assert clean_report(whole).endswith("u waves")
    assert clean_report("u waves fl").endswith("fl")  # short enough to be whole


@pytest.mark.parametrize(
    ("german", "english"),
    [
        ("vorhofflattern lagetyp normal", "atrial flutter. normal axis"),
        ("normales ekg", "normal ecg"),
        ("überdrehter linkstyp", "marked left axis deviation"),
        ("ueberdrehter rechtstyp", "marked right axis deviation"),
        ("indifferenztyp", "normal axis"),
        ("steiltyp", "normal vertical axis"),
        ("a-v block i", "first degree av block"),
        ("av-block 1.grades", "first degree av block"),
        ("rechts-schenkelblock", "right bundle branch block"),
        ("schenkelblock vollständig links", "complete left bundle branch block"),
        ("unvollständiger rechtsschenkelblock", "incomplete right bundle branch block"),
        ("schenkelblock links/ant. hemiblock", "left anterior fascicular block"),  # a heading and its value
        ("linksposteriorer hemiblock", "left posterior fascicular block"),
        ("inferiorer infarkt möglich", "possible inferior infarct"),
        ("lungenembolie nicht auszuschliessen", "pulmonary embolism cannot be excluded"),
        ("alter infarkt", "old infarct"),
        ("infarkt alter unbest", "infarct of undetermined age"),
        ("kein hinweis auf ischämie", "no evidence of ischemia"),
        ("keine p-welle erkannt", "no p wave detected"),
        ("periphere niederspannung", "low voltage in limb leads"),
        ("erregungsrückbildungsstörungen", "repolarization abnormality"),
        ("tachykardes vorhofflimmern", "rapid atrial fibrillation"),
        ("vhf mit ves", "atrial fibrillation with ventricular premature complexes"),
        ("st-senkung lateral", "st depression lateral"),
        ("st-hbung", "st elevation"),
        ("kammerendteilveränderungen", "st-t changes"),
        ("amplitudenkriterien f#r linkshypertrophie", "voltage criteria for left ventricular hypertrophy"),
        ("höger el-axel", "right axis deviation"),
        ("aneurism kan ej uteslutas", "aneurysm cannot be excluded"),
    ],
)
def test_german_reads_as_a_cardiologist_would_dictate(german, english):
    assert read_report(german) == english


def test_a_place_named_again_goes_on_the_list():
    report = "u-welle in septalen ableitungen lateralen ableitungen posteriorer infarkt"
    assert read_report(report) == "u wave in septal leads, lateral leads. posterior infarct"


@pytest.mark.parametrize(
    "english",
    [
        "u waves are tall in avl, v4,5,6.",
        "no antero-septal infarct. an embolism cannot be excluded.",
        "poor r wave progression. pericarditis is possible.",
    ],
)
def test_english_passes_unchanged(english):
    assert translate(english) == english


def test_sentences_part_statements_not_numbers_or_leads():
    text = "rate 0.12 sec. tall u waves in avl, v5,6; poor r wave progression, atrial flutter is present."
    assert sentences(text) == [
        "rate 0.12 sec",
        "tall u waves in avl, v5,6",
        "poor r wave progression",
        "atrial flutter is present",
    ]
    assert sentences("") == []


def test_coverage_counts_distinct_cleaned_reports():
    reports = ["sinusrhythmus zwiebel", f"sinusrhythmus   zwiebel {FOOTER}", "linkstyp"]
    assert coverage(reports) == pytest.approx(2 / 3)
    assert unknown_words(reports) == {"zwiebel": 1}


def test_glossary_holds_short_terms_only_and_no_word_in_two_roles():
    data = read_yaml(GLOSSARY)
    assert all(len(key.split()) <= 3 for key in (*data["terms"], *data["boilerplate"], *data["opens"]))
    assert not set(data["english"]) & set(data["terms"])


def test_glossary_refuses_a_long_term(tmp_path: Path):
    changed = tmp_path / "glossary.yaml"
    changed.write_text(
        GLOSSARY.read_text("utf-8").replace("\nterms:\n", "\nterms:\n  eins zwei drei vier: x\n"), "utf-8"
    )
    with pytest.raises(KnowledgeError, match="longer than three words"):
        load_glossary(changed)


@pytest.mark.realdata
def test_real_reports_are_covered_and_keep_side_and_negation():
    import pandas as pd

    table = Path(os.environ["MERL_DATA"]) / "ptb-xl" / "ptbxl_database.csv"
    reports = sorted(set(pd.read_csv(table, usecols=["report"])["report"].fillna("")))
    assert coverage(reports) >= 0.99
    for report in reports:
        clean, english = clean_report(report), read_report(report)
        assert not re.search(r"edit\s*:|4\.46|unbest(ä|ae)t|\d+ ?\)$.*norm \d", clean)
        if "linksschenkelblock" in clean:
            assert "left bundle branch block" in english
        if "rechtsschenkelblock" in clean:
            assert "right bundle branch block" in english
        assert clean.count("nicht auszuschliessen") <= english.count("cannot be excluded")
        assert clean.count("kein") <= len(re.findall(r"\bno\b", english))
