"""What speaks against a claim, given the passages it rests on; each objection is one sentence."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from merl.ckepe.bindings import BOUND, LEAD_SETS, OTHER_PART
from merl.ckepe.claims import Claim
from merl.ckepe.clauses import WAVES, is_wave, walls_of
from merl.ckepe.grounds import FACING, Ground, Words, implied_by
from merl.ckepe.said import is_bound, is_implied, unsupported
from merl.ckepe.vocabulary import default_vocabulary, word_set
from merl.knowledge.leads import ALL_LEADS

#: Words that do no more than name a wave that every ECG has, and where.
_BARE = word_set("p qrs t st r s pr qt qtc rr pp wave waves segment segments complex complexes interval")
_BARE |= word_set("in the lead leads")
#: What leads are called, which counts as naming them.
_LEAD_WORDS = LEAD_SETS.keys() | {"left", "right", "middle"}


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
        or _ends_apart(claim, ground)
        or _leads(claim, ground)
        or _mixture(claim, ground, context)
        or _opposites(claim, ground)
        or _places(claim, ground)
        or _directions(claim, ground)
        or _words(claim, ground, context, lenient)
    )


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


def _ends_apart(claim: Claim, ground: Ground) -> str | None:
    """Find a range whose two ends no passage gives together."""
    for measure in claim.measures:
        ends = [other.quantity for other in claim.measures if other.quantity.start == measure.quantity.start]
        if len(ends) > 1 and not any(
            all(any(end.agrees(given.quantity) for given in other.measures) for end in ends)
            for other in ground.claims
        ):
            return f"says {measure.quantity.text!r}; no cited passage gives both ends"
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
    """Find what is put together from several passages that do not say it.

    A wave, its leads and what is said of it belong together, and so do a number and its leads; other words
    may come from elsewhere.
    """
    if len(ground.singles) < 2:
        return None
    for measure in claim.measures:
        alone = replace(claim, measures=(measure,))
        stating = [single for single in ground.singles if _numbers(alone, single) is None]
        if claim.leads and not any(not single.leads or single.leads & claim.leads for single in stating):
            return f"says {measure.quantity.text!r} of other leads than the cited passages"
    parts = claim.parts if all(_waves(part) for part in claim.parts) else (claim,)
    for part in parts if len(_waves(claim)) == 1 else claim.parts:
        for piece in _pieces(part):
            bound = {
                (token.family, token.negated)
                for token in piece.tokens
                if is_bound(token.family) or (piece.leads and (token.family, token.negated) not in context)
            } & ground.words
            if not any(
                bound <= single.words
                and (_leads(piece, single) or _opposites(piece, single) or _places(piece, single)) is None
                for single in ground.singles
            ):
                return "puts together what the cited passages say of different things"
    return None


def _waves(claim: Claim) -> set[str]:
    return {token.family for token in claim.tokens if is_wave(token.family)}


def _pieces(part: Claim) -> Iterator[Claim]:
    """Yield each thing that is said of a wave as a claim of its own, beside the waves; else the whole."""
    waves = _waves(part)
    if len(waves) != 1 or not part.attributes:
        yield part
        return
    for item in sorted(part.attributes, key=str):
        yield replace(
            part,
            tokens=tuple(token for token in part.tokens if token.family in {item[1], *waves}),
            attributes=frozenset({item}),
            placed=frozenset(place for place in part.placed if place[:3] == item),
        )


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
        told = {other for name, other, of, _ in implied if name == group and nouns and (not of or of & nouns)}
        allowed = (same_noun or told or same_group or {value}) | also
        if group not in BOUND and (value, False) in ground.words:
            continue
        if group == "speed" and _by_rate(claim, value, ground):
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


def _by_rate(claim: Claim, value: str, ground: Ground) -> bool:
    """Whether a rate that the claim gives already says that it is rapid or slow."""
    return any(token.family == value and is_implied(token, claim, ground) for token in claim.tokens)


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
    parted = {pair for other in ground.claims for pair in other.parted}
    for word, part in sorted(claim.parted - parted):
        if (word, OTHER_PART[part]) in parted:
            return f"says {_written(claim, word)!r} of the other part than the cited passage"
    compared = {
        pair
        for other in ground.claims
        if not (claim.leads and other.leads) or claim.leads & other.leads
        for pair in other.compared
    }
    for one, two in sorted(claim.compared):
        if {one, two}.isdisjoint({"st", "j"}) and not {(one, two), (two, one)} & compared:
            return f"compares {_shown(one)} with {_shown(two)}, which the cited passage does not"
    turned = [pair for pair in sorted(claim.compared - compared) if pair[::-1] in compared]
    if turned:
        return f"turns the comparison of {_shown(turned[0][0])} and {_shown(turned[0][1])} round"
    return None


def _words(claim: Claim, ground: Ground, context: Words, lenient: bool) -> str | None:
    extra = unsupported(claim, ground, context)
    for token in extra:
        if (token.family, not token.negated) in ground.words:
            how = ("denies", "asserts") if token.negated else ("asserts", "denies")
            return f"{how[0]} {token.written!r}, which the cited passage {how[1]}"
    told = {
        (token.family, token.negated)
        for token in claim.tokens
        if not token.free and not (token.of_leads and token.family in _LEAD_WORDS)
    }
    bare = {token.written for token in claim.tokens} <= _BARE and not any(denied for _, denied in told)
    if told and bare and not claim.measures and not claim.compared:
        return "names a wave and says nothing of it"
    if 2 * (len(told & ground.words) + len(claim.measures) + bool(claim.leads)) < len(told):
        return "not supported by any retrieved passage it cites: it says little of this"
    if extra and not lenient:
        return f"not supported by any retrieved passage it cites: none says {extra[0].written!r}"
    return None


def _listed(places: Iterable[Collection[str]]) -> str:
    named = {lead for place in places for lead in place}
    return ", ".join(lead for lead in ALL_LEADS if lead in named)


def _shown(name: str) -> str:
    return name.upper() if name in WAVES else name
