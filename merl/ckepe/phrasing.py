"""Turns of phrase put into one form before words are read: compounds, comparisons, denials."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

from merl.knowledge.leads import mark_leads

_ORDINALS = {"first": "1", "1st": "1", "i": "1", "1": "1", "second": "2", "2nd": "2", "ii": "2", "2": "2"}
_ORDINALS |= {"third": "3", "3rd": "3", "iii": "3", "3": "3", "fourth": "4", "4th": "4", "iv": "4", "4": "4"}
_ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5", "vi": "6", "vii": "7", "viii": "8", "ix": "9"}
_ORDINAL = "|".join(sorted(_ORDINALS, key=len, reverse=True))

_TIE = r"(?:link|relation|relationship|connection|association|correlation|coupling|correspondence|bond|tie)s?"
_UP = r"(?:positive|upright|upward|upwards|up|plus)"
_DOWN = r"(?:negative|inverted|downward|downwards|down|minus)"
_THEN = (
    r"(?:\s+(?:part|phase|deflection|half|component))?[\s,]+(?:and\s+|but\s+)?"
    r"(?:then|afterwards|later|followed by)\s+(?:an?\s+)?"
)
_NUMBER = r"(?=[-+]?\d|(?:one|two|three|four|five|six|seven|eight|nine|ten|\w+teen|\w+ty)\b)"

_NONE, _NEAR = r"(?:none|no|not|never|neither)(?: one| any)?", r"(?:(?!\b(?:and|but|yet)\b)[^,;.]){0,40}?"
_MORE = r"(?:more|greater|longer|wider|broader|faster|higher|larger|bigger|taller|deeper|later|older)"
_LESS = r"(?:less|shorter|narrower|slower|lower|smaller|fewer|shallower|earlier|younger)"
_LIMIT = r"(?:the |its )?(?:\w+ )?limit"
_OVER = r"(?:\bmore than\s+|\babove\s+|\bover\s+)?"
_WAVE = r"(?:[\s-]waves?)?"
_GROWN = {"depth": "deep", "height": "tall", "width": "wide", "length": "long", "duration": "long"}
_SHRUNK = {"depth": "shallow", "height": "low", "width": "narrow", "length": "short", "duration": "short"}


def _grown(match: re.Match[str]) -> str:
    return _GROWN[match[1]]


def _shrunk(match: re.Match[str]) -> str:
    return _SHRUNK[match[1]]


def _rated(match: re.Match[str]) -> str:
    return f"{match[1]} than the {'atrial' if match[2] == 'atria' else 'ventricular'} rate"


_LESSER = {"wide": "narrower", "broad": "narrower", "long": "shorter", "deep": "shallower", "fast": "slower"}


def _lesser(match: re.Match[str]) -> str:
    return _LESSER.get(match[1], "smaller")


_SHAPE = r"(?:complex|pattern|config|shape|morpholog|type|form|deflection)"
_PHASE = r"(?:part|phase|component|portion|deflection|half|limb|section|lobe)"
_PLUS = r"(?:and|plus|as well as|followed by)(?: then)?(?: an?)?"
_LINE = r"(?:the )?base ?line\b"
_TO_LINE = r"\b([tu])\b((?:(?!above|below|beneath)[^,;]){0,30}?)"
_LITTLE = r"(?:flat|poor|slow|slower|stunted|reduced|insufficient|weak|little|no)"
_FASTER, _SLOWER = r"(?:speed|quicken|accelerat)\w*(?: up)?", r"(?:slow|decelerat)\w*(?: down)?"
_PLACE = r"(?:before|behind|after|at the|in front|on top|ahead|next|from|when|where|away|through|until|up to)"
_VERB = r"(?:exceed|overtake|surpass|outgrow|conduct|resolve|disappear|change|vary|appear|dominate|grow)"

#: Tried in this order on a text as it is written: plurals ("Ps", "QRSs") and sums ("SV1 + RV5").
_WRITTEN = [
    (rf"\b(QRS|PR|PQ|ST|QT|RR|PP|[PQRSTUJ])(?:s|es|'s)\b(?!\s+{_SHAPE})", r"\1 waves"),
    (r"\b([PQRST])(?:-| in )?(V[1-9]|aV[RLF]|I{1,3})\b", r"\1 in \2"),
    (r"\b([PQRST])[-–]([PQRST])\b", r"\1\2"),
]

#: Tried in this order on a lower-case text.
_TURNS: list[tuple[str, str | Callable[[re.Match[str]], str]]] = [
    (r"\b(?:12|twelve)[-\s]leads?\b", ""),
    (
        r"\b1\s?:\s?1\b(?: (?:av|atrioventricular))?(?: (?:conduction|relation\w*|ratio|association|link))?",
        "one p wave for each qrs",
    ),
    (r"\b(?:pr|tp) (?=base ?line\b)|\bisoelectric (?=base ?line by\b)", ""),
    (rf"\b{_MORE} than (?={_LINE})", "above "),
    (rf"\b{_LESS} than (?={_LINE})", "below "),
    (r"\bright up to\b", "to"),
    (r"\balternat(?:es?|ing) beat (?:by|to|for|after) beat\b", "alternating from beat to beat"),
    (r"\bthe (?:arrhythmia|dysrhythmia|rhythm disorder|rhythm disturbance)\b(?! of)", "the rhythm"),
    (r"\bthe two (?=(?:[pr] |wave )?(?:peaks|humps|summits|halves|parts|phases|neighbou?rs)\b)", "the "),
    (
        r"\br(?: waves?)? (?:grow|progress)\w* (?:poorly|slowly|badly|little|too little)\b",
        "poor r progression",
    ),
    (r"\bone ([a-z]+ (?:before|after|in|for)\b[^,;]*? and) (?:one|another)\b", r"a \1 a"),
    (r"\bconduction ratio\b", "ratio"),
    (r"\b(up|upright|positive|down|negative|inverted)-then-", r"\1 then "),
    (
        r"\b(than|over|above|under|least|exceeding|beyond|to) (?:a|one|a full|a whole) second\b",
        r"\1 1 second",
    ),
    (r"\b(?:all )?(?:the )?(?:three )?(?:standard|bipolar) (?:limb )?leads\b", "leads i, ii and iii"),
    (r"\b(?:all )?(?:the )?(?:three )?augmented (?:limb )?leads\b", "leads avr, avl and avf"),
    (r"\bwhere (?:they|it) (?:are|is) (?:usually |normally )?\w+ in (?:healthy|normal) \w+", ""),
    (r"\b(st-t|st|wave|t|repolari[sz]ation|isch[ae]+mic) changes\b", r"\1 abnormality"),
    (rf"\b{_MORE} than (?=(?:the |its )?(?:\w+ )?limit)", "above "),
    (rf"\b{_LESS} than (?=(?:the |its )?(?:\w+ )?limit)", "below "),
    (r"\b(?:i\.\s?e|e\.\s?g)\.?(?=[\s,])", ", "),
    (rf"\b{_LITTLE} ((?:r )?(?:wave )?)growth\b", r"poor \1progression"),
    (rf"{_TO_LINE} (?:above|over) {_LINE}", r"\1\2 upright"),
    (rf"{_TO_LINE} (?:below|under|beneath|underneath) {_LINE}", r"\1\2 inverted"),
    (r"\bflat (?:base ?line|line)\b", "isoelectric baseline"),
    (r"\b(?:some )?but not all\b", "some"),
    (r"\bmm\s?[·*×]\s?s(?:ec(?:onds?)?)?\b", "mm"),
    (r"\bas (?:early|late) as\b", "in"),
    (r"\b(?:without|no|lacking|devoid of)(?: any| all)? regularity\b", "irregular"),
    (r"\bnot (?:limited|confined|restricted) to\b", "beyond"),
    (r"\bfollow(?:ing)? (?:each other|one another) (?:rapidly|quickly|fast|swiftly)\b", "at a fast rate"),
    (r"\b(?:a|one|the) (?:single|sole|lone) lead\b|\b(?:only one|one) lead(?: only| alone)?\b", "1 lead"),
    (r"\b(left|right) and (?:an?|the) (?=(?:left|right)\b)", r"\1 and "),
    (
        r"\b(?:hardly|scarcely|barely|almost no|next to no)(?: any)? (?=gap|space|interval|distance|delay)",
        "short ",
    ),
    (
        r"\bst (?:segment )?(?:falling|falls|dropping|drops|descending) (?:fast|rapidly|quickly|steeply)\b",
        "steep downsloping st",
    ),
    (r"\bhalfway between\b", "the midpoint between"),
    (r"\bto the right of (?=[-+]?\d)", "above "),
    (r"\bto the left of (?=[-+]?\d)", "below "),
    (r"\b(?:after|past) (?:the )?(?=\d+\s*(?:ms|milliseconds?|s|seconds?)\b)", "above "),
    (r"\bhalf as (?:fast|quick|rapid)(?:ly)? as\b", "at a rate half of"),
    (r"\b(bundle branch) (?:criteria|pattern|shape|morphology|type|configuration)\b", r"\1 block"),
    (r"\bneither (bundle branch block)\b", r"neither right nor left \1"),
    (
        r"\b(first|second|initial|terminal|final|last|latter|early|late|opening|closing) half\b",
        r"\1 part",
    ),
    (rf"\b(?:no|not|never) {_LESS} than (?!{_NUMBER}|{_LIMIT})", "at least as large as "),
    (rf"\b(?:no|not|never) {_MORE} than (?!{_NUMBER}|{_LIMIT})", "smaller than "),
    (rf"\bequal to or (?:{_MORE} than|above|over) (?!{_NUMBER})", "at least as large as "),
    (
        r"\b(?:do(?:es)?|did|is|are) not (?:look (?:like|the same as)|resemble|match)\b"
        r"|\b(?:not|never) (?:looking like|resembling|matching)\b",
        "different from",
    ),
    (r"\bthe atria (?=go|run|beat|rac|at\b)", "p waves "),
    (r"\bthe ventricles (?=go|run|beat|rac|at\b)", "qrs "),
    (rf"\b({_MORE}|{_LESS}) than the (?:slow |fast )?(atria|ventricles)\b", _rated),
    (r"\bno two ([^,;]{0,30}?)\s(?:are |being |look )?(?:alike|the same|equal|identical)\b", r"\1 variable"),
    (r"\b(?:hardly|scarcely|barely|almost no|next to no)(?: any)? (?=st\b|[pqrstu]\b|qrs\b)", "no "),
    (r"\ba (?:little|bit|touch|trifle|shade)(?: bit)? (?=more\b|less\b|\w+er\b)", ""),
    (r"\bup (?=(?:in)?to (?:the|a|its|[pqrstuv]\w?)\b)", ""),
    (rf"\b(?:{_FASTER} (?:and|then|or) {_SLOWER}|{_SLOWER} (?:and|then|or) {_FASTER})\b", "variable"),
    (rf"\bright (?={_PLACE})", ""),
    (rf"\b(?:do(?:es)?|did|is|are) not ({_VERB})\b([^,;]*?) (?:until|till|before) ", r"first \1\2 in "),
    (rf"\bnot ({_VERB})(?:ing|ed|d)\b([^,;]*?) (?:until|till) ", r"first \1\2 in "),
    (
        r"\blook(?:s|ing|ed)? (?:just|exactly|much|very much|a lot|quite|rather|the same as)? ?like\b"
        r"|\blook(?:s|ing|ed)? the same as\b",
        "look like",
    ),
    (r"\b(?:one|a single|the same|a uniform|a common) ((?:\w+ ){0,3}shape)\b", r"constant \1"),
    (
        r"\b(?:overshadow|dwarf|overtop|overreach|eclips|overtak|surpass)(?:e?s|ing|e)?\b"
        r"|\btower(?:s|ing)? (?:over|above)\b",
        "more than",
    ),
    (rf"\b{_UP}(?: {_PHASE})? {_PLUS} {_DOWN} {_PHASE}\b", "biphasic"),
    (rf"\b{_DOWN}(?: {_PHASE})? {_PLUS} {_UP} {_PHASE}\b", "biphasic"),
    (r"\bnon[-\s]+(?=[a-z])", "non"),
    (r"\b(counter|anti|saw|up|down|re|pre)-(?=[a-z])", r"\1"),
    (r"\b([a-z]+)-free\b", r" \1_free "),
    (r"\bn't\b|n't\b", " not"),
    (r"\br'(?= (?:\w+ )?(?:than|over|above)\b)", "second r"),  # R' is the second R wave
    (r"\b(?:one and )?the (?:very )?same (?=trac|strip|record|lead|beat|time|patient|place)", "the "),
    (r"\b(?:of )?(?:great|large|considerable|increased) (depth|height|width|length|duration)\b", _grown),
    (r"\b(?:of )?(?:little|small|reduced) (depth|height|width|length|duration)\b", _shrunk),
    (
        r"\b(?:nobody|no one) (?:can|could|would) (?:\w+ )??(?:recogni[sz]e|identify|read|discern)\b",
        "unrecognizable",
    ),
    (
        rf"\b(?:from|between) (?:the |each |every )?p{_WAVE} (?:to|and|until) (?:the |its |each |every )?"
        r"(?:start of the |onset of the )?qrs(?: complex)?\b",
        "of the pr",
    ),
    (r"\b(?:less|not as|not so) (wide|broad|long|tall|high|large|deep|fast)\b(?! as\b)", _lesser),
    (r"(\d|\btwice|\btimes)(?: times)? as (?:long|wide|tall|high|large|deep|much|many) as\b", r"\1 times"),
    (r"\b([pqrstu]|qrs)[\s-]waves? loss\b", r"loss of \1 wave"),
    (r"\b(?:lost|loses?|losing|loss of)(?: in| their| its| the)* (?:height|amplitude|voltage)\b", "shrink"),
    (r"\blost in (?=the\b|qrs|[tp]\b)", "hidden in "),
    (r"\bimpossible to (?:say|tell|decide|determine)\b", "indeterminate"),
    (
        r"\bcan(?:not| not)(?: be)? (?:told|tell|decided?|determined?|established?|assigned|classif\w+)\b",
        "indeterminate",
    ),
    (r"\b(?:nothing|nowhere|none) (?:but|except|other than)\b", "only"),
    (
        r"(\d\s*(?:mm|mv|ms|s|sec|millimet(?:er|re)s?|milliseconds?|seconds?))\s+(?:high|tall|deep|wide|long|broad)\b",
        r"\1",
    ),
    (r"\br\s?/\s?s transition\b", "transition"),
    (r"\bw/o\b", "without"),
    (r"\bw/", "with "),
    (r"↑", " increased "),
    (r"↓", " decreased "),
    (r"\b(?:only )?after (?=(?:more than|over|at least)\b)", ""),
    # a denial that stands far from its number, or from what it denies
    (
        rf"\b{_NONE}\b({_NEAR})\b(?:reach|attain|exceed|surpass)(?:e?s|ing)?\b({_NEAR}){_OVER}{_NUMBER}",
        r"\1 \2 at most ",
    ),
    (rf"\b{_NONE}\b({_NEAR})\b(?<!\bfor )(?:{_MORE} than|above|over|beyond)\s+{_NUMBER}", r"\1 at most "),
    (rf"\b{_NONE}\b({_NEAR})\b(?:{_LESS} than|below|under)\s+{_NUMBER}", r"\1 at least "),
    (rf"\bnot yet {_NUMBER}", "below "),
    (
        rf"\b(?:no|without|lacking)\s+(?:\w+\s+){{0,2}}?{_TIE}\b(?:\s+(?:to|with|between|of)\b)?",
        " independent ",
    ),
    # two waves or phases
    (rf"\b(?:first(?:ly)?\s+)?{_UP}{_THEN}{_DOWN}\b", " biphasic "),
    (rf"\b(?:first(?:ly)?\s+)?{_DOWN}{_THEN}{_UP}\b", " biphasic "),
    (r"\bout(?:number|grow|weigh|last|run|pace|strip|size|rank)(?:s|ed|ing|n)?\b", "more than"),
    (r"\bfollow(?:s|ing)? the direction of\b", "concordant with"),
    (r"\bfurther (?:left|right|to the left|to the right) than\b", "beyond"),
    (r"\bthe same as (?:usual|normal)\b", "usual"),
    (r"\bmost (?:marked|pronounced|prominent)\b", "greatest"),
    (r"\bmost (?:obvious|evident|visible|clear|apparent|noticeable|distinct|conspicuous)(?:ly)?\b", "best"),
    (
        r"(?<!at )(?<!at the )\bmost "
        r"(?!of\b|(?:\w+ ){0,2}(?:leads?|beats?|complexes|waves?|intervals?|cases|p|qrs|rr)\b)",
        "",
    ),
]


@lru_cache(maxsize=65536)
def mark(text: str) -> str:
    """Return a phrase in lower case, its turns of phrase in one form and its leads marked."""
    text = unicodedata.normalize("NFKC", text.replace("’", "'").replace("′", "'"))
    for pattern, spelled in _WRITTEN:
        text = re.sub(pattern, spelled, text)
    text = text.lower()
    for pattern, form in _TURNS:
        text = re.sub(pattern, form, text)
    text = re.sub(rf"\b({_ORDINAL})(?:[-\s]+degree\b|\s*°)", lambda m: f"degree_{_ORDINALS[m[1]]} ", text)
    named = r"\b(type|mobitz|grade|class|stage|variant)[\s-]+(viii|vii|vi|iv|ix|v|i{1,3}|\d+)\b"
    return mark_leads(re.sub(named, lambda m: f"{_kind(m[1])}_{_ROMAN.get(m[2], m[2])} ", text))


def _kind(word: str) -> str:
    if word in {"type", "mobitz", "variant"}:
        return "mobitz type" if word == "mobitz" else "type"
    return "degree" if word == "grade" else word


def join_comparisons(text: str) -> str:
    """Put what is left of comparisons, the numbers being gone, into one word: than."""
    text = re.sub(r"\b(?:above|exceeds?|exceeding|over) (?:that|those) (?:of|in)\b", "than", text)
    text = re.sub(r"\b(?:above|over) (?:the )?(?=[pqrstu]\b|qrs\b)", "than ", text)
    text = re.sub(r"\b(?:below|under|short of) (?:that|those) (?:of|in)\b", "less than", text)
    return re.sub(r"\b(?:exceeding|exceeds?|surpass(?:es|ing)?)\b", "than", text)
