"""A phrase of several statements taken apart: each piece names what it is about and says something of it."""

from __future__ import annotations

import re
from collections.abc import Collection

from merl.ckepe.bindings import BEATS, SHAPES
from merl.ckepe.claims import read_claim
from merl.ckepe.clauses import THINGS, WAVES, is_wave
from merl.ckepe.vocabulary import default_vocabulary
from merl.knowledge.lookup import normalise

_AND = r"(?:and|with|but|plus|while)"
_JOINT = re.compile(rf"(\s*[,;:]\s+(?:{_AND}\s+)?|\s+{_AND}\s+|\s+without\s+)")
#: Who goes on like this says something of what was named before.
_LEANS = re.compile(
    r"^(?:before|after|then|than|which|that|until|till|followed|preceded|as|so|because|by|of|in|on|at|to|from|for)\b"
    r"|\b(?:it|its|them|their|both|which|whose|itself|these|those|this|same|other|another|ones?)\b"
)
#: How something looks in some leads, which is not named.
_LOOKS = re.compile(r"([a-z]+)(?: deflected| pointing)? in (?:leads? )?(?:I{1,3}|aV[RLF]|V\d)\b")
_LEADS_OPEN = re.compile(r"(?:I{1,3}|aV[RLF]|V\d)\b")
_LEADS_END = re.compile(r"\b(?:I{1,3}|aV[RLF]|V\d)$")
#: What ends like this is not yet said.
_OPEN = re.compile(r"\b(?:between|both|either|neither|from|sum|ratio|than)\b[^,;:]*$")
_DENIES = re.compile(r"\b(?:no|not|nor|without|neither|never|lack\w*|absen\w*|loss|lost|miss\w*|free)\b")


def pieces(text: str, names: Collection[str] = ()) -> list[str]:
    """Cut a phrase where it goes over to something else that it says in full.

    Args:
        text: the phrase.
        names: what the class is called; a name may stand for itself.

    Returns:
        The pieces in order; the phrase alone where it says one thing, or where its leads may hold of several.

    >>> pieces("tall R in V6 with a deep S in V1")
    ['tall R in V6', 'a deep S in V1']
    """
    known = set(map(normalise, names))
    parts = _JOINT.split(text)
    found = [parts[0]]
    for joint, part in zip(parts[1::2], parts[2::2], strict=True):
        piece = re.sub(r"^(?:any |an? )?", "no ", part) if joint.strip() == "without" else part
        if _stands(found[-1], known) and _stands(piece, known) and not _tied(found[-1], joint, part):
            found.append(piece)
        else:
            found[-1] += joint + part
    found = [_told_of(piece, before) for piece, before in zip(found, ["", *found], strict=False)]
    claims = [read_claim(piece) for piece in found]
    placed = [bool(claim.leads) for claim in claims]
    shaped = [any(group in SHAPES for group, _, _ in claim.attributes) for claim in claims]
    if any(placed) and any(shape and not place for shape, place in zip(shaped, placed, strict=True)):
        return [text]
    return found


def _told_of(piece: str, before: str) -> str:
    """Name the wave again that a piece goes on about: "upright in I, and negative in aVR"."""
    look = _LOOKS.match(piece)
    vocabulary = default_vocabulary()
    waves = {token.family for token in read_claim(before).tokens if token.family in WAVES} if look else set()
    if look and len(waves) == 1 and vocabulary.group.get(vocabulary.family(look[1].lower())) in SHAPES:
        return f"{waves.pop().upper()} {piece}"
    return piece


def _stands(piece: str, known: Collection[str]) -> bool:
    """Whether a piece is about something and says something of it, or is a name of the class."""
    if normalise(piece) in known:
        return True
    claim = read_claim(piece)
    told = [token for token in claim.tokens if not token.free]
    things = [token for token in claim.tokens if is_wave(token.family) or token.family in THINGS | BEATS]
    if _LOOKS.match(piece):
        return True
    return bool(things) and (not set(told) <= set(things) or bool(claim.leads or claim.measures))


def _tied(piece: str, joint: str, part: str) -> bool:
    """Whether the second part leans on the first, or is denied along with it."""
    part = re.sub(r" (?:it|them)$", "", part) if joint.strip() == "without" else part
    if _LEADS_OPEN.match(part) and _LEADS_END.search(piece):
        return True  # "in I and II before each QRS"
    if _LEANS.search(part.lower()) or _OPEN.search(piece.lower()):
        return True
    return "and" in joint and bool(_DENIES.search(piece.lower()))
