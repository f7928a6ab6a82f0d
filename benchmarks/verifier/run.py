"""How many planted errors the verifier refuses, and how many true phrases it keeps.

    python benchmarks/verifier/run.py [--half seen|held] [--show] [--phrases FILE]

Each phrase is judged as `merl prompts verify` does it, beside its siblings where it belongs to a label set.

The verifier was developed with the failures of one half of the classes at hand, the `seen` one, and without
those of the other, the `held` one. A class is of the seen half if the SHA-256 of its id is even.
"""

from __future__ import annotations

import argparse
import hashlib
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import yaml

from merl.ckepe.grounding import ground
from merl.ckepe.prompt_set import ClassPrompts, Generator, Phrase, PromptSet
from merl.knowledge.index import KnowledgeIndex
from merl.label_sets import load_label_set

PHRASES = Path(__file__).parent / "phrases.yaml"
Counts = Counter[tuple[str, str]]  # by half and kind


def half_of(entry: str) -> str:
    """Return which half a class belongs to: ``seen`` while the verifier was developed, or ``held`` out."""
    return "held" if int(hashlib.sha256(entry.encode()).hexdigest(), 16) % 2 else "seen"


def prompt_set(
    entry: str, label_set: str | None, phrases: list[dict[str, Any]], index: KnowledgeIndex
) -> PromptSet:
    prompts = tuple(Phrase(text=item["text"], polarity=item["polarity"]) for item in phrases)
    if label_set is None:
        classes = {entry: ClassPrompts(name=index.entries[entry].name, prompts=prompts)}
    else:
        labels = load_label_set(label_set).classes
        own = next(code for code, item in labels.items() if item.entry == entry)
        classes = {
            code: ClassPrompts(name=item.name, prompts=prompts if code == own else ())
            for code, item in labels.items()
        }
    return PromptSet(
        label_set=label_set or "single", generator=Generator(kind="manual"), classes=classes, name="planted"
    )


def judge(phrases: list[dict[str, Any]], shown: str | None) -> tuple[Counts, Counts]:
    """Judge every phrase by itself, since a true phrase may say the same as another one.

    Args:
        phrases: as ``phrases.yaml`` holds them.
        shown: the half whose wrong verdicts are printed.

    Returns:
        How many verdicts were right, and how many phrases there are.
    """
    index = KnowledgeIndex.default()
    right: Counts = Counter()
    total: Counts = Counter()
    for item in phrases:
        entry = item["class"]
        (judged,) = ground(prompt_set(entry, item["label_set"], [item], index), index=index)
        key = half_of(entry), "true" if item["true"] else item["error"]
        total[key] += 1
        right[key] += judged.supported == item["true"]
        if shown in {key[0], "both"} and judged.supported != item["true"]:
            print(
                f"{key[1]:20} {entry:8} {item['text']}  [{judged.reason or ', '.join(judged.phrase.sources)}]"
            )
    return right, total


def table(right: Counts, total: Counts, halves: list[str]) -> None:
    """Print how many of each kind were judged rightly, true phrases first."""
    kinds: Counter[str] = Counter()
    for (_, kind), count in total.items():
        kinds[kind] += count
    print(f"{'kind':20} " + " ".join(f"{half:>18}" for half in halves))
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for kind, _ in kinds.most_common():
        cells = []
        for half in halves:
            good, count = right[half, kind], total[half, kind]
            cells.append(f"{good:4} of {count:4} {_percent(good, count)}")
            if kind != "true":
                sums[half][0] += good
                sums[half][1] += count
        print(f"{kind:20} " + " ".join(cells))
    print(f"{'all false':20} " + " ".join(f"{g:4} of {n:4} {_percent(g, n)}" for g, n in sums.values()))


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:5.1f}%" if whole else "     -"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--half", choices=["seen", "held"], help="one half only")
    parser.add_argument("--show", action="store_true", help="print the wrong verdicts of the half")
    parser.add_argument("--phrases", type=Path, default=PHRASES)
    options = parser.parse_args()
    phrases = yaml.safe_load(options.phrases.read_text(encoding="utf-8"))
    halves = [options.half] if options.half else ["seen", "held"]
    phrases = [item for item in phrases if half_of(item["class"]) in halves]
    right, total = judge(phrases, (options.half or "both") if options.show else None)
    table(right, total, halves)


if __name__ == "__main__":
    main()
