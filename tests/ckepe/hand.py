"""Prompt sets written by hand, for the tests of what reads them."""

from __future__ import annotations

from merl.ckepe.prompt_set import ClassPrompts, Generator, Phrase, PromptSet


def by_hand(kind="manual", label_set="mine", **classes):
    """Each class a name and its phrases; those that begin with "not " speak against it, "= " names it."""

    def phrase(text):
        if isinstance(text, Phrase):
            return text
        polarity = "absent" if text.startswith("not ") else "present"
        role = "name" if text.startswith("= ") else "finding"
        return Phrase(text=text.removeprefix("not ").removeprefix("= "), polarity=polarity, role=role)

    entries = {
        code: ClassPrompts(name=name, prompts=tuple(phrase(text) for text in texts))
        for code, (name, *texts) in classes.items()
    }
    return PromptSet(label_set=label_set, generator=Generator(kind=kind), classes=entries)
