"""The texts that may stand for each ECG in training: its report, its sentences, other words, its findings."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from merl.knowledge.rephrasing import Rephraser
from merl.pretraining.shown import Indices, ShownFindings

Progress = Callable[[int, int, str], None]  # done, of how many, what


@dataclass
class ReportTexts:
    """The distinct texts of a set of reports, and which of them are true of which record.

    Attributes:
        texts: each distinct text once; the first ``said`` of them stand in the reports, the last ones are
            those of ``shown``.
        said: see ``texts``.
        full: index of each record's whole report, shape (records,).
        parts: indices of each record's sentences.
        others: for a sentence's index, the indices of its synonyms, broader concepts and findings, those
            kinds left out that it has none of.
        true_of: sparse boolean, shape (records, texts): the whole report, its sentences, and what may be
            said in their place. It ends where the texts of ``shown`` begin.
        counts: how many records say each text as a sentence, shape (texts,).
        shown: the findings that the waveforms show, if any are used.
    """

    texts: list[str]
    said: int
    full: Indices
    parts: list[Indices]
    others: dict[int, list[Indices]]
    true_of: csr_matrix
    counts: Indices
    shown: ShownFindings | None = None

    @classmethod
    def collect(
        cls,
        reports: Sequence[str],
        rephraser: Rephraser | None = None,
        shown: ShownFindings | None = None,
    ) -> ReportTexts:
        """Split cleaned reports into sentences and number every distinct text.

        Of one text there is one truth: where a report says a finding, the reports tell whom it is true of;
        where only the knowledge base does, the measurements do.

        Args:
            reports: one for each record.
            rephraser: says sentences in other words; none of that without it.
            shown: what the waveforms of the same records show; none of that without it.
        """
        from merl.reports import sentences

        index: dict[str, int] = {}

        def number(texts: Sequence[str]) -> Indices:
            return np.array([index.setdefault(text, len(index)) for text in texts], np.int64)

        full = number(reports)
        parts = [number(sentences(report)) for report in reports]
        others: dict[int, list[Indices]] = {}
        said = list(index)
        shown = shown.without(said) if shown else None
        measured = frozenset(shown.texts) if shown else frozenset()
        if rephraser:
            for sentence in sorted({int(part) for group in parts for part in group}):
                found = rephraser.rephrase(said[sentence])
                kinds = [[text for text in kind if text not in measured] for kind in found]
                if any(kinds):
                    others[sentence] = [number(kind) for kind in kinds if kind]
        counts = np.zeros(len(index), np.int64)
        for group in parts:
            counts[np.unique(group)] += 1
        true_of = _true_of(full, parts, others, len(index))
        texts = [*index, *(shown.texts if shown else ())]
        return cls(texts, len(said), full, parts, others, true_of, counts, shown)

    def draw(
        self,
        records: Indices,
        rng: random.Random,
        *,
        sentence_share: float,
        sentence_balance: float = 0.0,
        rephrase_share: float = 0.0,
        findings_share: float = 0.0,
    ) -> Indices:
        """Choose one text for each record of a batch.

        Args:
            records: their indices, shape (batch,).
            rng: the source of chance.
            sentence_share: how often, 0 to 1, one random sentence stands for the whole report.
            sentence_balance: how much likelier a rare sentence of a report is than a frequent one: its count
                to the power of minus this; at 0 all are alike.
            rephrase_share: how often, 0 to 1, such a sentence is said in other words, if there are any; each
                kind of other words is then equally likely.
            findings_share: how often, 0 to 1, a finding that the record's waveform shows is drawn instead of
                any of these.

        Returns:
            Indices of texts, shape (batch,).
        """
        shares = (sentence_share, sentence_balance, rephrase_share)

        def one(record: int) -> int:
            if self.shown and findings_share and rng.random() < findings_share:
                finding = self.shown.draw(record, rng)
                if finding is not None:
                    return self.true_of.shape[1] + finding
            return self._one(record, rng, *shares)

        return np.array([one(record) for record in records])

    def _one(
        self,
        record: int,
        rng: random.Random,
        sentence_share: float,
        sentence_balance: float,
        rephrase_share: float,
    ) -> int:
        parts = self.parts[record]
        if rng.random() >= sentence_share or not len(parts):
            return int(self.full[record])
        sentence = int(rng.choices(parts, (self.counts[parts] ** -float(sentence_balance)).tolist())[0])
        if rng.random() < rephrase_share and sentence in self.others:
            return int(rng.choice(rng.choice(self.others[sentence])))
        return sentence

    def same(self, records: Indices, drawn: Indices) -> Tensor:
        """Tell which of the drawn texts are true of which records, boolean, shape (records, drawn)."""
        texts = self.true_of.shape[1]
        same = np.zeros((len(records), len(drawn)), bool)
        reported = drawn < texts
        same[:, reported] = self.true_of[records][:, drawn[reported]].toarray()
        if self.shown:
            same[:, ~reported] = self.shown.true_of(records, drawn[~reported] - texts)
        return torch.from_numpy(same)


def _true_of(full: Indices, parts: list[Indices], others: dict[int, list[Indices]], texts: int) -> csr_matrix:
    columns = []
    for whole, group in zip(full, parts, strict=True):
        more = [kind for sentence in group for kind in others.get(int(sentence), [])]
        columns.append(np.unique(np.concatenate([[whole], group, *more])))
    ends = np.cumsum([0, *map(len, columns)])
    return csr_matrix((np.ones(ends[-1], bool), np.concatenate(columns), ends), shape=(len(full), texts))
