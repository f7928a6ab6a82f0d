"""ECG report text: stripped of what leaks labels or says nothing, then put into English term by term.

Two thirds of the PTB-XL reports are telegraphic German, a few Swedish, the rest English. The words are in
``knowledge_base/glossary_de.yaml``; the grammar of a telegram (where a statement begins, what German
puts last) is here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from merl.errors import KnowledgeError
from merl.files import content_dir, read_yaml, validate

_EDIT = re.compile(r"\bedit(?:ed)?\s*:.*", re.DOTALL)  # a second reader's SCP codes: the labels themselves
_STAMP = re.compile(r"\b4\.4\d\b(?:\s*u\w*(?:\s+\w*)?)?\s*$")  # program version, then the footer or its stump
_STAMP_STUMP = re.compile(r"\s4\.?4?$")
_FOOTER = re.compile(r"\bunbest(?:ä|ae|a)t\w*(?:\s+ber\w*)?\s*$")
_MOJIBAKE = re.compile(r"ó?[¿¬½©]")
_TRUNCATED = 250  # characters: a longer report was cut by the machine that sent it
_TOKEN = re.compile(
    r"(?P<leads>\bv\d(?!\d)(?:\s?[-,]\s?v?\d(?!\d))*)|(?P<number>\d+(?:[.,:]\d+)*)|(?P<word>(?:[^\W\d_]|\#)+)|(?P<mark>[^\s-])"
)
_FOLD = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "å": "a", "é": "e"})
_ENDING = re.compile(r"(?<=\w{4})(?:en|em|er|es|e|n|s)+$")
_MERGED = re.compile(r"\b(in|neg)(?=v\d|i{1,3}\b|avf\b)")
_DANGLING = {"oder", "or", "and", "the", "with", "und", "eller"}
_LEAD_NAMES = {"i", "ii", "iii", "avr", "avl", "avf"}
_POSTPOSED = {"possible": "possible", "probably": "probable", "certain": "definite"}
_LATE = "\x00"  # marks a translated modifier until its statement is whole


class _Glossary(BaseModel):
    """The glossary file; it says itself what its parts are for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    boilerplate: list[str] = Field(min_length=1)
    abbreviations: list[str]
    variants: dict[str, list[str]]
    terms: dict[str, str] = Field(min_length=1)
    locations: list[str]
    lists: list[str]
    opens: list[str]
    heads: list[str]
    joins: list[str]
    english: list[str]


class _Token(NamedTuple):
    text: str  # as written
    key: str  # as looked up: folded, its spelling put right
    start: int
    end: int
    kind: str


class _Piece(NamedTuple):
    """A stretch of the report and how it reads in English."""

    tokens: tuple[_Token, ...]
    english: str
    known: bool
    keys: tuple[str, ...] = ()  # of the term found, as the glossary spells it


class _Lexicon:
    """The glossary, indexed for the longest match."""

    def __init__(self, glossary: _Glossary) -> None:
        self.spelling = {_fold(bad): _fold(good) for good, many in glossary.variants.items() for bad in many}
        self.exact: dict[tuple[str, ...], str] = {}
        self.stems: dict[tuple[str, ...], tuple[tuple[str, ...], str]] = {}
        for term, english in glossary.terms.items():
            key = self.key(term)
            self.exact[key] = english
            self.stems.setdefault(tuple(_stem(word) for word in key), (key, english))
        self.reach: dict[str, int] = {}  # the most tokens of a term that begins so
        for key in self.exact:
            self.reach[_stem(key[0])] = max(len(key), self.reach.get(_stem(key[0]), 0))
        self.english = {_fold(word) for word in glossary.english}
        self.opens = {self.key(term) for term in glossary.opens} | {(_fold(term),) for term in glossary.opens}
        self.locations = {_fold(word) for word in glossary.locations}
        self.lists = {_stem(_fold(word)) for word in glossary.lists}
        self.places = {_stem(word) for word in self.locations}
        self.heads = {_stem(_fold(word)) for word in glossary.heads}
        self.joins = {_fold(word) for word in glossary.joins}
        self.boilerplate = re.compile("|".join(rf"\b{re.escape(text)}\b" for text in glossary.boilerplate))
        dotted = "|".join(map(re.escape, sorted(glossary.abbreviations, key=len, reverse=True)))
        self.abbreviation = re.compile(rf"(?<!\w)({dotted})\.(?=\s*[^\W\d_(]|-)")

    def key(self, text: str) -> tuple[str, ...]:
        return tuple(token.key for token in self.tokens(text))

    def tokens(self, text: str) -> list[_Token]:
        """Cut a text into words, numbers, lists of chest leads and marks; hyphens only join."""
        found = []
        for match in _TOKEN.finditer(text):
            key = _fold(match.group())
            key = self.spelling.get(key, key)
            found.append(_Token(match.group(), key, match.start(), match.end(), match.lastgroup or "mark"))
        return found

    def pieces(self, text: str) -> list[_Piece]:
        """Read a text from the left, always taking the longest term that fits."""
        tokens = self.tokens(text)
        pieces, at = [], 0
        while at < len(tokens):
            piece = self._longest(tokens, at)
            pieces.append(piece)
            at += len(piece.tokens)
        return pieces

    def _longest(self, tokens: list[_Token], at: int) -> _Piece:
        first = tokens[at]
        for length in range(min(self.reach.get(_stem(first.key), 0), len(tokens) - at), 0, -1):
            run = tuple(tokens[at : at + length])
            key = tuple(token.key for token in run)
            if key in self.exact:
                return _Piece(run, self.exact[key], True, key)
            if length == 1 and (first.kind != "word" or first.key in self.english):
                break
            stem = tuple(_stem(word) for word in key)
            if stem in self.stems:
                term, english = self.stems[stem]
                return _Piece(run, english, True, term)
        if first.kind != "word" or first.key in self.english:
            respelled = first.key in self.english and _fold(first.text) in self.spelling
            return _Piece((first,), first.key if respelled else first.text, True)
        compound = self._compound(first.key)
        return _Piece((first,), compound or first.text, compound is not None)

    def _compound(self, word: str) -> str | None:
        """Translate a compound of two known words, with or without a linking s."""
        for cut in range(5, len(word) - 4):
            head = self.exact.get((word[:cut],)) or self.exact.get((word[:cut].removesuffix("s"),))
            tail = self.exact.get((word[cut:],)) or self.stems.get((_stem(word[cut:]),), ((), ""))[1]
            if head and tail:
                return f"{head} {tail}"
        return None

    def separator(self, piece: _Piece, before: _Piece, after: _Piece | None, statement: set[str]) -> str:
        """Return what parts a piece from the one before where the report has only a space, "" for nothing."""
        last = before.tokens[-1]
        if last.kind == "mark" and last.text not in ")!":
            return ""
        if not before.keys and last.kind == "word" and last.key not in _LEAD_NAMES:
            return ""  # an English sentence, which has its own full stops
        if {last.key, _fold(last.text)} & self.joins:
            return ""
        first = piece.tokens[0]
        if after is not None and _stem(piece.tokens[-1].key) in self.places:
            head = _stem(after.tokens[-1].key)
            if first.key in self.locations or _stem(after.tokens[0].key) in self.heads:
                return ", " if head in self.lists and head in statement else ". "
        written = tuple(_fold(token.text) for token in piece.tokens)
        found = {piece.keys, piece.keys[:1], written, written[:1], (first.key,)} & self.opens
        return ". " if found else ""


def clean_report(text: str) -> str:
    """Strip a report of leaked labels and of boilerplate.

    What follows "Edit:" goes (a second reader's SCP codes), as do program version stamps, confirmation
    footers and, where the sending machine cut the report short, the stump of its last word.

    Returns:
        The report in lower case with single spaces; "" where nothing is left that speaks of the ECG.
    """
    lexicon = _lexicon()
    text = _MOJIBAKE.sub(" ", text.lower().replace("\u00a0", " "))
    whole = _EDIT.sub("", text)
    cut = len(whole) > _TRUNCATED
    text = _FOOTER.sub("", _STAMP.sub("", whole.rstrip()))
    text = _STAMP_STUMP.sub("", text) if cut else text
    cut = cut and text == whole.rstrip()
    text = lexicon.boilerplate.sub(" ", text)
    text = _MERGED.sub(r"\1 ", lexicon.abbreviation.sub(r"\1 ", text))
    text = " ".join(text.split())
    if cut:
        text = _without_stump(text, lexicon)
    text = re.sub(r"\s*([.,;])(?:\s*,)*", r"\1", text).strip(" ,;!-").lstrip(".* ")
    return text if re.search(r"[^\W\d_]", text) else ""


def _without_stump(text: str, lexicon: _Lexicon) -> str:
    pieces = lexicon.pieces(text)
    while pieces and pieces[-1].tokens[-1].kind == "word":
        last = pieces.pop()
        word = last.tokens[-1].key
        if last.known and word not in _DANGLING and (len(word) > 2 or word in _LEAD_NAMES):
            break
        text = text[: last.tokens[0].start].rstrip()
    return text


def translate(text: str) -> str:
    """Put German or Swedish ECG prose into English, term by term, the longest term first.

    English passes as it is, but for misspellings, British spellings and abbreviations that the glossary
    writes out ("lvh"). Telegraphic statements are parted by full stops; "X möglich" becomes "possible X".
    """
    lexicon = _lexicon()
    pieces = lexicon.pieces(text)
    out: list[str] = []
    statement: set[str] = set()
    for number, piece in enumerate(pieces):
        if number:
            before, after = pieces[number - 1], pieces[number + 1] if number + 1 < len(pieces) else None
            gap = text[before.tokens[-1].end : piece.tokens[0].start]
            if gap.strip(" -") == "" and "-" in gap and (piece.keys or before.keys):
                gap = " "
            parting = lexicon.separator(piece, before, after, statement) if gap.isspace() else ""
            out.append(parting or gap)
            if parting == ". " or before.tokens[-1].text == ".":
                statement = set()
        out.append((_LATE if piece.keys and piece.english in _POSTPOSED else "") + piece.english)
        statement.update(_stem(token.key) for token in piece.tokens)
    return re.sub(r"\b(waves?) waves?\b", r"\1", _front_modifiers("".join(out)))


def _front_modifiers(english: str) -> str:
    """Put a modifier that German leaves at the end of a statement before what it qualifies."""
    if _LATE not in english:
        return english
    statements = re.split(r"(?<=\D)\. ", english)
    for number, statement in enumerate(statements):
        head, late, last = statement.rpartition(_LATE)
        bare = last.rstrip(" .")
        if late and bare in _POSTPOSED and re.search(r"\w $", head) and not re.search(r"[,:/(]", head):
            statements[number] = f"{_POSTPOSED[bare]} {head.strip()}" + last[len(bare) :]
    return ". ".join(statements).replace(_LATE, "")


def read_report(text: str) -> str:
    """Clean a report and put it into English: what a text encoder is trained on."""
    return translate(clean_report(text))


def sentences(text: str) -> list[str]:
    """Split a report into its statements, in order, without the marks that part them.

    Full stops and semicolons part statements, not those inside numbers; a comma does only between two
    stretches of three words and more that do not lean on each other, never within a list of leads.
    """
    found: list[str] = []
    for stretch in re.split(r"(?:\.(?=\s|$)|\.(?=[^\W\d_]{3})|;)", text):
        parts = re.split(r",\s+", stretch.strip())
        statement = parts[0]
        for part in parts[1:]:
            if _stands_alone(statement) and _stands_alone(part):
                found.append(statement)
                statement = part
            else:
                statement += f", {part}"
        found.append(statement)
    return [statement.strip(" .,") for statement in found if re.search(r"[^\W\d_]{2}", statement)]


_LEANING = re.compile(
    r"(?:[iv]+\d?|av[lfr]|v\d.*|and|or|but|which|with|as|age|probably|possibly|consider|suggest\w*|likely|not|flat|"
    r"inverted|this|these|it|is|are|now|inferolateral|lateral|anterior|inferior|anterolateral|high)$"
)


def _stands_alone(part: str) -> bool:
    words = part.split()
    return len(words) >= 3 and not _LEANING.match(words[0])


def coverage(reports: Iterable[str]) -> float:
    """Return the share (0 to 1) of the words of the distinct cleaned reports that the glossary knows."""
    words = unknown = 0
    for text in {clean_report(report) for report in reports}:
        for piece in _lexicon().pieces(text):
            count = sum(token.kind == "word" for token in piece.tokens)
            words += count
            unknown += 0 if piece.known else count
    return 1 - unknown / words if words else 1.0


def unknown_words(reports: Iterable[str]) -> Counter[str]:
    """Count the words the glossary does not know, over the distinct cleaned reports."""
    counts: Counter[str] = Counter()
    for text in {clean_report(report) for report in reports}:
        counts.update(piece.tokens[0].text for piece in _lexicon().pieces(text) if not piece.known)
    return counts


def german_words() -> dict[str, str]:
    """Return the single words of the glossary and their other spellings, as stems, with their English."""
    lexicon = _lexicon()
    found = {stem[0]: english for stem, (_, english) in lexicon.stems.items() if len(stem) == 1}
    spelled = {_stem(bad): found.get(_stem(good)) for bad, good in lexicon.spelling.items()}
    return {bad: english for bad, english in spelled.items() if english} | found


def german_stem(word: str) -> str:
    """Return a German word in lower case without umlauts and inflection."""
    return _stem(_fold(word))


def _fold(word: str) -> str:
    return word.lower().translate(_FOLD)


@cache
def _stem(word: str) -> str:
    return _ENDING.sub("", word)


@cache
def _lexicon() -> _Lexicon:
    return load_glossary(content_dir("knowledge_base") / "glossary_de.yaml")


def load_glossary(path: Path) -> _Lexicon:
    """Read a glossary.

    Raises:
        KnowledgeError: it breaks the schema, or holds a key longer than three words.
    """
    glossary = validate(_Glossary, read_yaml(path, KnowledgeError), path, KnowledgeError)
    long = [key for key in (*glossary.terms, *glossary.boilerplate) if len(key.split()) > 3]
    if long:
        raise KnowledgeError(f"{path}: {long[0]!r} is longer than three words; split it into terms")
    return _Lexicon(glossary)
