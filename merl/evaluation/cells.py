"""Cells: one row of one task, scored by one checkpoint in one way, and kept on disk once it is finished."""

from __future__ import annotations

import hashlib
import json
import logging
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from merl.evaluation.comparison import Figure, Measured
from merl.evaluation.result import PromptSetResult, Validation
from merl.files import atomic_path

_log = logging.getLogger(__name__)
_FIGURES = ("auroc", "average_precision")


@dataclass(frozen=True, eq=False)
class Cell:
    """A row of a result with the draws behind it.

    Attributes:
        result: what is printed of it.
        measured: the same with its bootstrap, for comparing it with others; it holds this one set.
        n_patients: whose records were scored.
        validation: where its thresholds and probabilities come from.
    """

    result: PromptSetResult
    measured: Measured
    n_patients: int
    validation: Validation


class Cells:
    """Finished cells in a folder, each a file called by the hash of all that its figures depend on.

    Args:
        folder: where they are kept; it is made when the first one is.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, key: str) -> Cell | None:
        """Return a finished cell; a damaged file counts as none and is made anew."""
        path = self._path(key)
        try:
            with np.load(path, allow_pickle=False) as stored:
                return _unpack(stored)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as problem:
            _log.warning("the finished cell %s is damaged and is made anew: %s", path, problem)
            return None

    def keep(self, key: str, cell: Cell) -> None:
        """Write a finished cell, atomically."""
        with atomic_path(self._path(key)) as part, part.open("wb") as handle:
            np.savez(handle, **_pack(cell))

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.npz"


def cell_key(facts: Mapping[str, Any]) -> str:
    """Hash what a cell depends on; keys in any order, values as JSON knows them."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _pack(cell: Cell) -> dict[str, Any]:
    measured, name = cell.measured, cell.result.name
    packed = {
        "result": np.array(cell.result.model_dump_json()),
        "classes": np.array(measured.classes),
        "positives": measured.positives,
        "patients": measured.patients,
        "skipped": measured.skipped,
        "records": np.array(measured.records),
        "n_patients": np.array(cell.n_patients),
        "validation": np.array(cell.validation.model_dump_json()),
    }
    for figure in _FIGURES:
        found: Figure = getattr(measured, figure)
        packed |= {
            f"{figure}.value": found.sets[name],
            f"{figure}.draws": found.draws[name],
            f"{figure}.chance": found.chance,
            f"{figure}.flattered": np.array(found.flattered),
        }
    return packed


def _unpack(stored: Mapping[str, Any]) -> Cell:
    result = PromptSetResult.model_validate_json(str(stored["result"]))
    figures = {
        figure: Figure(
            sets={result.name: stored[f"{figure}.value"]},
            draws={result.name: stored[f"{figure}.draws"]},
            chance=stored[f"{figure}.chance"],
            flattered=bool(stored[f"{figure}.flattered"]),
        )
        for figure in _FIGURES
    }
    measured = Measured(
        classes=tuple(str(code) for code in stored["classes"]),
        positives=stored["positives"],
        patients=stored["patients"],
        skipped=stored["skipped"],
        records=int(stored["records"]),
        **figures,
    )
    validation = Validation.model_validate_json(str(stored["validation"]))
    return Cell(result, measured, int(stored["n_patients"]), validation)
