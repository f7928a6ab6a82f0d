"""The verifier's vocabulary: which words mean the same, which exclude each other, which claim nothing."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from merl.errors import KnowledgeError
from merl.files import content_dir, read_yaml, validate

_SPELLED = {"ae": "e", "our": "or", "oe": "e"}
_PIECE = re.compile(r"[a-z_]+(?:'[a-z]+)?|[^a-z_]+")


class _File(BaseModel):
    """``knowledge_base/vocabulary.yaml``; it says itself what its parts are for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    families: dict[str, tuple[str, ...]] = Field(min_length=1)
    opposites: dict[str, tuple[str, ...]]
    implies: dict[str, tuple[str, ...]]
    qualifiers: tuple[str, ...]
    ambiguous: dict[str, tuple[str, ...]] = {}
    loose: tuple[str, ...] = ()
    telling: str = ""
    filler: str
    talk: str


class Vocabulary:
    """Words and terms by the family they are compared by.

    Args:
        path: the vocabulary file; the shipped one by default.

    Raises:
        KnowledgeError: the file breaks its schema, or an opposite is no family.
    """

    def __init__(self, path: Path | None = None) -> None:
        path = path or content_dir("knowledge_base") / "vocabulary.yaml"
        found = validate(_File, read_yaml(path, KnowledgeError), path, KnowledgeError)
        named = {word for many in found.opposites.values() for word in many} | found.implies.keys()
        named |= {word for many in found.ambiguous.values() for word in many if word} | {*found.loose}
        for word in sorted(named.union(*found.implies.values())):
            if word not in found.families:
                raise KnowledgeError(f"{path}: {word!r} is used but is no family; add it to `families`")
        self.group = {word: group for group, many in found.opposites.items() for word in many}
        self.implied = {word: frozenset(many) for word, many in found.implies.items()}
        self.qualifiers = frozenset(found.qualifiers)
        self.talk = frozenset(_listed(found.talk))
        self._exact: dict[str, str] = {}
        self._stems: dict[str, str] = {}
        self._terms: dict[str, list[tuple[tuple[str, ...], str]]] = defaultdict(list)
        for family, wordings in found.families.items():
            for wording in (family, *wordings):
                self._add(family, wording)
        self._ambiguous = found.ambiguous
        for term in (term for term in found.ambiguous if " " in term):
            words = tuple(map(stem, term.split()))
            self._terms[words[0]].append((words, term))
        for known in self._terms.values():  # the longest first, an ambiguous one before a settled one
            known.sort(key=lambda item: (-len(item[0]), item[1] not in self._ambiguous))
        self.loose = frozenset(found.loose)
        self.telling = frozenset(_listed(found.telling)) | {stem(word) for word in _listed(found.telling)}
        self._free = frozenset(_listed(found.filler))
        self._free_stems = {stem(word) for word in self._free}

    def _add(self, family: str, wording: str) -> None:
        words = re.findall(r"[a-z_']+", wording)
        if " " in family or len(words) > 1:
            if wording != family:
                self._terms[stem(words[0])].append((tuple(map(stem, words)), family))
        else:
            self._exact.setdefault(wording, family)
            self._stems.setdefault(stem(wording), family)

    def replace(self, text: str, heard: frozenset[str] | None = None) -> str:
        """Replace every term of several words in a lower-case text by its family, the longest first."""
        pieces = _PIECE.findall(text)
        words = [place for place, piece in enumerate(pieces) if piece[0].isalpha() and piece.isascii()]
        stems = [stem(pieces[place]) for place in words]
        at = 0
        while at < len(words):
            family, length = self._term(pieces, words, stems, at)
            family = self._meant(family, heard) if family in self._ambiguous else family
            if family:
                pieces[words[at] : words[at + length - 1] + 1] = [
                    family,
                    *[""] * (words[at + length - 1] - words[at]),
                ]
            at += length
        return "".join(pieces)

    def _term(self, pieces: list[str], words: list[int], stems: list[str], at: int) -> tuple[str, int]:
        """Find the term that begins at a word, and how many words it has; an empty one of one if none."""
        for term, family in self._terms.get(stems[at], ()):
            end = at + len(term)
            if tuple(stems[at:end]) == term and _joined(pieces, words[at], words[end - 1]):
                return family, len(term)
        return "", 1

    @lru_cache(maxsize=65536)  # noqa: B019 - one vocabulary lives as long as the program
    def family(self, word: str, heard: frozenset[str] | None = None) -> str:
        """Return what a word is compared by: its family, else its stem.

        Args:
            word: in lower case.
            heard: the families of the text this one is compared with, by which an ambiguous word is read: as
                the first of its meanings that is among them, else whose opposite is; else as claiming none,
                if it may, or as its first. Without another text its first meaning counts.
        """
        if word in self._ambiguous:
            return self._meant(word, heard)
        if word in self._free and word not in self._exact:
            return stem(word)
        for form in (word, *_positives(word)):
            if found := self._exact.get(form) or self._stems.get(stem(form)):
                return found
        return stem(word)

    def _meant(self, word: str, heard: frozenset[str] | None) -> str:
        meanings = self._ambiguous[word]
        if heard is None:
            return meanings[0]
        said = (meaning for meaning in meanings if meaning in heard)
        opposed = (meaning for meaning in meanings if self._opposites(meaning) & heard)
        return next(said, next(opposed, "" if "" in meanings else meanings[0]))

    @lru_cache(maxsize=65536)  # noqa: B019
    def meanings(self, text: str) -> frozenset[str]:
        """Return what the ambiguous words of a lower-case text may mean, and the opposites of that."""
        said = re.findall(r"[a-z_']+", text)
        stems = f" {_stems(text)} "
        words = [
            word
            for word in self._ambiguous
            if (word in said if " " not in word else f" {_stems(word)} " in stems)
        ]
        named = {meaning for word in words for meaning in self._ambiguous[word]}
        return frozenset(named.union(*map(self._opposites, named)))

    def _opposites(self, family: str) -> frozenset[str]:
        group = self.group.get(family)
        return frozenset(other for other, of in self.group.items() if of == group and group) - {family}

    def knows(self, word: str) -> bool:
        """Tell whether a word belongs to a family, so that its meaning is settled."""
        if word in self._ambiguous:
            return True
        return any(form in self._exact or stem(form) in self._stems for form in (word, *_positives(word)))

    @lru_cache(maxsize=65536)  # noqa: B019
    def is_free(self, word: str) -> bool:
        """Tell whether a word claims nothing."""
        if word in self._ambiguous:
            return False
        if word in self._free:
            return True
        return word not in self._exact and any(
            form in self._free or stem(form) in self._free_stems for form in (word, *_positives(word))
        )


@cache
def default_vocabulary() -> Vocabulary:
    """Return the shipped vocabulary, read once."""
    return Vocabulary()


@cache
def _stemmer() -> Any:
    import snowballstemmer

    return snowballstemmer.stemmer("english")


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Return a word in American spelling without its ending; words of up to three letters as they are."""
    word = _american(word.replace("'s", "").strip("'"))
    return word if len(word) <= 3 else str(_stemmer().stemWord(word))


def _american(word: str) -> str:
    """Return a word in American spelling: organized, fiber, ischemia, color."""
    word = re.sub(r"(?<=[a-z]{4})is(?=(?:e[ds]?|ing|ations?)$)", "iz", word)
    word = re.sub(r"(?<=[a-z]{2})(?:tre|bre)(?=s?$)", lambda match: match[0][0] + "er", word)
    return re.sub(r"ae(?=mi|sth|di)|(?<=[a-z]{2})our(?=s?$)|oe(?=de)", lambda m: _SPELLED[m[0]], word)


@lru_cache(maxsize=65536)
def _stems(text: str) -> str:
    return " ".join(map(stem, re.findall(r"[a-z_']+", text)))


def _positives(word: str) -> list[str]:
    """Return what a word may be the comparative, superlative or adverb of: clearest, clear."""
    ending = next((end for end in ("iest", "ier", "est", "er", "ily", "ly") if word.endswith(end)), "")
    if len(word) - len(ending) < 4 or not ending:
        return []
    short = word.removesuffix(ending)
    return [short + "y"] if ending in {"iest", "ier", "ily"} else [short, short + "e"]


def word_set(text: str) -> frozenset[str]:
    """Return the words of a list that is written with spaces."""
    return frozenset(text.split())


def _listed(text: str) -> list[str]:
    return [" ".join(item.split()) for item in text.split(",") if item.strip()]


def _joined(pieces: list[str], first: int, last: int) -> bool:
    """Whether nothing but spaces and hyphens stands between the words of a term."""
    return all(not piece.strip(" -") for piece in pieces[first + 1 : last : 2])
