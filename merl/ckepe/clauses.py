"""A phrase cut into clauses of content words, each with what is denied of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from merl.ckepe.phrasing import join_comparisons
from merl.ckepe.vocabulary import default_vocabulary, word_set
from merl.knowledge.leads import MARK, marked_leads

#: What a length, height, side, ... may be said of.
WAVES = word_set("p q r s t u j f st pr pp qrs qt qtc rr rp rsr qs delta epsilon")
THINGS = WAVES | {"axis", "rate", "rhythm", "baseline", "pause", "cycle", "interv", "ratio"}
STRUCTURES = word_set("ventricular atrial bundle fascicular axis precordial limb arm force qrs")
_WALLS = ("anter", "infer", "later", "poster", "sept", "apic")
_NO_WALL = re.compile(r"bilater|unilater|collater|contralater|ipsilater")
#: Of these there are two, so that denying one is saying the other.
_CONTRARY = {"variable": "constant", "constant": "variable", "regular": "irregular", "irregular": "regular"}
_CONTRARY |= {"complete": "incomplete", "normal": "abnormal"}
_SIDES = frozenset({"left", "right"})
_CUES = word_set("no not without never neither nor none cannot nobody")
#: Said after what is gone ("P waves are absent"), these deny what stands before them in the clause.
_GONE = re.compile(r"absent|missing|gone|lost|disappear|vanish|invisible|unrecogni|undetect|nonexistent")
_BREAKS = word_set(
    "but while whereas and with alongside beside besides although though despite where which because yet plus"
)
_NAMING = word_set("wave waves segment segments complex complexes interval intervals shape")
_NAMING |= word_set("in of the a an lead leads both")
#: Stands where a number was.
GAP = "quantity"
#: What comes before or after another.
FOLLOWING = WAVES | {"pause", "run", "spike"}
#: What stands after a denied wave says only where it would be: "no P wave before it".
_RELATED = word_set("before after follow")
_PRONOUNS = word_set("it them itself themselves")
_COMPLEX = re.compile(r"[qrs]{2,4}")
_TOKEN = re.compile(rf"[a-z_]+[a-z0-9_]*(?:'[a-z]+)?|{MARK}+|[,;:.()]")


@dataclass(frozen=True)
class Token:
    """A content word: what it is compared by, as it was written, whether it is denied.

    Attributes:
        free: claims nothing.
        compared: said of two things that are compared: taller.
        of_leads: said of leads, not of the heart: the inferior leads.
    """

    family: str
    written: str
    negated: bool
    free: bool = False
    compared: bool = False
    of_leads: bool = False


def read_clauses(text: str, heard: frozenset[str] | None = None) -> list[list[Token]]:
    """Cut a marked text without numbers into clauses; the leads of each stand among its words.

    Args:
        text: the text.
        heard: the families that settle what a word of several meanings means.
    """
    return [_signed(_tokens(clause, heard)) for clause in _referring(_clauses(join_comparisons(text)))]


def is_wave(word: str) -> bool:
    """Tell whether a word names a wave, an interval or a shape of the QRS complex such as qR."""
    return word in WAVES or bool(_COMPLEX.fullmatch(word))


def walls_of(word: str) -> frozenset[str]:
    """Return the walls a word names, by their stems."""
    return frozenset(_walls_of(word))


def _walls_of(word: str) -> list[str]:
    if _NO_WALL.search(word):
        return []
    return ["apic"] if word == "apex" else [wall for wall in _WALLS if wall in word]


def _clauses(text: str) -> list[list[str]]:
    """Cut a text into clauses; a wave that only goes on a list ("P wave, QRS and T wave") stays on it."""
    clauses: list[list[str]] = [[]]
    listed = False
    family = default_vocabulary().family
    words = [*_TOKEN.findall(text), "."]
    for word, following in zip(words, [*words[1:], "."], strict=True):
        if word in {",", "and"} and _qualifies(clauses[-1]) and _has_opposite(following):
            continue  # "a long, flat ST segment"
        if word == "and" and clauses[-1] and {*map(family, [clauses[-1][-1], following])} == _SIDES:
            continue  # "right and left bundle branch"
        if word not in _BREAKS and word not in ",;:.()":
            clauses[-1].append(word)
            continue
        if (len(clauses) > 1 and listed and (_only_waves(clauses[-1]) or _opens_list(clauses[-2]))) or (
            len(clauses) > 1 and _goes_on(clauses[-1])
        ):
            _join_last(clauses)
        listed = word in {",", "and"}
        clauses.append([])
    return [clause for clause in clauses if clause]


def _join_last(clauses: list[list[str]]) -> None:
    last = clauses.pop()
    clauses[-1] += last


def _qualifies(clause: list[str]) -> bool:
    """Whether a clause ends in a word with an opposite, and has named no wave that this is said of."""
    if not clause or not _has_opposite(clause[-1]):
        return False
    return clause[-2:-1] in (["a"], ["an"], ["the"]) or not any(map(_names_wave, clause))


def _names_wave(word: str) -> bool:
    return is_wave(default_vocabulary().family(word))


def _referring(clauses: list[list[str]]) -> list[list[str]]:
    """Put the wave that is meant after a relation that lacks it: "a QRS with a P wave behind it"."""
    family = default_vocabulary().family
    told: list[list[str]] = []
    for clause in clauses:
        own = [word for word in clause if family(word) in FOLLOWING]
        earlier = [word for other in told for word in other if family(word) in FOLLOWING]
        meant = own[:1] if len(own) > 1 else earlier[:1]
        leans = len(clause) > 1 and family(clause[0]) == "follow" and clause[1] == "by"
        full: list[str] = earlier[-1:] if leans else []
        for word, following in zip(clause, [*clause[1:], ""], strict=True):
            after_relation = bool(full) and family(full[-1]) in {"before", "after", "follow"}
            if word in _PRONOUNS and after_relation and meant:
                full.append(meant[0])
                continue
            full.append(word)
            if not following and family(word) in {"before", "after"} and len(own) == 1:
                full += [name for name in meant if name not in own]
        told.append(full)
    return told


def _has_opposite(word: str) -> bool:
    vocabulary = default_vocabulary()
    return vocabulary.family(word) in vocabulary.group


def _goes_on(clause: list[str]) -> bool:
    """Whether a comparison lacks its first side, which then stands before: "U waves, taller than T"."""
    family = default_vocabulary().family
    before = clause[: clause.index("than")] if "than" in clause else clause
    return before is not clause and not any(is_wave(family(w)) or marked_leads(w) for w in before)


def _only_waves(clause: list[str]) -> bool:
    """Whether a clause does no more than name waves, and the leads they are seen in."""
    family = default_vocabulary().family
    waves = [is_wave(family(word)) for word in clause]
    return any(waves) and all(
        wave or word in _NAMING or marked_leads(word) for wave, word in zip(waves, clause, strict=True)
    )


def _opens_list(clause: list[str]) -> bool:
    return _only_waves(clause) and not any(map(marked_leads, clause))


def _tokens(clause: list[str], heard: frozenset[str] | None) -> list[Token]:
    vocabulary = default_vocabulary()
    tokens = []
    for place, word in enumerate(clause):
        bare = word.removesuffix("_free")  # "spike-free"
        if word.startswith("non") and not vocabulary.knows(word) and vocabulary.knows(word[3:]):
            bare = word[3:]
        family = word if marked_leads(word) else vocabulary.family(bare, heard)
        tokens.append(
            Token(
                family,
                word,
                negated=bare != word,
                free=not family or vocabulary.is_free(bare),
                of_leads=word.endswith("ly") or any(map(_is_lead, clause[place + 1 : place + 4])),
            )
        )
    return tokens


def _is_lead(word: str) -> bool:
    return word in {"lead", "leads"} or bool(marked_leads(word))


def _signed(clause: list[Token]) -> list[Token]:
    """Mark what a "no", "lacking" or "are absent" denies, and leave these words out.

    What the clause has said before is not denied: "the P wave before it is not a sinus P".
    """
    gone = next((place for place, token in enumerate(clause) if _denies_before(clause, place)), None)
    negated = False
    found: list[Token] = []
    for place, token in enumerate(clause):
        if token.written in _CUES or token.family in {"absent", "replace"}:
            negated = negated or gone is None or place > gone
            continue
        denied = negated or (gone is not None and place < gone)
        denied = denied and (gone is not None or not any(_asserts(other, token.family) for other in found))
        denied = denied and not (token.family in _RELATED and any(map(_denies_wave, found)))
        just = {other.written for other in clause[max(0, place - 2) : place]}
        cues = {"not", "never", "no", "without"} if token.family == "variable" else {"not", "never"}
        contrary = _CONTRARY.get(token.family) if denied and just & cues else None
        negative = token.negated or (denied and not contrary)
        found.append(replace(token, family=contrary or token.family, negated=negative))
    return found


def _denies_wave(token: Token) -> bool:
    return token.negated and is_wave(token.family)


def _asserts(token: Token, family: str) -> bool:
    return token.family == family and not token.negated and is_wave(family)


def _denies_before(clause: list[Token], place: int) -> bool:
    token = clause[place]
    if (
        token.family == "replace"
    ):  # "P waves replaced by flutter waves", not "flutter waves replacing P waves"
        return token.written == "replaced" or {"by"} == {
            other.written for other in clause[place + 1 : place + 2]
        }
    named = any(other.family in THINGS or other.family in STRUCTURES for other in clause[:place])
    return token.family == "absent" and bool(_GONE.match(token.written)) and named
