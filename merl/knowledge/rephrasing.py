"""Report sentences said in other words: those of the knowledge base.

A concept is recognised by one of its names in the sentence itself; no label is read. What is said in its
place are its other names, the broader concepts it is a kind of, and the findings that go with it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from merl.knowledge.entries import Entry
from merl.knowledge.lookup import fold_words, join_non

_WORD = re.compile(r"[a-z0-9]+")
#: Words after which a sentence does not simply state what it names.
_DOUBT = re.compile(
    r"\?|\b(?:no|not|without|never|or|cannot|may|might|could|rule[ds]?|exclu\w+|possib\w+|probab\w+|likely|unlikely"
    r"|consider\w*|suspect\w*|suggest\w*|consistent with|uncertain|doubtful|borderline|questionable|versus|vs"
    r"|absen\w+|resolved|previous\w*|history|except|apart|other(?:wise)?)\b"
)
#: Said apart from a name, they say that it is not the whole of it: "right bundle branch block, incomplete".
_PARTLY = re.compile(r"\b(?:in|un)complete\b|\bpartial\b")


class Rephrasings(NamedTuple):
    """Other ways to say a sentence, each in lower case and sorted."""

    synonyms: tuple[str, ...] = ()  # another name of the concept, within the sentence or alone
    broader: tuple[str, ...] = ()  # names of what the concept is a kind of
    findings: tuple[str, ...] = ()  # what goes with the concept


class Rephraser:
    """The names of a knowledge base, ready to be found in report sentences; ambiguous names are left out."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self._entries = entries
        found: dict[tuple[str, ...], set[str]] = defaultdict(set)
        for entry in entries.values():
            for name in (entry.name, *entry.synonyms):
                found[tuple(fold_words(name))].add(entry.id)
        self._named = {words: ids.pop() for words, ids in found.items() if len(ids) == 1 and words}
        self._longest = max(map(len, self._named))

    def rephrase(self, sentence: str) -> Rephrasings:
        """Return what else may be said where this sentence stands.

        A sentence that doubts or denies gets its names replaced and nothing else: "possible inferior
        infarct" for "possible inferior myocardial infarction", never its Q waves.

        Args:
            sentence: in English.
        """
        sentence = join_non(sentence.lower())
        mentions = list(self._mentions(sentence))
        apart = sentence
        for start, end, _ in reversed(mentions):
            apart = apart[:start] + apart[end:]
        stated = not _DOUBT.search(sentence) and not _PARTLY.search(apart)
        synonyms, broader, findings = set[str](), set[str](), set[str]()
        for start, end, entry in mentions:
            names = _names(entry)
            synonyms |= {sentence[:start] + name + sentence[end:] for name in names}
            if stated:
                synonyms |= names
                broader |= {name for parent in self._ancestors(entry) for name in _names(parent)}
                findings |= {finding.text.lower() for finding in entry.findings}
        synonyms.discard(sentence)
        return Rephrasings(tuple(sorted(synonyms)), tuple(sorted(broader)), tuple(sorted(findings)))

    def _mentions(self, sentence: str) -> Iterator[tuple[int, int, Entry]]:
        """Yield start, end and concept of every name in a sentence, the longest from the left."""
        words = [(match.start(), match.end(), match.group()) for match in _WORD.finditer(sentence)]
        folded = [" ".join(fold_words(word)) for _, _, word in words]
        at = 0
        while at < len(words):
            for length in range(min(self._longest, len(words) - at), 0, -1):
                if entry := self._named.get(tuple(folded[at : at + length])):
                    yield words[at][0], words[at + length - 1][1], self._entries[entry]
                    break
            else:
                length = 1
            at += length

    def _ancestors(self, entry: Entry) -> list[Entry]:
        found: dict[str, Entry] = {}
        waiting = list(entry.is_a)
        while waiting:
            parent = self._entries[waiting.pop()]
            if parent.id not in found:
                found[parent.id] = parent
                waiting += parent.is_a
        return list(found.values())


def _names(entry: Entry) -> set[str]:
    return {name.lower() for name in (entry.name, *entry.synonyms)}
