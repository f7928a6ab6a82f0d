"""Queries put into the words of the entries: spelling, abbreviations, German, plain English, numbers.

What is known of wordings stands in ``knowledge_base/glossary_queries.yaml``; how it is applied is here.
Entries are read with the same glossary, so that a wording used on both sides meets itself.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from merl.encoders.text import english_words
from merl.errors import KnowledgeError
from merl.files import content_dir, read_yaml, validate
from merl.knowledge.entries import Entry, statements
from merl.knowledge.leads import mark_leads, without_leads
from merl.knowledge.quantities import Quantity, take_quantities
from merl.knowledge.wording import content_words, lemma
from merl.reports import german_stem, german_words, translate

_WAVES = frozenset(["p", "q", "r", "s", "t", "u", "j", "st", "pr", "pq", "qt", "qtc", "qrs", "rr"])
_LINKS = ("", "s", "n", "en", "es", "e")  # what German puts between the parts of a compound
_DEGREES = {"i": "first", "1": "first", "ii": "second", "2": "second", "iii": "third", "3": "third"}
_GAP = "~"
_GAP_WORDS = 2
_ENDINGS = ("s", "es", "ed", "d", "ing", "ly")


class _Glossary(BaseModel):
    """The glossary file; it says itself what its parts are for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    english: dict[str, list[str]] = Field(min_length=1)
    abbreviations: dict[str, list[str]]
    german: dict[str, list[str]]


class Phrases:
    """Wordings of one or more words, replaced from the left, the longest first."""

    def __init__(self, meanings: Mapping[str, Iterable[str]]) -> None:
        self._found: dict[str, list[tuple[list[str], str]]] = defaultdict(list)
        for meaning, wordings in meanings.items():
            for wording in wordings:
                keys = [_key(word) for word in _words(wording)]
                self._found[keys[0]].append((keys, meaning))
        for known in self._found.values():
            known.sort(key=lambda item: -len(item[0]))

    def replace(self, text: str) -> str:
        """Return the text with every wording it knows replaced; other words and marks stay as they are."""
        tokens = _words(text)
        keys = [_key(token) for token in tokens]
        out, at = [], 0
        while at < len(tokens):
            for wording, meaning in self._found.get(keys[at], ()):
                if taken := _match(wording, keys, at):
                    out.append(meaning)
                    at += taken
                    break
            else:
                out.append(tokens[at])
                at += 1
        return " ".join(out)


class QueryReader:
    """Reads queries and entries into the same words; made once for a set of entries."""

    def __init__(self, entries: Iterable[Entry], glossary: Path | None = None) -> None:
        path = glossary or content_dir("knowledge_base") / "glossary_queries.yaml"
        found = validate(_Glossary, read_yaml(path, KnowledgeError), path, KnowledgeError)
        self._entries = list(entries)
        self._english = Phrases(found.english)
        self._german = Phrases({key: [w for w in many if " " in w] for key, many in found.german.items()})
        self._german_words = german_words() | {
            german_stem(word): key for key, many in found.german.items() for word in many if " " not in word
        }
        self._short: dict[str, list[str]] = defaultdict(list)
        for entry in self._entries:
            for text in entry.abbreviations:
                self._short[text.casefold()].append(entry.name)
        for meaning, many in found.abbreviations.items():
            for text in many:
                self._short[text.casefold()] = [meaning]
        self._short_phrases = Phrases(
            {key: [text for text in many if " " in text] for key, many in found.abbreviations.items()}
        )
        self._listed = [word for many in found.english.values() for text in many for word in _words(text)]

    @lru_cache(maxsize=1024)  # noqa: B019 - a reader lives as long as its index
    def read(self, query: str) -> str:
        """Return a query in the words of the entries.

        German is put into English, abbreviations are written out, misspelled words corrected, and wordings of
        the glossary replaced. What is not known stays as it is.
        """
        text = self._short_phrases.replace(_without_marks(self._write_out(query)))
        spelled = " ".join(self._spell(word) for word in _words(text.lower()))
        return self.fold(self._put_into_english(spelled))

    def quantities(self, query: str) -> tuple[Quantity, ...]:
        """Return the numbers of a query that have a unit."""
        text = without_leads(mark_leads(_without_marks(query).lower()))
        return tuple(quantity for quantity in take_quantities(text)[0] if quantity.unit)

    @lru_cache(maxsize=65536)  # noqa: B019
    def fold(self, text: str) -> str:
        """Replace the wordings of the glossary in an English text; entries are read like this too."""
        return self._english.replace(text.lower())

    @cached_property
    def _known(self) -> Counter[str]:
        """How often each word of the entries' English texts and of the glossary is used."""
        counts = Counter(self._listed)
        for entry in self._entries:
            for text in (entry.name, *entry.synonyms, *(s.text for s in statements(entry))):
                counts.update(_words(text.lower()))
        return counts

    @cached_property
    def _candidates(self) -> list[str]:
        german = {word for entry in self._entries for name in entry.german for word in _words(name.lower())}
        english = [word for word in self._known if content_words(word)]
        return [word for word in (*english, *sorted(german)) if len(word) > 3 and word.isalpha()]

    def _write_out(self, text: str) -> str:
        """Write out the abbreviations that stand as words of their own; every meaning of an ambiguous one."""
        out = []
        for word in text.split():
            bare = word.strip(".,;:()")
            if "-" in bare and bare.replace("-", "").casefold() in self._short:  # V-fib
                bare = bare.replace("-", "")
            key = bare.casefold()
            written = bare != key and len(bare) > 1 and not (bare.istitle() and key in self._known)
            rare = len(bare) > 2 and key not in self._known and key not in english_words()
            if key in self._short and key not in _WAVES and (written or rare):
                out.append(" ".join(self._short[key]))
            else:
                out.append(word)
        return " ".join(out)

    def _put_into_english(self, text: str) -> str:
        if not any(self._is_german(word) for word in _words(text)):
            return text
        text = translate(self._german.replace(text)).replace(". ", " ").replace("°", "")
        return " ".join(self._translated(word) for word in _words(text))

    def _is_german(self, word: str) -> bool:
        if len(word) < 3 or word in self._known or word in _WAVES or word in english_words():
            return False
        return self._translated(word) != word

    def _translated(self, word: str) -> str:
        stem = german_stem(word)
        if stem in self._german_words and (len(word) > 2 or word not in self._known):
            return self._german_words[stem]
        if word in self._known or len(word) < 8:
            return word
        return _compound(stem, self._german_words) or word

    def _spell(self, word: str) -> str:
        """Return the nearest known word to one that is no English word; itself where none is near."""
        if len(word) < 4 or not word.isalpha() or {word, lemma(word)} & self._known.keys():
            return word
        if {word, *(word.removesuffix(end) for end in _ENDINGS)} & english_words() or self._is_german(word):
            return word
        return self._nearest(word) or word

    def _nearest(self, word: str) -> str | None:
        """Find the known word with the fewest letters changed, the commonest of those; at most a third."""
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        near = process.extract(
            word, self._candidates, scorer=OSA.distance, score_cutoff=len(word) // 3, limit=8
        )  # (word, letters changed, place)
        near.sort(key=lambda item: (item[1] + (item[0][0] != word[0]), -self._known[item[0]]))
        return near[0][0] if near else None


def _compound(stem: str, known: Mapping[str, str], least: int = 3) -> str | None:
    """Take a German compound apart into known words, the longest first from the left.

    >>> _compound("kammerersatzrhythm", {"kamm": "ventricular", "ersatz": "escape", "rhythm": "rhythm"})
    'ventricular escape rhythm'
    """
    if stem in known:
        return known[stem]
    for cut in range(len(stem) - least, least - 1, -1):
        head = known.get(stem[:cut]) or known.get(german_stem(stem[:cut]))
        if head and (rest := _compound(stem[cut:], known, least)):
            return f"{head} {rest}"
        for link in _LINKS[1:]:
            if head and stem[cut:].startswith(link) and (rest := _compound(stem[cut + len(link) :], known)):
                return f"{head} {rest}"
    return None


def _match(wording: list[str], keys: list[str], at: int) -> int:
    """Return how many words from ``at`` a wording takes the place of; 0 where it does not stand there."""
    head, gap, tail = wording, "", []
    if _GAP in wording:
        cut = wording.index(_GAP)
        head, gap, tail = wording[:cut], _GAP, wording[cut + 1 :]
    if keys[at : at + len(head)] != head:
        return 0
    if not gap:
        return len(head)
    start = at + len(head)
    near = range(start, start + _GAP_WORDS + 1)
    return len(head) if any(keys[place : place + len(tail)] == tail for place in near) else 0


def _words(text: str) -> list[str]:
    return re.findall(r"\d+\.\d+|[^\W_]+(?:'[^\W\d_]*)?|[~,;.]", text)


@lru_cache(maxsize=65536)
def _key(word: str) -> str:
    """Fold case and plural, so that a wording is found in its other forms."""
    word = "".join(c for c in unicodedata.normalize("NFKD", word.lower()) if not unicodedata.combining(c))
    return (
        word[:-1] if len(word) > 4 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word
    )


def _without_marks(text: str) -> str:
    """Write out what marks say ("III°", "minus 50") and take out those where a data set is careless."""
    text = text.replace("’", "'").replace("−", "-")
    text = re.sub(
        r"\b(i{1,3}|[123])\s*°", lambda m: f"{_DEGREES[m[1].lower()]} degree", text, flags=re.IGNORECASE
    )
    text = re.sub(r"\bminus (?=\d)", "-", re.sub(r"\bplus (?=\d)", "+", text))
    text = re.sub(
        r"\b(at|rate of|rate)\s+(\d{2,3})(?=\s*(?:$|[,;]|(?!per|bpm|beat|ms|mm|a min)[a-z]))",
        r"\1 \2 per minute",
        text,
    )
    text = re.sub(r"\bnot (?:yet|quite) (?=\d)", "below ", text)
    return re.sub(r"[()\[\]:]|/(?!\s*min)|(?<=[^\W\d])-(?=\w{3})", " ", text)
