from merl.ckepe.grounding import ground, grounded
from merl.ckepe.prompt_set import ClassPrompts, Generator, Phrase, PromptSet


def by_hand(**classes):
    """A hand-written set: each class a name and its phrases; those that begin with "not" speak against it."""

    def phrase(text):
        polarity = "absent" if text.startswith("not ") else "present"
        return Phrase(text=text.removeprefix("not "), polarity=polarity)

    entries = {
        code: ClassPrompts(name=name, prompts=tuple(phrase(text) for text in texts))
        for code, (name, *texts) in classes.items()
    }
    return PromptSet(label_set="mine", generator=Generator(kind="manual"), classes=entries)


def test_a_hand_written_phrase_gets_the_passage_it_rests_on(index):
    texts = [passage.text for passage in index.passages("AFIB") if passage.kind in {"finding", "absent"}]
    ids = [passage.id for passage in index.passages("AFIB") if passage.kind in {"finding", "absent"}]
    given = [f"not {text}" if "#absent" in place else text for text, place in zip(texts, ids, strict=True)]
    judgements = ground(by_hand(A=("atrial fibrillation", *given)), index=index)
    assert [item.phrase.sources for item in judgements] == [(place,) for place in ids]
    assert all(item.supported for item in judgements)


def test_what_the_knowledge_does_not_say_is_refused_with_a_reason(index):
    made = ground(by_hand(A=("atrial fibrillation", "delta wave with a short PR interval")), index=index)
    assert [item.supported for item in made] == [False]
    assert made[0].reason
    assert made[0].phrase.sources == ()


def test_a_class_nobody_knows_supports_nothing(index):
    (item,) = ground(by_hand(X=("Martian syndrome", "regular RR intervals")), index=index)
    assert item.reason == "no knowledge found for this class"


def test_the_grounded_set_keeps_its_classes_and_says_what_it_threw_out(index):
    prompts = by_hand(A=("atrial fibrillation", "delta wave with a short PR interval"), B=("sinus rhythm",))
    kept = grounded(prompts, ground(prompts, index=index))
    assert [phrase.text for phrase in kept.classes["A"].prompts] == ["atrial fibrillation"]
    assert [line.text for line in kept.classes["A"].rejected] == ["delta wave with a short PR interval"]
    assert kept.classes["B"].present == ["sinus rhythm"]
    assert kept.generator.verify == "strict"


def test_what_was_edited_is_checked_and_no_longer_unchecked(index):
    finding = next(passage.text for passage in index.passages("AFIB") if passage.kind == "finding")
    prompts = by_hand(A=("atrial fibrillation", finding))
    phrase = prompts.classes["A"].prompts[0].model_copy(update={"edited": True})
    name = Phrase(text="Martian syndrome", role="name", edited=True)
    entry = prompts.classes["A"].model_copy(update={"prompts": (name, phrase)})
    prompts = prompts.model_copy(update={"classes": {"A": entry}})
    kept = grounded(prompts, ground(prompts, index=index)).classes["A"].prompts
    assert [(one.text, one.edited) for one in kept] == [("Martian syndrome", True), (finding, False)]


def test_citations_that_hold_are_left_as_they_are(index):
    passage = next(passage for passage in index.passages("AFIB") if passage.kind == "finding")
    phrase = Phrase(text=passage.text, sources=(passage.id,))
    entry = ClassPrompts(name="atrial fibrillation", prompts=(phrase,))
    prompts = PromptSet(label_set="mine", generator=Generator(kind="manual"), classes={"A": entry})
    assert ground(prompts, index=index)[0].phrase == phrase


def test_a_class_called_normal_does_not_forbid_the_word(index, entries):
    finding = entries["CRBBB"].findings[0].model_copy(update={"text": "R peak time normal in V6"})
    changed = {**entries, "CRBBB": entries["CRBBB"].model_copy(update={"findings": (finding,)})}
    prompts = by_hand(N=("normal",), R=("RBBB", "R peak time normal in V6"))
    (item,) = ground(prompts, index=type(index)(changed, index.embedder))
    assert item.supported, item.reason
