"""Lead names in a clinical phrase: found, told from numerals, and marked where they stand."""

from __future__ import annotations

import re

from merl.records import STANDARD_LEADS

#: Also those beyond the standard twelve: the posterior and the right precordial leads.
ALL_LEADS = (*STANDARD_LEADS, "V7", "V8", "V9", "V3R", "V4R", "V5R", "V6R")
_SPELLING = {lead.lower(): lead for lead in ALL_LEADS}
_CHEST = [f"v{number}" for number in range(1, 10)]
# one private character a lead: no word, number or separator is mistaken for it
_MARKS = {lead: chr(0xE000 + place) for place, lead in enumerate(ALL_LEADS)}
_LEADS = {mark: lead for lead, mark in _MARKS.items()}

MARK = f"[{''.join(_LEADS)}]"

_LEAD = r"(?:av[rlf]|v[3-6]r|v[1-9]|iii|ii|i)"
_JOIN = r"(?:\s*(?:,|and|or|,\s*and|,\s*or|/|-|\+|&|plus|to)\s*)"
_SPAN = re.compile(r"\b(v[1-9])\s*(?:-|–|(?:up )?to|through|thru|until|till)\s*v?([1-9])\b(?!\.?\d)")
#: "V5/6", "V2, 3 and 4"; a number with a unit is none of them.
_MORE = re.compile(
    r"\b(v[1-9])((?:\s*(?:/|,|&|\+|,?\s*and)\s*[1-9]\b(?![\d.:-]|\s*(?:mm|mv|ms|s|to|or|deg|per|%|°|of)\b))+)"
)
_NUMERAL = re.compile(
    r"\b(?:type|mobitz|grade|class|block|degree|stage|variant|phase)\s+i{1,3}\b|\bi{1,3}(?=\.?\s*(?:°|degree|av\b))"
)
_LISTED = re.compile(
    rf"\bleads?\s+{_LEAD}(?:{_JOIN}{_LEAD})*\b|\b{_LEAD}(?:{_JOIN}{_LEAD})+\b|\b(?:av[rlf]|v[3-6]r|v[1-9])\b"
    r"|(?:(?<=\bin )|(?<=\bthan )|(?<=\bof )|(?<=\bfrom )|(?<=\bon )|(?<=[(]))i\b|\bi(?=\s*[:)])|\bi{2,3}\b"
)


def mark_leads(text: str) -> str:
    """Put a mark in the place of every lead name of a lower-case text.

    II and III are leads but for numerals of types or degrees; I counts only by a lead word, another lead,
    a bracket or a word of place, "in" or "than".
    """

    def span(match: re.Match[str]) -> str:
        first, last = _CHEST.index(match[1]), _CHEST.index("v" + match[2])
        return _marks(_CHEST[first : last + 1])

    text = re.sub(r"\bv[\s-](?=[1-9]\b)", "v", text)
    text = _MORE.sub(lambda match: match[1] + re.sub(r"\b(?=[1-9])", "v", match[2]), text)
    text = _NUMERAL.sub(lambda match: match[0].replace("i", "¡"), _SPAN.sub(span, text))
    text = _LISTED.sub(lambda match: _marks(re.findall(rf"\b{_LEAD}\b", match[0])), text)
    return text.replace("¡", "i")


def marked_leads(text: str) -> frozenset[str]:
    """Return the leads marked in a text, in standard spelling."""
    return frozenset(_LEADS[mark] for mark in re.findall(MARK, text))


def without_leads(text: str) -> str:
    """Return a marked text without its marks."""
    return re.sub(MARK, "", text)


def _marks(names: list[str]) -> str:
    return f" {''.join(_MARKS[_SPELLING[name]] for name in names)} "
