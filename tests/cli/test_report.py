import json
import time

import pytest

from merl.ckepe.prompt_set import PromptSet
from merl.knowledge.entries import load_entries
from merl.knowledge.index import KnowledgeIndex
from tests.cli.test_evaluate import evaluate
from tests.report.comparisons import compare


@pytest.fixture
def saved(place):
    compare(["A", "B"], {"plain": 0.5, "mine": 3}).save(place / "result.json")
    return place / "result.json"


def test_a_report_is_made_of_a_result_alone(merl, saved, place):
    done = merl("report", saved, "--out", "out/report.html", "--figures", "figures")
    assert (done.code, done.out) == (0, "")
    assert "report written to out/report.html" in done.err
    assert "mine beats plain" in (place / "out" / "report.html").read_text()
    assert (place / "figures" / "difference-mine-plain.svg").is_file()


def test_evaluate_writes_report_result_and_figures(merl, tiny_ptbxl, checkpoint, place):
    both = ["--prompts", "plain", "--prompts", "ptbxl-super/knowledge"]
    files = ["--json", "result.json", "--report", "report.html", "--figures", "figures"]
    done = merl(*evaluate(checkpoint, tiny_ptbxl, *both, *files, task="ptbxl-super"))
    assert done.code == 0, done.err
    page = (place / "report.html").read_text()
    evidence = json.loads((place / "result.json").read_text())["evidence"]
    assert evidence["examples_by"] == "knowledge"
    assert len(evidence["ecgs"]) == 2  # the records of fold 9 that have a class
    assert all(name in page for name in evidence["ecgs"])
    assert (place / "figures" / "classes.csv").is_file()
    assert merl("report", "result.json", "--out", "again.html").code == 0
    assert (place / "again.html").read_text() == page


def test_without_a_file_no_evidence_is_gathered(merl, tiny_ptbxl, checkpoint, monkeypatch):
    monkeypatch.setattr("merl.evaluation.cell_making.gather_evidence", None)
    assert merl(*evaluate(checkpoint, tiny_ptbxl, "--prompts", "plain")).code == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["text.json", "--out", "r.html"], "cannot read the result text.json"),
        (["result.json", "--out", "folder"], "cannot write folder: it is a folder"),
        (["result.json", "--out", "r.html", "--figures", "text.json"], "text.json is a file; name another"),
        (["matrix.json", "--out", "r.html"], "matrix.json is a matrix of several results"),
        (["damaged.json", "--out", "r.html"], "in this result is damaged; evaluate again"),
    ],
)
def test_bad_input_is_one_sentence(fails, saved, place, arguments, sentence):
    (place / "folder").mkdir()
    (place / "text.json").write_text("no JSON")
    (place / "matrix.json").write_text('{"results": []}')
    data = json.loads(saved.read_text())
    for wave in data["evidence"]["ecgs"].values():
        wave["microvolts"] = "AAAA"
    (place / "damaged.json").write_text(json.dumps(data))
    assert sentence in fails(1, "report", *arguments)


def test_a_report_is_of_one_task_and_checkpoint(fails, tiny_ptbxl, checkpoint):
    given = evaluate(checkpoint, tiny_ptbxl, "--prompts", "plain", "--report", "r.html")
    assert "a report is of one task" in fails(2, *given, "--checkpoint", checkpoint)
    assert "a report is of one task" in fails(2, "evaluate", "all", *given[2:])


def test_a_report_names_passages_of_ones_own_knowledge(merl, fails, tiny_ptbxl, checkpoint, place):
    prompts = PromptSet.find("plain", "ptbxl-super")
    shipped, labels = load_entries(), prompts.as_label_set()
    own = {
        key: shipped[key] for code, item in labels.classes.items() if (key := item.entry or code) in shipped
    }
    finding = own["NORM"].findings[0].model_copy(update={"text": "a martian trace"})
    own["NORM"] = own["NORM"].model_copy(update={"findings": (finding,)})
    KnowledgeIndex.build(own).save(place / "kb")
    norm = prompts.classes["NORM"]
    cited = norm.prompts[0].model_copy(update={"sources": ("ecg:NORM#findings/0",)})
    classes = prompts.classes | {"NORM": norm.model_copy(update={"prompts": (cited,)})}
    prompts.model_copy(update={"classes": classes}).save(place / "mine.yaml")
    given = evaluate(checkpoint, tiny_ptbxl, "--prompts", "mine.yaml", "--index", "kb", task="ptbxl-super")
    done = merl(*given, "--report", "report.html")
    assert done.code == 0, done.err
    assert "a martian trace" in (place / "report.html").read_text()
    assert "a report is of one task" in fails(2, *given, "--checkpoint", checkpoint)
    assert "--index is for what --report" in fails(2, *given)
    for table in ("classes", "differences", "prompt_sets"):
        both = "--figures", "shown", "--csv", f"shown/{table}.csv"
        assert "is named for two outputs" in fails(2, *given, *both)


def test_a_report_needs_its_file(merl, saved):
    assert merl("report", saved).code == 2


def test_what_cannot_be_written_is_found_before_the_work(fails, tiny_ptbxl, place):
    (place / "folder").mkdir()
    given = evaluate("no-such-model", tiny_ptbxl, "--prompts", "plain")
    assert "cannot write folder: it is a folder" in fails(1, *given, "--report", "folder")


@pytest.mark.realdata
@pytest.mark.browser
def test_three_prompt_sets_of_23_classes_make_a_report_to_send(merl, merl_data, place, visit):
    """23 classes, 36 phrases in the largest, and up to nine ECGs each, drawn from real records."""
    assert merl("prompts", "controls", "ptbxl-sub", "--out", "controls").code == 0
    sets = ["--prompts", "plain", "--prompts", "controls/random-words.yaml", "--prompts", "knowledge"]
    given = ["evaluate", "ptbxl-sub", "--data", merl_data, *sets, "--bootstrap", 20]
    started = time.process_time()
    assert merl(*given, "--report", "report.html").code == 0
    assert time.process_time() - started < 60
    assert (place / "report.html").stat().st_size < 8_000_000
    seen = visit(place / "report.html")
    assert 0 < seen.seconds() < 2
    assert (seen.said, seen.outside) == ([], [])
    assert seen.page.locator("details.class").count() == 23


def test_a_result_that_is_not_there(fails):
    assert "there is no result nowhere.json" in fails(2, "report", "nowhere.json", "--out", "r.html")
