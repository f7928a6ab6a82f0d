"""Numbers in a phrase: value, unit, which way they are compared and what they measure."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

Comparison = Literal["at least", "at most", "equal", "from", "up to"]

_NUMBER = r"(?:(?<![\w.)])[-+−])?(?<![\w.])\d+(?:\.\d+)?"
_UNITS = {
    r"milliseconds?|msecs?|ms": ("ms", 1.0),
    r"seconds?|secs?|s": ("ms", 1000.0),
    r"microvolts?|[µμu]v": ("mV", 0.001),
    r"millivolts?|mv": ("mV", 1.0),
    r"millimet(?:er|re)s?|mm": ("mV", 0.1),  # at the standard gain, 10 mm is 1 mV
    r"beats\s*(?:per|a|/)\s*min(?:ute)?|bpm|(?:/|per|a)\s*min(?:ute)?": ("per minute", 1.0),
    r"degrees?|°": ("degrees", 1.0),
    r"percent|%": ("percent", 1.0),
}
_UNIT = "|".join(_UNITS)
_MORE = r"at least|no(?:t)? less than|more than|greater than|longer than|wider than|faster than|higher than"
_LESS = r"at most|no(?:t)? more than|less than|shorter than|narrower than|slower than|lower than|up to"
_BEFORE = {
    rf"{_MORE}|above|over|exceeds|exceeding|≥|>=|>": "at least",
    rf"{_LESS}|below|under|within|≤|<=|<": "at most",
}
_AFTER = {
    r"or\s+(?:more|greater|longer|above|higher|wider|over|faster|taller|deeper)": "at least",
    r"or\s+(?:less|below|shorter|lower|narrower|slower|fewer|smaller)": "at most",
}
_PATTERN = re.compile(
    rf"(?P<before>{'|'.join(_BEFORE)})?\s*(?P<low>{_NUMBER})"
    rf"(?:\s*(?:{_UNIT})?\s*(?:-|–|to(?=\s)|and(?=\s+[-+−]?\d))\s*(?P<high>[-+−]?\d+(?:\.\d+)?))?"
    rf"(?:[\s-]*(?P<unit>{_UNIT})(?!\w))?(?=(?:\s+[a-z]+)?\s*(?P<after>{'|'.join(_AFTER)}))?(?!\w)"
)
_WORDS = {
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
    "seven": "7",
    "eight": "8",
    "ten": "10",
}
_SUBJECT = re.compile(r"\b(pr|pq|qrs|qtc|qt|rr|st|[pqrstuj](?=\s(?:wave|point|peak))|axis|rate)\b")


@dataclass(frozen=True)
class Quantity:
    """A number as it was meant.

    Attributes:
        value: in ``unit``: times in ms, voltages in mV (1 mm is 0.1 mV), rates per minute, axes in degrees.
        unit: None for a count or ratio.
        comparison: a range is two quantities, ``from`` its lower and ``up to`` its upper end.
        subject: what is measured (``pr``, ``qrs``, ``rate``), None where the text leaves it open.
        text: how it was written.
    """

    value: float
    unit: str | None
    comparison: Comparison
    subject: str | None
    text: str

    def agrees(self, other: Quantity) -> bool:
        """Tell whether both say the same; the difference of "above 120" and "120 or more" is let pass."""
        return (
            self.unit == other.unit
            and self.comparison == other.comparison
            and math.isclose(self.value, other.value, rel_tol=1e-6)
            and (self.subject is None or other.subject is None or self.subject == other.subject)
        )


def take_quantities(text: str) -> tuple[tuple[Quantity, ...], str]:
    """Cut every quantity out of a text from which lead names are already gone.

    Returns:
        The quantities in order, and the lower-case text without them.

    >>> [(q.value, q.unit, q.comparison) for q in take_quantities("a PR interval above 0.2 s")[0]]
    [(200.0, 'ms', 'at least')]
    """
    text = re.sub(r"\b(" + "|".join(_WORDS) + r")\b", lambda m: _WORDS[m[0]], text.lower()).replace("−", "-")
    found: list[Quantity] = []
    for match in _PATTERN.finditer(text):
        unit, factor = _unit(match["unit"])
        end = match.end("after") if match["after"] else match.end()
        written = " ".join(text[match.start() : end].split())
        subject = _subject(text, match.start("low"), match.end(), unit)
        ends: list[tuple[str, Comparison]] = [(match["low"], _comparison(match))]
        if match["high"]:
            ends = [(match["low"], "from"), (match["high"], "up to")]
        found += [Quantity(float(end) * factor, unit, how, subject, written) for end, how in ends]
    return tuple(found), _PATTERN.sub(" ", text)


def _unit(written: str | None) -> tuple[str | None, float]:
    for pattern, unit in _UNITS.items():
        if written and re.fullmatch(pattern, written):
            return unit
    return None, 1.0


def _comparison(match: re.Match[str]) -> Comparison:
    for group, table in (("before", _BEFORE), ("after", _AFTER)):
        for pattern, meaning in table.items():
            if match[group] and re.fullmatch(pattern, match[group]):
                return "at least" if meaning == "at least" else "at most"
    return "equal"


def _subject(text: str, start: int, end: int, unit: str | None) -> str | None:
    if unit in {"per minute", "degrees"}:
        return "rate" if unit == "per minute" else "axis"
    before = _SUBJECT.findall(text[:start])
    after = _SUBJECT.search(text[end:])
    subject = before[-1] if before else after[1] if after else None
    return "pr" if subject == "pq" else subject
