"""Keeping unseen classes from report texts, with the count that proves that none is left.

The whole statement that names an unseen class goes, not the name alone. What would be left of it ("possible",
"with rapid ventricular response", "no longer") speaks of what was cut out and, standing with no other class,
would be a mark of it; a report is a telegram, so that most statements say one thing. What is lost with them
is counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from merl.errors import ConfigError, DataError, unknown
from merl.knowledge.entries import Entry
from merl.pretraining.pairs import ReportTexts
from merl.pretraining.sources import Pair
from merl.reports import sentences
from merl.studies.config import UnseenClass
from merl.studies.naming import Namings, namings, with_kinds


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Withheld(_Strict):
    """What was taken out of the reports of a training set, and what of it is left.

    Attributes:
        concepts: of each unseen class, with all their kinds.
        reports: before anything was taken out.
        statements: how many were taken out of them, of ``statements_in_all``.
        emptied: reports of which nothing is left; their records are not trained on.
        named_before: reports that name each class, before.
        texts: distinct texts that training can draw, each whole report and each statement, all searched.
        named_after: of those, how many name each class: 0, or the study stops.
    """

    concepts: dict[str, tuple[str, ...]]
    reports: int
    statements: int
    statements_in_all: int
    emptied: int
    named_before: dict[str, int]
    texts: int
    named_after: dict[str, int]


class Withholding:
    """The unseen classes of a study and the ways to name them.

    Args:
        unseen: by code.
        entries: the knowledge base.

    Raises:
        ConfigError: a concept is no entry.
    """

    def __init__(self, unseen: Mapping[str, UnseenClass], entries: Mapping[str, Entry]) -> None:
        strange = [
            f"unseen.{code}: {unknown('knowledge entry', each, entries, 'merl kb search')}"
            for code, item in unseen.items()
            for each in item.concepts
            if each not in entries
        ]
        if strange:
            raise ConfigError("; ".join(strange))
        self.concepts = {code: with_kinds(item.concepts, entries) for code, item in unseen.items()}
        self.namings: Namings = namings(
            self.concepts, entries, {code: item.wordings for code, item in unseen.items()}
        )

    def keep(self, report: str) -> str:
        """Return a report without the statements that name an unseen class; "" if nothing is left.

        A report that names one across its statements goes altogether.
        """
        kept = ". ".join(each for each in sentences(report) if not self.namings.named_in(each))
        return "" if self.namings.runs_through(kept) else kept

    def take_out(self, pairs: Sequence[Pair]) -> tuple[list[Pair], Withheld]:
        """Take the unseen classes out of the reports of some pairs, and search what is left.

        Returns:
            The pairs whose reports still say something, and the account.

        Raises:
            DataError: a text still names an unseen class.
        """
        distinct = {pair.report for pair in pairs}
        kept = {report: self.keep(report) for report in distinct}
        left = [pair._replace(report=kept[pair.report]) for pair in pairs if kept[pair.report]]
        said = {report: sentences(report) for report in distinct | set(kept.values())}
        account = Withheld(
            concepts={code: tuple(sorted(ids)) for code, ids in self.concepts.items()},
            reports=len(pairs),
            statements=sum(len(said[pair.report]) - len(said[kept[pair.report]]) for pair in pairs),
            statements_in_all=sum(len(said[pair.report]) for pair in pairs),
            emptied=len(pairs) - len(left),
            named_before=self._reports_naming(pairs),
            **self.search([pair.report for pair in left]),
        )
        return left, account

    def search(self, reports: Sequence[str]) -> dict[str, Any]:
        """Search every text that training can draw from some reports for the unseen classes.

        Raises:
            DataError: one is named.
        """
        texts = ReportTexts.collect(reports).texts
        counts = dict.fromkeys(self.concepts, 0)
        for text in texts:
            named = self.namings.runs_through(text).union(*map(self.namings.named_in, sentences(text)))
            for code in named:
                counts[code] += 1
        if left := [f"{code} in {count}" for code, count in counts.items() if count]:
            raise DataError(
                f"unseen classes are still named in training texts ({', '.join(left)}); report it as a bug,"
                " with the study's file"
            )
        return {"texts": len(texts), "named_after": counts}

    def _reports_naming(self, pairs: Sequence[Pair]) -> dict[str, int]:
        counts = dict.fromkeys(self.concepts, 0)
        for pair in pairs:
            for code in frozenset().union(*map(self.namings.named_in, sentences(pair.report))):
                counts[code] += 1
        return counts
