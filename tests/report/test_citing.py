from merl.evaluation.result import Result
from merl.report.citing import with_knowledge
from tests.report.comparisons import compare
from tests.small_knowledge import entries, index  # noqa: F401 - fixtures


def cited(result, text, sources):
    """The result with one phrase of its second set changed, and nothing told of it yet."""
    data = result.model_dump(mode="json", by_alias=True)
    evidence = data["evidence"]
    evidence |= {"passages": {}, "sources": {}}
    for item in evidence["prompt_sets"].values():
        item["remarks"] = None
    prompts = evidence["prompt_sets"]["mine"]["classes"]["AFIB"]["prompts"]
    prompts[:] = [{"text": text, "role": "finding", "polarity": "present", "sources": sources}]
    return Result.model_validate(data)


def test_passages_bring_their_concept_and_published_source(index):  # noqa: F811
    bare = compare(["AFIB", "SR"], {"plain": 1, "mine": 1})
    known = index.entries["AFIB"].findings[0]
    told = with_knowledge(
        cited(bare, known.text, ["ecg:AFIB#findings/0", "umls:C1#definition"]), index=index
    ).evidence
    passage = told.passages["ecg:AFIB#findings/0"]
    assert (passage.concept, passage.text) == (index.entries["AFIB"].name, known.text)
    assert (passage.source, passage.place) == (known.source, known.locator)
    assert (passage.source_checked, passage.clinically_reviewed) == (False, False)
    assert "umls:C1#definition" not in told.passages
    assert told.sources.keys() <= {item.source for item in told.passages.values()}


def test_the_linter_speaks_of_everything_but_controls(index):  # noqa: F811
    bare = compare(["AFIB", "SR"], {"plain": 1, "template": 1, "mine": 1})
    seen = []
    told = with_knowledge(
        cited(bare, "heart rate of 321/min", []), index=index, progress=lambda *step: seen.append(step)
    ).evidence
    assert "number" in {remark.kind for remark in told.prompt_sets["mine"].remarks["AFIB"]}
    assert told.prompt_sets["template"].remarks is None
    assert seen[-1][:2] == (2, 2)


def test_without_evidence_there_is_nothing_to_tell(index):  # noqa: F811
    bare = compare(["AFIB", "SR"], {"plain": 1, "mine": 1}, evidence=False)
    assert with_knowledge(bare, index=index) is bare
