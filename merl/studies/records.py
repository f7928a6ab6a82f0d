"""The records that are trained on: a share of a data set's, its reports whole or with classes withheld."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from merl.datasets.tasks import TaskData
from merl.preprocessing import SignalSpec
from merl.pretraining.pairs import Progress
from merl.pretraining.preparation import prepare
from merl.pretraining.prepared import PreparedPairs
from merl.pretraining.sources import Pair, Source
from merl.studies.withholding import Withheld, Withholding


@dataclass(frozen=True)
class FixedPairs:
    """Pairs of a source, some left out or with other texts: a source in its turn."""

    name: str
    folds: tuple[int, ...]
    licence: str
    attribution: str
    tables: tuple[Path, ...]
    found: tuple[Pair, ...]
    left_out: Mapping[str, int]
    withheld: Withheld | None = None

    def pairs(self) -> tuple[list[Pair], dict[str, int]]:
        """Return the pairs in the source's order, and how many records were left out for which reason."""
        return list(self.found), dict(self.left_out)

    def draw(self, share: float, seed: int) -> FixedPairs:
        """Return a share of the pairs, drawn at random; with one seed smaller ones lie within larger ones."""
        order = np.random.default_rng([seed, 0]).permutation(len(self.found))
        kept = np.sort(order[: round(share * len(order))])
        drawn = tuple(self.found[place] for place in kept)
        rest = len(self.found) - len(drawn)
        left_out = dict(self.left_out) | ({"not drawn for this share": rest} if rest else {})
        return replace(self, found=drawn, left_out=left_out)

    def withhold(self, withholding: Withholding) -> FixedPairs:
        """Return the pairs without what names an unseen class.

        Raises:
            DataError: a text still names one.
        """
        left, account = withholding.take_out(self.found)
        left_out = dict(self.left_out)
        if account.emptied:
            left_out["report that names nothing but unseen classes"] = account.emptied
        return replace(self, found=tuple(left), left_out=left_out, withheld=account)


def read_pairs(source: Source) -> FixedPairs:
    """Read all pairs of a source once."""
    found, left_out = source.pairs()
    facts = (source.name, source.folds, source.licence, source.attribution, source.tables)
    return FixedPairs(*facts, tuple(found), left_out)


def make_ready(pairs: FixedPairs, spec: SignalSpec, folder: Path, progress: Progress | None) -> PreparedPairs:
    """Prepare pairs into a folder of their own below ``folder``, or open them where that has been done.

    Raises:
        DataError: records are unreadable, or the folder cannot be written.
    """
    digest = hashlib.sha256(spec.model_dump_json().encode())
    for pair in pairs.found:
        digest.update(f"{pair.key}\t{pair.path}\t{pair.report}\n".encode())
    return prepare(
        pairs,
        folder / digest.hexdigest()[:16],
        sampling_rate=spec.sampling_rate,
        leads=spec.leads,
        seconds=spec.seconds,
        progress=progress,
    )


def chosen(data: TaskData, share: float, limit: int | None, seed: int) -> TaskData:
    """Return a share of labelled records, at most so many, drawn at random."""
    count = round(share * len(data)) if limit is None else min(round(share * len(data)), limit)
    kept = np.sort(np.random.default_rng([seed, 1]).permutation(len(data))[: max(count, 2)])
    return data.take(kept)
