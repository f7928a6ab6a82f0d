"""Reviewing: what a person decided on the phrases of a prompt file, put into it under their name."""

from __future__ import annotations

import datetime
import json
from collections import defaultdict
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from merl.ckepe.prompt_set import ClassPrompts, Phrase, Polarity, PromptSet, Rejected, Role
from merl.ckepe.signatures import Mark, Review
from merl.errors import PromptError
from merl.files import sha256, validate, write_text

SHEET: Literal["merl/review/v1"] = "merl/review/v1"
LONGEST = 2000  # characters of a phrase or a comment
_one_line = BeforeValidator(lambda text: " ".join(text.split()) if isinstance(text, str) else text)
Line = Annotated[str, _one_line, Field(min_length=1, max_length=LONGEST)]
_plain_breaks = BeforeValidator(lambda text: "\n".join(text.splitlines()) if isinstance(text, str) else text)
Comment = Annotated[str, _plain_breaks, StringConstraints(max_length=LONGEST, strip_whitespace=True)]


class ChangedMeanwhileError(PromptError):
    """The file is no longer the one that was reviewed."""


def _printable(name: str) -> str:
    if not name.isprintable():  # it is shown on terminals, which obey control characters
        raise ValueError("a name has printable characters alone")
    return name


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Decision(_Strict):
    """What became of one phrase: the reviewer's whole mark, and the wording where it was changed.

    Attributes:
        code: its class, written ``class``.
        number: its place among the phrases of the class, from 0.
        of: the phrase that was looked at, by which it is found in a file that has changed since.
    """

    code: str = Field(alias="class")
    number: int = Field(ge=0)
    of: Phrase | None = None
    text: Line | None = None
    role: Role | None = None
    polarity: Polarity | None = None
    removed: bool = False
    agreed: bool = False
    comment: Comment = ""


class Addition(_Strict):
    """A phrase that the reviewer wrote."""

    code: str = Field(alias="class")
    text: Line
    role: Role = "finding"
    polarity: Polarity = "present"
    agreed: bool = False
    comment: Comment = ""

    @property
    def phrase(self) -> Phrase:
        """The phrase as it stands in the file."""
        return Phrase(text=self.text, role=self.role, polarity=self.polarity, edited=True)


class ReviewSheet(_Strict):
    """What one person decided on a prompt file; the page sends it, or keeps it as a file.

    Attributes:
        by: name and office, "A. Example, cardiologist".
        sha256: of the prompt file that was looked at.
        decisions: on phrases; those that are not named stay as they are.
        added: new phrases.
    """

    schema_: Literal["merl/review/v1"] = Field(SHEET, alias="schema")
    by: Annotated[str, _one_line, Field(min_length=1, max_length=200), AfterValidator(_printable)]
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    decisions: tuple[Decision, ...] = ()
    added: tuple[Addition, ...] = ()

    @classmethod
    def read(cls, text: str | bytes, where: str) -> ReviewSheet:
        """Read a sheet from JSON.

        Raises:
            PromptError: it is no JSON, or breaks the schema; all faults are named together.
        """
        try:
            data: Any = json.loads(text)
        except (ValueError, RecursionError) as problem:
            raise PromptError(f"{where} is not JSON: {problem}") from None
        return validate(cls, data, where)


def apply_review(prompt_set: PromptSet, sheet: ReviewSheet, date: datetime.date) -> PromptSet:
    """Return the set with the decisions of one person in it; the marks of others stay.

    A phrase whose wording, role or polarity changed is marked as edited; a removed one is kept among the
    rejected ones.

    Raises:
        PromptError: a decision is about a phrase that the set does not have, or two are about the same one.
    """
    decided: dict[tuple[str, int], Decision] = {}
    for decision in sheet.decisions:
        item = prompt_set.classes.get(decision.code)
        if item is None or decision.number >= len(item.prompts):
            raise PromptError(f"the set has no phrase {decision.number} of a class {decision.code!r}")
        if (decision.code, decision.number) in decided:
            raise PromptError(f"phrase {decision.number} of the class {decision.code!r} is decided on twice")
        decided[decision.code, decision.number] = decision
    if strange := {item.code for item in sheet.added} - prompt_set.classes.keys():
        raise PromptError(f"the set has no class {min(strange)!r} to add a phrase to")
    classes = {code: _decide(item, code, decided, sheet, date) for code, item in prompt_set.classes.items()}
    others = tuple(review for review in prompt_set.reviewed_by if review.by != sheet.by)
    return prompt_set.model_copy(
        update={"classes": classes, "reviewed_by": (*others, Review(by=sheet.by, date=date))}
    )


def fit(sheet: ReviewSheet, path: Path) -> tuple[ReviewSheet, list[Decision]]:
    """Move a review to a prompt file that has changed since, as after the review of somebody else.

    Returns:
        The review as if it had begun on the file as it is now, and what found no place in it: decisions on
        phrases that the file no longer has in the same words.

    Raises:
        ChangedMeanwhileError: the file has changed, and the review does not say which phrases it is about.
        PromptError: the file is malformed.
    """
    now = sha256(path)
    if now == sheet.sha256:
        return sheet, []
    if not all(decision.of for decision in sheet.decisions):
        raise _changed(path)
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for code, item in PromptSet.load(path).classes.items():
        for number, phrase in enumerate(item.prompts):
            places[code, phrase.digest].append(number)
    decisions, lost = [], []
    for decision in sheet.decisions:
        if decision.of and (numbers := places[decision.code, decision.of.digest]):
            decisions.append(decision.model_copy(update={"number": numbers.pop(0)}))
        else:
            lost.append(decision)
    added = []
    for one in sheet.added:
        if numbers := places[one.code, one.phrase.digest]:  # somebody wrote the same, or it is put in again
            mark = {"agreed": one.agreed, "comment": one.comment}
            decisions.append(Decision(code=one.code, number=numbers.pop(0), **mark))
        else:
            added.append(one)
    update = {"sha256": now, "decisions": tuple(decisions), "added": tuple(added)}
    return sheet.model_copy(update=update), lost


def save_review(path: Path, sheet: ReviewSheet, date: datetime.date | None = None) -> PromptSet:
    """Put a review into the prompt file that it is about, atomically.

    Args:
        path: the prompt file; comment lines at its top are kept.
        sheet: the decisions.
        date: of the signature, today by default.

    Raises:
        ChangedMeanwhileError: the file is not the one that was reviewed.
        PromptError: the file or the sheet is malformed, or has comments that saving would lose.
    """
    _check_same(path, sheet)
    head = check_comments(path)
    reviewed = apply_review(PromptSet.load(path), sheet, date or datetime.date.today())
    text = head + reviewed.to_yaml()
    _check_same(path, sheet)
    write_text(path, text)
    return reviewed


def check_comments(path: Path) -> str:
    """Return the comment lines at the top of a YAML file, which are kept when it is written anew.

    Raises:
        PromptError: there are other comments, which would be lost.
    """
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    top = next((i for i, line in enumerate(lines) if line.strip() and not line.startswith("#")), len(lines))
    head = "".join(lines[:top])
    lost, end = [], len(head)
    for token in yaml.scan(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        if "#" in text[end : token.start_mark.index]:
            lost.append(str(text[: token.start_mark.index].count("\n")))
        end = max(end, token.end_mark.index)
    if lost:
        raise PromptError(
            f"{path} has comments about line {', '.join(lost[:5])} that saving a review would lose;"
            " move them to the top of the file, or out of it"
        )
    return head


def _check_same(path: Path, sheet: ReviewSheet) -> None:
    if not path.is_file() or sha256(path) != sheet.sha256:
        raise _changed(path)


def _changed(path: Path) -> ChangedMeanwhileError:
    return ChangedMeanwhileError(
        f"{path.name} was changed by someone else since this review began; nothing was saved"
    )


def _decide(
    item: ClassPrompts,
    code: str,
    decided: dict[tuple[str, int], Decision],
    sheet: ReviewSheet,
    date: datetime.date,
) -> ClassPrompts:
    kept, thrown = [], []
    for number, phrase in enumerate(item.prompts):
        decision = decided.get((code, number))
        if decision is None:
            kept.append(phrase)
        elif decision.removed:
            marked = _marked(phrase, decision.model_copy(update={"agreed": False}), sheet.by, date)
            thrown.append(Rejected.of(marked, f"removed in review by {sheet.by}"))
        else:
            kept.append(_marked(_edited(phrase, decision), decision, sheet.by, date))
    for addition in sheet.added:
        if addition.code == code:
            kept.append(_marked(addition.phrase, addition, sheet.by, date))
    return item.model_copy(update={"prompts": tuple(kept), "rejected": (*item.rejected, *thrown)})


def _edited(phrase: Phrase, decision: Decision) -> Phrase:
    said = {
        "text": decision.text or phrase.text,
        "role": decision.role or phrase.role,
        "polarity": decision.polarity or phrase.polarity,
    }
    changed = phrase.model_copy(update=said)
    return phrase if changed == phrase else changed.model_copy(update={"edited": True})


def _marked(phrase: Phrase, decision: Decision | Addition, by: str, date: datetime.date) -> Phrase:
    """Put one person's mark on a phrase in place of an earlier one; a mark that says nothing is none."""
    others = tuple(mark for mark in phrase.reviews if mark.by != by)
    own = Mark(
        by=by,
        date=date,
        agreed=decision.agreed,
        comment=decision.comment or None,
        digest=phrase.digest,
    )
    said = decision.agreed or decision.comment or getattr(decision, "removed", False)
    return phrase.model_copy(update={"reviews": (*others, own) if said else others})
