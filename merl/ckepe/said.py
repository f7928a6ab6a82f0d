"""Which words of a claim the passages say, and which a phrase may have of its own."""

from __future__ import annotations

from dataclasses import replace

from merl.ckepe.bindings import BOUND, LEAD_SETS
from merl.ckepe.claims import Claim
from merl.ckepe.clauses import Token, is_wave, walls_of
from merl.ckepe.grounds import CHEST_SIDES, About, Ground, Words
from merl.ckepe.vocabulary import default_vocabulary, stem, word_set
from merl.records import STANDARD_LEADS

#: Words of its own that a phrase may have.
MOST_STRAYS = 3
#: Groups of which a word may describe what the passages leave open; those of other groups tell something new.
_DESCRIBING = word_set("length size depth speed regularity constancy pace timing part extent chamber")
_DESCRIBING |= {"how many", "side of the limit"}
#: Groups that tell one class from another rather than one wave from another.
_CLASS_WIDE = frozenset({"chamber", "degree", "type", "tempo", "age of disease", "completeness"})
_ORDINALS = word_set("second third fourth fifth sixth")
_COUNTED = word_set("some most several intermittent half second third")
_HOW_MANY = frozenset({"every", "most", "some", "intermittent", "single", "several"})
_RELATIONS = word_set("before after follow")
_SEQUENCE = ("p", "pr", "delta", "q", "r", "qrs", "s", "j", "st", "t", "u")
_MEASURED = {"rate": "per minute", "axis": "degrees", "aged": "years"}
#: What a limit says already: a QRS "widened to 0.12 s or more" is a QRS of 120 ms or more.
_UPWARD = word_set("prolonged high rapid deep grow")
_DOWNWARD = word_set("shortened low slow shallow shrink")
_UNITS = dict.fromkeys(("prolonged", "shortened"), "ms") | dict.fromkeys(("rapid", "slow"), "per minute")
_UNITS |= dict.fromkeys(("high", "low", "deep", "shallow"), "mV")
_SLOW, _RAPID = 60.0, 100.0  # beats per minute


def denied(claim: Claim) -> Claim | None:
    """Return what a claim denies, asserted; None where it denies only a part of what it says.

    "No delta wave" speaks for whatever a delta wave speaks against.
    """
    told = [token for token in claim.tokens if not token.free and token.family not in _RELATIONS]
    if not told or not all(token.negated for token in told):
        return None
    return replace(claim, tokens=tuple(replace(token, negated=False) for token in claim.tokens))


def is_bound(word: str) -> bool:
    """Tell whether a word means nothing without what it is said of: a wave, or a word with an opposite."""
    return is_wave(word) or word in _ORDINALS or word in default_vocabulary().group


def unsupported(claim: Claim, ground: Ground, context: Words = ()) -> list[Token]:
    """Return the content words of a claim that neither the passages nor the context say."""
    return [token for token in claim.tokens if not _is_said(token, claim, ground, context)]


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


def count_said(claim: Claim, ground: Ground) -> int:
    """Return how many words, numbers and leads of a claim the passages give."""
    told = {(token.family, token.negated) for token in claim.tokens if not token.free}
    given = [measure.quantity for measure in ground.measures]
    numbers = [m for m in claim.measures if any(m.quantity.agrees(other) for other in given)]
    return len(told & ground.words) + len(numbers) + len(claim.leads & ground.leads)


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
    if len(extra) > MOST_STRAYS or not all(
        _is_general(word) or _is_open(word, claim, about) for word in extra
    ):
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
    return all(
        (nouns or group not in BOUND) and not about.opposes(group, value, nouns)
        for group, value, nouns in said
    )


def _is_said(token: Token, claim: Claim, ground: Ground, context: Words) -> bool:
    said = (token.family, token.negated)
    told_by_pair = token.compared and any(claim.compared & other.compared for other in ground.claims)
    if (
        said in ground.words
        or token.free
        or told_by_pair
        or (not token.negated and any(said[0] in pair for pair in _pairs(claim, ground)))
        or (token.negated and not is_wave(token.family) and _same_denial(claim, ground))
        or _of_the_class(said, ground, context)
        # what is said of P waves is said of each
        or (said == ("some", False) and not _HOW_MANY & {word for word, _ in ground.words})
        or (token.family == "every" and not _COUNTED & {word for word, _ in ground.words})
    ):
        return True
    side = CHEST_SIDES.get(token.family) if token.of_leads and ("precordial", False) in claim.words else None
    if side and ground.leads:
        return ground.leads <= side and not token.negated
    if token.family in LEAD_SETS and ground.leads:
        return ground.leads.intersection(STANDARD_LEADS) <= LEAD_SETS[token.family] and not token.negated
    if walls := walls_of(token.written) | walls_of(token.family):
        elsewhere = frozenset().union(*(walls_of(word) for word, _ in context))
        named = (
            ground.walls or (frozenset() if token.of_leads and ground.leads else elsewhere) or ground.faced
        )
        return walls <= (named | ground.faced if token.of_leads else named) and not token.negated
    if is_bound(token.family) or token.family in _MEASURED or token.family in _RELATIONS:
        return not token.negated and is_implied(token, claim, ground)
    return said in context or _is_derived(token, ground)


def _pairs(claim: Claim, ground: Ground) -> frozenset[tuple[str, str]]:
    """Return what both compare; the atria of the one may be the P waves of the other."""
    return claim.compared & frozenset().union(*(other.compared for other in ground.claims))


def _is_derived(token: Token, ground: Ground) -> bool:
    """Whether the passages have a word of the same root: inflammation for inflamed."""
    stem_, least = token.family, 5
    return len(stem_) >= least and any(
        denied == token.negated and len(word) >= least and (word.startswith(stem_) or stem_.startswith(word))
        for word, denied in ground.words
    )


def _same_denial(claim: Claim, ground: Ground) -> bool:
    """Whether both deny the same wave, so that how it would look is denied along with it."""
    return any(
        token.negated and is_wave(token.family) and (token.family, True) in ground.words
        for token in claim.tokens
    )


def _of_the_class(said: tuple[str, bool], ground: Ground, context: Words) -> bool:
    """Whether a word holds of the whole class, such as its chamber or degree, and no passage says other."""
    group_of = default_vocabulary().group
    group = group_of.get(said[0])
    others = (word for word, _ in ground.words if group_of.get(word) == group)
    return group in _CLASS_WIDE and said in context and not any(others)


def is_implied(token: Token, claim: Claim, ground: Ground) -> bool:
    """Whether a number of the claim, or the order of the waves in every beat, already says the word."""
    if token.family in _RELATIONS and claim.order and ("blocked", False) not in ground.words:
        return all(_naturally(pair) for pair in claim.order)
    numbers = [measure.quantity for measure in claim.measures]

    def ways(unit: str | None) -> set[str]:
        return {number.comparison for number in numbers if unit in {number.unit, None} or not number.unit}

    axes = [number.value for number in numbers if number.unit == "degrees"]
    rates = [number for number in numbers if number.unit == "per minute"]
    return (
        (token.family in _MEASURED and any(number.unit == _MEASURED[token.family] for number in numbers))
        or (token.family in _UPWARD and "at least" in ways(_UNITS.get(token.family)))
        or (token.family in _DOWNWARD and "at most" in ways(_UNITS.get(token.family)))
        or (token.family == "atrial" and ("rate", False) in claim.words and ("p", False) in ground.words)
        or (token.family == "left" and bool(axes) and all(-90 <= axis <= 0 for axis in axes))
        or (token.family == "right" and bool(axes) and all(90 <= axis <= 180 for axis in axes))
        or (token.written.startswith("delay") and "at least" in ways("ms"))
        or (token.family == "slow" and any(r.value <= _SLOW and r.comparison != "at least" for r in rates))
        or (token.family == "rapid" and any(r.value >= _RAPID and r.comparison != "at most" for r in rates))
    )


def _naturally(pair: tuple[str, str]) -> bool:
    """Whether the first wave comes before the second in every beat, which needs no saying."""
    places = [_SEQUENCE.index(wave) if wave in _SEQUENCE else -1 for wave in pair]
    return -1 < places[0] < places[1]
