"""Exact look-up of concepts by code, name, synonym or abbreviation, blind to spelling but not to meaning."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from typing import Literal

from merl.knowledge.entries import Entry

MatchedBy = Literal["code", "name", "synonym", "abbreviation", "hybrid"]

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_SAME = {
    **dict.fromkeys(("first", "1st", "i", "1°"), "1"),
    **dict.fromkeys(("second", "2nd", "ii", "2°"), "2"),
    **dict.fromkeys(("third", "3rd", "iii", "3°"), "3"),
    **dict.fromkeys(("grade", "grades", "grad", "degrees", "deg"), "degree"),
    **dict.fromkeys(("atrioventricular", "auriculoventricular"), "av"),
    "intraatrial": "intra atrial",
    "ekg": "ecg",
}


def normalise(text: str) -> str:
    """Fold spelling and word order away, so that two ways to write one name are the same string.

    >>> normalise("First-degree AV block") == normalise("AV-Block I. Grades") == normalise("1° AV block")
    True
    """
    if re.fullmatch(r"[A-Z]+S", text.strip()):
        return text.strip().casefold()  # the last letter of a code is no plural: ISCAS is not ISCA
    return " ".join(sorted(fold_words(text)))


def fold_words(text: str) -> list[str]:
    """Return the words of a text in order, without case, umlauts, hyphens, plural s or kind of numeral."""
    text = text.casefold().translate(_UMLAUTS)
    text = _without_umlauts(text)
    text = re.sub(r"([123])\s*°", r"\1 degree ", text)
    text = re.sub(r"\batrio[\s-]ventricular\b", "av", text)
    text = join_non(text)
    return [_fold(word) for word in re.findall(r"[a-z0-9]+", text.replace("'s", ""))]


def join_non(text: str) -> str:
    """Write "non-specific" and "non specific" as one word."""
    return re.sub(r"\bnon[\s-]+(?=[a-z])", "non", text)


def _fold(word: str) -> str:
    word = _SAME.get(word, word)
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    return word.replace("ae", "e").replace("oe", "e")


class NameTable:
    """Every code and name of a knowledge base, ready for exact look-up.

    Codes are compared letter by letter apart from case; MIT-BIH symbols with case, since ``A`` is not ``a``.
    A code may be given with its vocabulary, ``snomed:164889003``.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._codes: dict[str, list[Entry]] = defaultdict(list)
        self._ranks: list[tuple[MatchedBy, dict[str, list[Entry]]]] = []
        names: dict[str, list[Entry]] = defaultdict(list)
        synonyms: dict[str, list[Entry]] = defaultdict(list)
        short: dict[str, list[Entry]] = defaultdict(list)
        german: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            for key in _code_keys(entry):
                _add(self._codes, key, entry)
            _add(names, normalise(entry.name), entry)
            for text in entry.synonyms:
                _add(synonyms, normalise(text), entry)
            for text in entry.abbreviations:
                _add(short, normalise(text), entry)
            for text in entry.german:
                _add(german, normalise(text), entry)
                _add(german, normalise(_without_umlauts(text)), entry)
        self._ranks = [("name", names), ("synonym", synonyms), ("abbreviation", short), ("synonym", german)]

    def by_code(self, text: str) -> list[Entry]:
        """Return the entries that carry this code in any vocabulary."""
        text = text.strip()
        found = [*self._codes.get(text, []), *self._codes.get(f"~{text.casefold()}", [])]
        return list({entry.id: entry for entry in found}.values())

    def by_name(self, text: str) -> list[tuple[Entry, MatchedBy]]:
        """Return the entries of this name; those it names outright hide those it is only a synonym of."""
        key = normalise(text)
        for matched_by, table in self._ranks:
            if key and key in table:
                return [(entry, matched_by) for entry in table[key]]
        return []

    def all(self, text: str) -> list[tuple[Entry, MatchedBy]]:
        """Return every meaning of a code or name, once each: codes, names, synonyms, then abbreviations."""
        found: dict[str, tuple[Entry, MatchedBy]] = {e.id: (e, "code") for e in self.by_code(text)}
        key = normalise(text)
        for matched_by, table in self._ranks:
            for entry in table.get(key, []) if key else []:
                found.setdefault(entry.id, (entry, matched_by))
        return list(found.values())


def _code_keys(entry: Entry) -> set[str]:
    keys = {f"~{entry.id.casefold()}"}
    for vocabulary, codes in entry.codes.model_dump().items():
        for code in codes:
            keys |= {code} if vocabulary == "mitbih" else {f"~{code.casefold()}"}
            keys.add(f"~{vocabulary}:{code}".casefold() if vocabulary != "mitbih" else f"mitbih:{code}")
    return keys


def _add(table: dict[str, list[Entry]], key: str, entry: Entry) -> None:
    if key and all(known.id != entry.id for known in table[key]):
        table[key].append(entry)


def _without_umlauts(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
