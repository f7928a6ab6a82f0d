"""Check the sets of planted-error phrases: ids, label sets, kinds, counts, duplicates.

Prints one sentence per fault and exits with 1 if there is any; else prints the counts.
"""

import re
import sys
from collections import Counter
from difflib import SequenceMatcher
from itertools import combinations
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
KEYS = {"class", "label_set", "text", "polarity", "true", "error", "basis"}
KINDS = (
    "opposite_side",
    "wrong_degree",
    "wrong_lead",
    "wrong_territory",
    "swapped_number",
    "wrong_comparator",
    "wrong_unit",
    "opposite_direction",
    "wrong_polarity",
    "sibling_finding",
    "invented_syndrome",
    "unsupported_detail",
    "chatter",
    "injected_instruction",
)
BASIS = re.compile(r"([^#]+)#(?:(definition)|(findings|absent|synonyms|distinguish_from)/(\d+))")
MINIMA = {  # file: least number of classes, true phrases, false phrases, phrases of each kind
    "phrases.yaml": (60, 160, 160, 10),
    "phrases_second.yaml": (60, 75, 75, 5),
    "phrases_fourth.yaml": (90, 75, 75, 5),
    "phrases_fifth.yaml": (150, 220, 140, 10),
    "phrases_sixth.yaml": (115, 75, 75, 5),
    "phrases_seventh.yaml": (115, 75, 75, 5),
}
OWN_WORDS = (
    "phrases_fourth.yaml",
    "phrases_fifth.yaml",
    "phrases_sixth.yaml",
    "phrases_seventh.yaml",
)  # their authors knew no other set, and may repeat one
NEAR = 0.9  # similarity from which two phrases of one class, polarity and verdict are near-duplicates


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def statement(entry, basis):
    """The text that a basis names in an entry, or None."""
    _, definition, part, index = BASIS.fullmatch(basis).groups()
    if definition:
        return entry["definition"]["text"]
    items = entry.get(part) or []
    if int(index) >= len(items):
        return None
    return items[int(index)] if part == "synonyms" else items[int(index)]["text"]


def form_faults(p, label_sets):
    if not isinstance(p["text"], str) or not p["text"].strip():
        yield "has no text"
    if p["polarity"] not in ("present", "absent"):
        yield f"has the polarity {p['polarity']!r}"
    if not isinstance(p["true"], bool) or p["true"] != (p["error"] is None):
        yield "must be true without an error, or false with one"
    if p["error"] not in (None, *KINDS):
        yield f"has the unknown error {p['error']!r}"
    if p["label_set"] is not None and p["class"] not in label_sets.get(p["label_set"], ()):
        yield f"has a class that is not in the label set {p['label_set']!r}"


def basis_faults(p, entries, label_sets):
    match = BASIS.fullmatch(str(p["basis"]))
    text = statement(entries[match[1]], p["basis"]) if match and match[1] in entries else None
    if text is None:
        yield f"has the basis {p['basis']!r}, which names no entry statement"
        return
    if p["true"] and match[3] != "synonyms" and str(p["text"]).casefold() == text.casefold():
        yield "repeats its basis word for word"
    own = match[1] == p["class"]
    if p["error"] != "sibling_finding" and not own:
        yield "must rest on its own entry"
    if p["error"] == "sibling_finding" and (own or match[1] not in label_sets.get(p["label_set"], ())):
        yield "must rest on a sibling of its label set"


def phrase_faults(p, entries, label_sets):
    if set(p) != KEYS:
        yield "must have the keys " + ", ".join(sorted(KEYS))
    elif p["class"] not in entries:
        yield "names a class without an entry"
    else:
        yield from form_faults(p, label_sets)
        yield from basis_faults(p, entries, label_sets)


def duplicates(phrases):
    groups = {}
    for p in phrases:
        key = p.get("class"), p.get("polarity"), p.get("true")
        groups.setdefault(key, []).append(str(p.get("text")).casefold())
    for (name, _, _), texts in groups.items():
        for a, b in combinations(texts, 2):
            if SequenceMatcher(None, a, b).ratio() >= NEAR:
                yield f"Class {name} has the near-duplicates {a!r} and {b!r}."


def faults(phrases, entries, label_sets, minima):
    for n, p in enumerate(phrases, 1):
        for fault in phrase_faults(p, entries, label_sets):
            yield f"Phrase {n} ({p.get('class')}: {p.get('text')!r}) {fault}."
    kinds = Counter(p.get("error") for p in phrases)
    min_classes, min_true, min_false, min_kind = minima
    counts = [
        ("classes", len({p.get("class") for p in phrases}), min_classes),
        ("true phrases", kinds[None], min_true),
        ("false phrases", len(phrases) - kinds[None], min_false),
    ]
    counts += [(f"phrases of the kind {kind}", kinds[kind], min_kind) for kind in KINDS]
    for what, found, least in counts:
        if found < least:
            yield f"There are {found} {what}, at least {least} are needed."


def repeated(sets):
    """Sentences about the texts that two sets share, whatever their class, case and spacing."""
    owners = {}
    for name, phrases in sets.items():
        for text in {" ".join(str(p.get("text")).casefold().split()) for p in phrases}:
            owners.setdefault(text, []).append(name)
    for text, names in owners.items():
        if len(names) > 1:
            yield f"The phrase {text!r} occurs in {' and '.join(names)}."


def main():
    sets = {name: load(HERE / name) for name in MINIMA}
    entries = {e["id"]: e for e in map(load, (ROOT / "knowledge_base/entries").glob("*.yaml"))}
    label_files = map(load, (ROOT / "prompts/label_sets").glob("*.yaml"))
    label_sets = {s["name"]: {c["entry"] for c in s["classes"].values()} for s in label_files}
    found = [
        f"{name}: {fault}"
        for name, phrases in sets.items()
        for fault in faults(phrases, entries, label_sets, MINIMA[name])
    ]
    apart = {name: phrases for name, phrases in sets.items() if name not in OWN_WORDS}
    found += [*duplicates([p for phrases in apart.values() for p in phrases]), *repeated(apart)]
    for name in OWN_WORDS:
        found += [f"{name}: {fault}" for fault in duplicates(sets[name])]
    print(*found, sep="\n", end="\n" if found else "")
    if found:
        return 1
    for name, phrases in sets.items():
        kinds = Counter(p["error"] or "true" for p in phrases)
        print(f"{name}: {len(phrases)} phrases, {len({p['class'] for p in phrases})} classes")
        for kind in ["true", *KINDS]:
            print(f"{kinds[kind]:4d}  {kind}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
