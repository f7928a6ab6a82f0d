"""What speaks against a claim, given the passages it rests on; each objection is one sentence."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from merl.ckepe.bindings import BOUND, LEAD_SETS
from merl.ckepe.claims import Claim
from merl.ckepe.clauses import WAVES, Token, is_wave, walls_of
from merl.ckepe.grounds import FACING, About, Ground, Words, implied_by
from merl.ckepe.vocabulary import default_vocabulary, stem
from merl.knowledge.leads import ALL_LEADS

#: What a limit says already: a QRS "widened to 0.12 s or more" is a QRS of 120 ms or more.
_UPWARD = frozenset({"prolonged", "high", "rapid", "deep", "grow"})
_SEQUENCE = ("p", "pr", "delta", "q", "r", "qrs", "s", "st", "t", "u")
_ORDINALS = frozenset(["second", "third", "fourth", "fifth", "sixth"])
_COUNTED = frozenset({"some", "most", "several", "intermittent", "half", "second", "third"})
#: Words of its own that a phrase may have.
MOST_STRAYS = 3
#: Groups of which a word may describe what the passages leave open; those of other groups tell something new.
_DESCRIBING = frozenset({"length", "size", "depth", "speed", "regularity", "constancy", "trend", "pace", "timing", "part", "extent"})
_DESCRIBING |= {"how many", "side of the limit", "chamber", "duration of rhythm"}
#: Groups that tell one class from another rather than one wave from another.
_CLASS_WIDE = frozenset({"chamber", "degree", "type", "tempo", "age of disease"})
_SLOW, _RAPID = 60.0, 100.0  # beats per minute
_RELATIONS = frozenset({"before", "after", "follow"})
_MEASURED = {"rate": "per minute", "axis": "degrees", "aged": "years"}
_DOWNWARD = frozenset({"shortened", "low", "slow", "shallow", "shrink"})


def objection(claim: Claim, ground: Ground, context: Words = (), *, lenient: bool = False) -> str | None:
    """Say in one sentence what the passages do not bear out; None if they say all of it.

    Args:
        claim: what the phrase says.
        ground: what the cited passages say.
        context: words said elsewhere of the class, in its names and definition; they support words that have
            no opposite.
        lenient: let words pass that no passage uses.
    """
    return (
        _numbers(claim, ground)
        or _leads(claim, ground)
        or _mixture(claim, ground, context)
        or _opposites(claim, ground)
        or _places(claim, ground)
        or _directions(claim, ground)
        or _words(claim, ground, context, lenient)
    )


def denied(claim: Claim) -> Claim | None:
    """Return what a claim denies, asserted; None where it denies only a part of what it says.

    "No delta wave" speaks for whatever a delta wave speaks against.
    """
    told = [token for token in claim.tokens if not token.free]
    if not told or not all(token.negated for token in told):
        return None
    return replace(claim, tokens=tuple(replace(token, negated=False) for token in claim.tokens))


def unsupported(claim: Claim, ground: Ground, context: Words = ()) -> list[Token]:
    """Return the content words of a claim that neither the passages nor the context say."""
    return [token for token in claim.tokens if not _is_said(token, claim, ground, context)]


def strays(claim: Claim, ground: Ground, context: Words, about: About) -> list[str]:
    """Return the words that the passages do not say, where each might be said all the same.

    That is a word of general English, or one with an opposite where no passage of the class says the opposite
    or denies it.

    Args:
        claim: what the phrase says.
        ground: what the cited passages say.
        context: words said elsewhere of the class.
        about: all that is known for and against the class.
    """
    extra = unsupported(claim, ground, context)
    if len(extra) > MOST_STRAYS or objection(claim, ground, context, lenient=True):
        return []
    if not all(_is_general(word) or _is_open(word, claim, about) for word in extra):
        return []
    return [token.written for token in extra]


def _is_general(token: Token) -> bool:
    vocabulary = default_vocabulary()
    if token.negated or walls_of(token.written):
        return False
    if vocabulary.knows(token.written):
        return token.family in vocabulary.loose
    return not (is_bound(token.family) or {token.written, stem(token.written)} & vocabulary.telling)


def _is_open(token: Token, claim: Claim, about: About) -> bool:
    """Whether a word has an opposite, and neither that nor its denial is known of the class."""
    said = [item for item in claim.attributes if item[1] == token.family]
    if token.negated or not said or said[0][0] not in _DESCRIBING:
        return False
    return all((nouns or group not in BOUND) and not about.opposes(group, value, nouns) for group, value, nouns in said)


def still_open(text: str, ground: Ground, context: Words, *, turned: bool = False) -> frozenset[object]:
    """Return the words, numbers and leads of a phrase that the passages do not give.

    Args:
        text: the phrase.
        ground: what the passages say.
        context: words said elsewhere of the class.
        turned: it denies what the passages say of the other side.
    """
    claim = ground.read(text)
    claim = (denied(claim) or claim) if turned else claim
    given = [measure.quantity for measure in ground.measures]
    numbers = {m.quantity for m in claim.measures if not any(m.quantity.agrees(other) for other in given)}
    words = {token.family for token in unsupported(claim, ground, context)}
    return frozenset(numbers) | words | (claim.leads - ground.leads)


def _is_said(token: Token, claim: Claim, ground: Ground, context: Words) -> bool:
    said = (token.family, token.negated)
    told_by_pair = token.compared and any(claim.compared & other.compared for other in ground.claims)
    if said in ground.words or token.free or told_by_pair:
        return True
    if token.negated and not is_wave(token.family) and _same_denial(claim, ground):
        return True
    if _of_the_class(said, ground, context):
        return True
    if token.family == "every" and not _COUNTED & {word for word, _ in ground.words}:
        return True  # what is said of P waves is said of each
    if token.family in LEAD_SETS and ground.leads:
        return ground.leads <= LEAD_SETS[token.family] and not token.negated
    if walls := walls_of(token.written) | walls_of(token.family):
        elsewhere = frozenset().union(*(walls_of(word) for word, _ in context))
        named = ground.walls or (frozenset() if token.of_leads and ground.leads else elsewhere) or ground.faced
        return walls <= (named | ground.faced if token.of_leads else named) and not token.negated
    if is_bound(token.family) or token.family in _MEASURED or token.family in _RELATIONS:
        return not token.negated and _implied(token, claim, ground)
    return said in context


def _same_denial(claim: Claim, ground: Ground) -> bool:
    """Whether both deny the same wave, so that how it would look is denied along with it."""
    return any(
        token.negated and is_wave(token.family) and (token.family, True) in ground.words
        for token in claim.tokens
    )


def _of_the_class(said: tuple[str, bool], ground: Ground, context: Words) -> bool:
    """Whether a word holds of the class as a whole, such as its chamber or degree, and no passage says other."""
    group_of = default_vocabulary().group
    group = group_of.get(said[0])
    others = (word for word, _ in ground.words if group_of.get(word) == group)
    return group in _CLASS_WIDE and said in context and not any(others)


def _implied(token: Token, claim: Claim, ground: Ground) -> bool:
    """Whether a number of the claim, or the order of the waves in every beat, already says the word."""
    if token.family in _RELATIONS and claim.order and ("blocked", False) not in ground.words:
        return all(_naturally(pair) for pair in claim.order)
    numbers = [measure.quantity for measure in claim.measures]
    ways = {number.comparison for number in numbers}
    rates = [number for number in numbers if number.unit == "per minute"]
    return (
        (token.family in _MEASURED and any(number.unit == _MEASURED[token.family] for number in numbers))
        or (token.family in _UPWARD and "at least" in ways)
        or (token.family in _DOWNWARD and "at most" in ways)
        or (token.written.startswith("delay") and "at least" in ways)
        or (token.family == "slow" and any(r.value <= _SLOW and r.comparison != "at least" for r in rates))
        or (token.family == "rapid" and any(r.value >= _RAPID and r.comparison != "at most" for r in rates))
    )


def _naturally(pair: tuple[str, str]) -> bool:
    """Whether the first wave comes before the second in every beat, which needs no saying."""
    places = [_SEQUENCE.index(wave) if wave in _SEQUENCE else -1 for wave in pair]
    return -1 < places[0] < places[1]


def _numbers(claim: Claim, ground: Ground) -> str | None:
    for measure in claim.measures:
        alike = [other for other in ground.measures if measure.quantity.agrees(other.quantity)]
        if not alike:
            stated = ", ".join(dict.fromkeys(other.quantity.text for other in ground.measures)) or "no number"
            return f"says {measure.quantity.text!r}; the cited passage says {stated}"
        if not any(_same_people(measure.whom, other.whom) for other in alike):
            whom = " and ".join(sorted(alike[0].whom)) or "everyone"
            mine = " and ".join(sorted(measure.whom)) or "everyone"
            return f"says {measure.quantity.text!r} of {mine}; the cited passage says it of {whom}"
    return None


def _same_people(mine: frozenset[str], theirs: frozenset[str]) -> bool:
    return mine - {"adults"} == theirs - {"adults"}


def _leads(claim: Claim, ground: Ground) -> str | None:
    named = {token.family for other in ground.claims for token in other.tokens if token.of_leads}
    walls = frozenset().union(*map(walls_of, named))
    whole = [facing for wall, facing in FACING.items() if wall in walls and facing <= claim.leads]
    extra = sorted(claim.leads.difference(ground.leads, *whole))
    if extra:
        return f"names {', '.join(extra)}, which the cited passage does not"
    return None


def _mixture(claim: Claim, ground: Ground, context: Words) -> str | None:
    """Find a clause that is put together from several passages.

    A wave, its leads and what has an opposite belong together; other words may come from elsewhere.
    """
    if len(ground.singles) < 2:
        return None
    for measure in claim.measures:
        stating = [single for single in ground.singles if _numbers(replace(claim, measures=(measure,)), single) is None]
        if claim.leads and not any(not single.leads or single.leads & claim.leads for single in stating):
            return f"says {measure.quantity.text!r} of other leads than the cited passages"
    for part in claim.parts:
        bound = {
            (token.family, token.negated)
            for token in part.tokens
            if is_bound(token.family) or (part.leads and (token.family, token.negated) not in context)
        } & ground.words
        if not any(
            bound <= single.words
            and (_leads(part, single) or _opposites(part, single) or _places(part, single)) is None
            for single in ground.singles
        ):
            return "puts together what the cited passages say of different things"
    return None


def is_bound(word: str) -> bool:
    """Tell whether a word means nothing without what it is said of: a wave, or a word with an opposite."""
    return is_wave(word) or word in _ORDINALS or word in default_vocabulary().group


def _opposites(claim: Claim, ground: Ground) -> str | None:
    group_of = default_vocabulary().group
    stated = {item for other in ground.claims for item in other.attributes}
    implied = {
        (group_of[word], word, of, name == group_of[word])
        for name, value, of in stated
        for word in implied_by(value)
        if word in group_of
    }
    for group, value, nouns in sorted(claim.attributes, key=str):
        same_group = {other for name, other, _ in stated if name == group}
        same_noun = {
            other
            for name, other, of in stated
            if name == group and nouns and (of & nouns or (not of and group != "side"))
        }
        also = {
            other
            for name, other, of, of_group in implied
            if name == group
            and (not nouns or not of or of & nouns)
            and (of_group or not same_group or of & nouns)
        }
        allowed = (same_noun or same_group or {value}) | also
        if group not in BOUND and (value, False) in ground.words:
            continue
        if value not in allowed:
            return (
                f"says {_written(claim, value)!r}{_of(nouns)}; the cited passage says {_all(ground, allowed)}"
            )
        said_of = [of for name, other, of in stated if (name, other) == (group, value)]
        if nouns and said_of and group != "chamber" and not any(not of or of & nouns for of in said_of):
            of_what = " and ".join(sorted({_shown(name) for of in said_of for name in of}))
            return f"says {_written(claim, value)!r}{_of(nouns)}; the cited passage says it of {of_what}"
    if claim.walls and ground.walls and not claim.walls <= ground.walls | ground.faced:
        return "names another wall than the cited passage"
    return None


def _written(claim: Claim, family: str) -> str:
    return next((token.written for token in claim.tokens if token.family == family), family)


def _all(ground: Ground, families: Iterable[str]) -> str:
    """Quote how the passages put these words."""
    words = {family: _written(other, family) for family in families for other in ground.claims}
    for other in ground.claims:
        words |= {token.family: token.written for token in other.tokens if token.family in words}
    return " and ".join(sorted(repr(word) for word in words.values()))


def _of(nouns: Collection[str]) -> str:
    return f" of {' and '.join(sorted(map(_shown, nouns)))}" if nouns else ""


def _places(claim: Claim, ground: Ground) -> str | None:
    """Find a wave said to look, in a lead, as no cited passage says of that lead."""
    stated = [item for other in ground.claims for item in other.placed]
    for group, value, nouns, leads in sorted(claim.placed, key=str):
        alike = [
            item for item in stated if item[0] == group and (nouns & item[2] or not nouns or not item[2])
        ]
        where = [item[3] for item in alike if item[1] == value]
        for lead in sorted(leads):
            if not where or any(lead in place for place in where):
                continue
            other = next((item[1] for item in alike if item[1] != value and lead in item[3]), None)
            mine = _written(claim, value)
            if other:
                return f"says {mine!r} in {lead}; the cited passage says {_all(ground, [other])}"
            if all(where) and leads not in LEAD_SETS.values():  # where no leads are named, any may be meant
                return f"says {mine!r} in {lead}; the cited passage says it in {_listed(where)}"
    return None


def _directions(claim: Claim, ground: Ground) -> str | None:
    order = {pair for other in ground.claims for pair in other.order}
    turned = [pair for pair in sorted(claim.order - order) if pair[::-1] in order]
    if turned:
        return f"turns the order of {_shown(turned[0][0])} and {_shown(turned[0][1])} round"
    compared = {pair for other in ground.claims for pair in other.compared}
    for one, two in sorted(claim.compared):
        if {one, two} == {"r", "s"} and not {(one, two), (two, one)} & compared:
            return f"compares {_shown(one)} with {_shown(two)}, which the cited passage does not"
    turned = [pair for pair in sorted(claim.compared - compared) if pair[::-1] in compared]
    if turned:
        return f"turns the comparison of {_shown(turned[0][0])} and {_shown(turned[0][1])} round"
    return None


def _words(claim: Claim, ground: Ground, context: Words, lenient: bool) -> str | None:
    told = {(token.family, token.negated) for token in claim.tokens if not token.free}
    said = len(told & ground.words) + len(claim.measures) + bool(claim.leads)
    if 2 * said < len(told):
        return "not supported by any retrieved passage it cites: it says little of this"
    extra = unsupported(claim, ground, context)
    for token in extra:
        if (token.family, not token.negated) in ground.words:
            how = ("denies", "asserts") if token.negated else ("asserts", "denies")
            return f"{how[0]} {token.written!r}, which the cited passage {how[1]}"
    if extra and not lenient:
        return f"not supported by any retrieved passage it cites: none says {extra[0].written!r}"
    return None


def _listed(places: Iterable[Collection[str]]) -> str:
    named = {lead for place in places for lead in place}
    return ", ".join(lead for lead in ALL_LEADS if lead in named)


def _shown(name: str) -> str:
    return name.upper() if name in WAVES else name
