"""Numbers in a phrase: value, unit, which way they are compared and what they measure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from merl.knowledge.numerals import spell_out

Comparison = Literal["at least", "at most", "equal", "from", "up to", "outside from", "outside up to"]

_NUMBER = r"(?:(?<![\w.)])[-+−])?(?<![\w.])\d+(?:\.\d+)?"
_MM, _PER = r"(?:mm|millimet(?:er|re)s?)", r"(?:(?:per|an?|each|every|in an?|in one)\s+|/\s*)"
_BEATS = r"(?:(?:ventricular|atrial|sinus|heart|qrs)\s+)?(?:beats|cycles|complexes|waves|times)"
_UNITS = {
    r"milliseconds?|msecs?|ms": ("ms", 1.0),
    r"seconds?|secs?|s": ("ms", 1000.0),
    r"microvolts?|[µμu]v": ("mV", 0.001),
    r"millivolts?|mv": ("mV", 1.0),
    rf"{_MM}\s*(?:/\s*s(?:ec)?|per second)": ("mm per s", 1.0),
    rf"{_MM}\s*(?:/|per)\s*(?:mv|millivolt)": ("mm per mV", 1.0),
    _MM: ("mV", 0.1),  # at the standard gain, 10 mm is 1 mV
    r"centimet(?:er|re)s?|cm": ("mV", 1.0),
    rf"(?:{_BEATS}\s*)?{_PER}min(?:ute)?|bpm|min-1": ("per minute", 1.0),
    rf"hz|hertz|{_PER}s(?:ec(?:ond)?)?": ("per minute", 60.0),
    rf"{_PER}h(?:our)?": ("per hour", 1.0),
    r"degrees?|deg|°": ("degrees", 1.0),
    r"percent|per cent|%": ("percent", 1.0),
    r"(?:small|little) (?:squares?|box(?:es)?)": ("ms", 40.0),  # at 25 mm/s
    r"(?:large|big) (?:squares?|box(?:es)?)": ("ms", 200.0),
    r"minutes?|min": ("minutes", 1.0),
    r"hours?": ("hours", 1.0),
    r"days?": ("days", 1.0),
    r"weeks?": ("weeks", 1.0),
    r"months?": ("months", 1.0),
    r"years?": ("years", 1.0),
    r"points?": ("points", 1.0),
    r":\s*1": ("to one", 1.0),  # two P waves for one QRS complex
}
_UNIT = "|".join(_UNITS)
_MORE = r"(?:more|greater|longer|wider|broader|faster|higher|larger|bigger|taller|deeper|later|older)"
_LESS = r"(?:less|shorter|narrower|slower|lower|smaller|fewer|shallower|earlier|younger|sooner)"
_NO = r"(?:no|not|never|nor|neither)(?: ever| be| is| being)?"
_AGE = r"(?: (?:the )?age)(?: of)?"
#: Tried in this order: a denied comparison is the opposite one.
_BEFORE = {
    rf"(?:after|past|beyond|above|over|older than|from){_AGE}": "at least",
    rf"(?:before|below|under|until|up to|younger than){_AGE}": "at most",
    rf"{_NO} (?:{_LESS}(?: than)?|below|under|beneath|before)|do(?:es)? not fall below": "at least",
    rf"{_NO} (?:{_MORE}(?: than)?|above|over|beyond|exceeding|past|after)"
    r"|(?:does|do|must|may|should|can) not exceed|never exceeds?|without exceeding": "at most",
    r"(?:more|greater|longer|higher) than or equal to|equal to or (?:more|greater|longer|above)(?: than)?": (
        "at least"
    ),
    r"(?:less|shorter|lower|smaller) than or equal to|equal to or (?:less|below)(?: than)?": "at most",
    r"at least|at a minimum of|(?:an? |the )?minimum of|as much as": "at least",
    rf"{_MORE} than|above|over|exceed(?:s|ed|ing)?|in excess of|upwards? of|beyond|past|greater|"
    r"surpass(?:es|ing)?|topping|≥|>=|>|(?:reach|amount)(?:es|s|ing|ed)?(?: to)?(?: at least)?": "at least",
    r"at (?:the )?most|(?:an? |the )?maximum of|up to|as little as|within|limited to|not quite"
    r"|(?:just )?short of": "at most",
    rf"{_LESS} than|below|under|beneath|before|≤|<=|<": "at most",
}
_AFTER = {
    r"(?:or|and)\s+(?:more|greater|longer|above|higher|wider|broader|over|faster|taller|deeper|larger|beyond"
    r"|later|older|upwards?|up)|upwards?|at least|at (?:a|the) minimum|\+": "at least",
    r"(?:or|and)\s+(?:even |still )?(?:less|below|shorter|lower|narrower|slower|fewer|smaller|under|earlier"
    r"|younger|shallower|down)|at (?:the )?most|at (?:a|the) maximum": "at most",
}
_ABOUT = (
    r"(?:about|around|near|nearly|approximately|roughly|circa|exactly|precisely|close to|some|only|just|~)"
)
_OUTSIDE = (
    r"(?:(?:outside|beyond|out of|not within|not in|not between|not lying between|not (?:lying )?in)(?: of)?"
    r"(?: (?:the|a|its))?(?: normal| usual)?(?: (?:limits?|range|interval|bounds|span|window|sector|band))"
    r"(?: of| from| between)?|outside|not (?:lying |falling )?between|neither between)"
)
_PATTERN = re.compile(
    rf"(?:(?P<outside>{_OUTSIDE})\s+(?:of\s+|from\s+|between\s+)?)?(?P<before>{'|'.join(_BEFORE)})?\s*"
    rf"(?:{_ABOUT}\s+)?(?P<low>{_NUMBER})"
    rf"(?:\s*(?P<low_unit>{_UNIT})?\s*(?P<join>-|–|(?:up )?to(?=\s)|through|until|and(?=\s+[-+−]?\d))\s*"
    rf"(?P<high>[-+−]?\d+(?:\.\d+)?))?(?:[\s-]*(?P<unit>{_UNIT})(?!\w))?"
    rf"(?=(?:\s+[a-z]+)?\s*(?P<after>{'|'.join(_AFTER)})(?!\w)(?!\s+(?:than|[-+]?\d)))?(?!\w)"
)
_SUBJECT = re.compile(r"\b(pr|pq|qrs|qtc|qt|rr|pp|st|[pqrstuj](?=\s(?:wave|point|peak))|axis|rate)\b")
_WAVE = re.compile(r"(?<!\d )\b(pr|pq|qrs|qtc|qt|rr|rp|pp|st|[pqrstuj]|axis|rate)\b(?!')")
_BREAK = re.compile(r"[,;:.](?:\s|$)|\b(?:with|but|while|whereas)\b")


_SIZED = re.compile(r"\bin (?:height|amplitude|width|length)\b")
_SOME = r"\s*(?:(?:in|for|of)\s+(?:an?\s+)?\S+)?\s*(?:,|and|or|, and|, or)\s*(?:(?:in|for|of)\s+\S+\s*)?"
#: What makes the two ends of a range of "60 and 100".
_BETWEEN = re.compile(r"\b(?:between|range|limits?|from|within|in)\b[^,;]{0,12}$")


@dataclass(frozen=True)
class Quantity:
    """A number as it was meant.

    Attributes:
        value: in ``unit``: times in ms, voltages in mV (1 mm is 0.1 mV), rates per minute, axes in degrees.
        unit: None for a count or ratio.
        comparison: a range is two quantities, ``from`` its lower and ``up to`` its upper end; both begin with
            ``outside`` where what lies within is excluded.
        subject: what is measured (``pr``, ``qrs``, ``rate``), None where the text leaves it open.
        text: how it was written.
        about: every wave or interval of its clause that it may be said of.
        start: where it stands in the text it was cut from, of which ``spell_out`` made figures.
    """

    value: float
    unit: str | None
    comparison: Comparison
    subject: str | None
    text: str
    about: frozenset[str] = frozenset()
    start: int = 0

    def agrees(self, other: Quantity) -> bool:
        """Tell whether both say the same of the same; "above 120" and "120 or more" are let pass as one.

        "Two leads" may stand for "two or more", and a ratio may be a percentage.
        """
        (value, unit), (theirs, other_unit) = _plain(self), _plain(other)
        how = {self.comparison, other.comparison}
        counts = unit is None and value > 1 and how == {"equal", "at least"}
        turned = unit == "degrees" and how == {"from", "up to"}  # an axis may be read either way round
        mirrored = (
            unit == "mV" and how == {"at least", "at most"} and value * theirs < 0
        )  # "deeper than 0.1 mV"
        return (
            unit == other_unit
            and (len(how) == 1 or counts or turned or mirrored)
            and math.isclose(-value if mirrored else value, theirs, rel_tol=1e-6)
            and (not self.about or not other.about or bool(self.about & other.about))
        )


def take_quantities(text: str, gap: str = " ") -> tuple[tuple[Quantity, ...], str]:
    """Cut every quantity out of a text from which lead names are already gone.

    Args:
        text: the text.
        gap: what is left in the place of each.

    Returns:
        The quantities in order, and the lower-case text without them.

    >>> [(q.value, q.unit, q.comparison) for q in take_quantities("a PR interval above 0.2 s")[0]]
    [(200.0, 'ms', 'at least')]
    """
    text = spell_out(text.lower().replace("−", "-"))
    found: list[Quantity] = []
    rest, done = "", 0
    while match := _PATTERN.search(text, done):
        match = _apart(text, match)
        end = match.end("after") if match["after"] else match.end()
        found += _read(text, match, end, found[-1:], text[done : match.start()])
        rest += text[done : match.start()] + gap
        done = match.end()
        if match["after"]:
            rest, done = rest + text[match.end() : match.start("after")], end
    return tuple(found), rest + text[done:]


def _apart(text: str, match: re.Match[str]) -> re.Match[str]:
    """Take only the first of two numbers that are of different things: "40 ms and 0.1 mV"."""
    other = _unit(match["low_unit"], "")[0] != _unit(match["unit"], "")[0]
    ends = match["join"] != "and" or match["outside"] or _BETWEEN.search(text[: match.start()])
    if match["low_unit"] and (other or not ends):
        return _PATTERN.search(text, match.start(), match.end("low_unit")) or match
    return match


def _read(
    text: str, match: re.Match[str], end: int, last: list[Quantity], between: str
) -> Iterator[Quantity]:
    """Read a match as one quantity, or as the two ends of a range."""
    aged = re.search(r"age(?: of)?$", match["before"] or "")
    unit, factor = _unit(match["unit"], text[: match.start()] + (aged[0] if aged else ""))
    how = _comparison(match)
    again = any(unit == other.unit for other in last) or _SIZED.search(between)
    if how == "equal" and unit and last and again and _goes_on(between):
        how = last[0].comparison  # "below 450 ms in men, 460 ms in women"
    ends: list[tuple[str, Comparison]] = [(match["low"], how)]
    if match["high"] and match["outside"]:
        ends = [(match["low"], "outside from"), (match["high"], "outside up to")]
    elif match["high"]:
        ends = [(match["low"], "from"), (match["high"], "up to")]
    for number, comparison in ends:
        yield Quantity(
            float(number) * factor,
            unit,
            comparison,
            _subject(text, match.start("low"), match.end(), unit),
            " ".join(text[match.start() : end].split()),
            _about(text, match.start(), match.end(), unit),
            match.start(),
        )


def _goes_on(between: str) -> bool:
    """Whether what stands between two numbers only says of whom the first one holds."""
    return re.fullmatch(_SOME, between) is not None


def _plain(quantity: Quantity) -> tuple[float, str | None]:
    """Return value and unit, a percentage as the ratio it is."""
    return (quantity.value / 100, None) if quantity.unit == "percent" else (quantity.value, quantity.unit)


def _unit(written: str | None, before: str) -> tuple[str | None, float]:
    for pattern, unit in _UNITS.items():
        if written and re.fullmatch(pattern, written):
            return unit
    if not written and re.search(r"\brates?(?: of| at| is| near| from| was| between)?\s*$", before):
        return "per minute", 1.0
    if not written and re.search(r"\baxis(?: [a-z]+){0,3}\s*$", before):
        return "degrees", 1.0
    if not written and re.search(
        r"\b(?:age[ds]?|(?:wo)?m[ae]n|(?:male|female|patient|adult)s?|people|someone)"
        r"(?: of| aged| from)?\s*$",
        before,
    ):
        return "years", 1.0
    return None, 1.0


def _comparison(match: re.Match[str]) -> Comparison:
    for group, table in (("before", _BEFORE), ("after", _AFTER)):
        for pattern, meaning in table.items():
            if match[group] and re.fullmatch(pattern, match[group]):
                return "at least" if meaning == "at least" else "at most"
    return "at least" if match["outside"] else "equal"


def _subject(text: str, start: int, end: int, unit: str | None) -> str | None:
    if unit in {"per minute", "degrees"}:
        return "rate" if unit == "per minute" else "axis"
    before = _SUBJECT.findall(text[:start])
    after = _SUBJECT.search(text[end:])
    subject = before[-1] if before else after[1] if after else None
    return "pr" if subject == "pq" else subject


def _about(text: str, start: int, end: int, unit: str | None) -> frozenset[str]:
    """Return the waves named before a number in its clause, else those after it."""
    if unit in {"per minute", "degrees", "years", "to one"}:
        return frozenset()
    counted = (
        re.match(r"\s*(?:of the \w+\s+|\w+\s+)?(pp|rr|[pqrstu]|qrs)\b", text[end:]) if unit is None else None
    )
    if counted:
        return frozenset({counted[1]})
    *earlier, clause = _BREAK.split(text[:start])
    waves = _WAVE.findall(clause)
    if not waves and unit != "percent":  # what follows a percentage is what it is a part of
        after = _WAVE.findall(_BREAK.split(text[end:])[0])
        waves = [*after, *_WAVE.findall(earlier[-1])] if earlier and after else after
    return frozenset("pr" if wave == "pq" else wave for wave in waves)
