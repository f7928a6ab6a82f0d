"""How many planted errors the verifier refuses, and how many true phrases it keeps.

    python benchmarks/verifier/run.py [--show]

Each phrase is judged as `merl prompts verify` does it, beside its siblings where it belongs to a label set.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import yaml

from merl.ckepe.grounding import ground
from merl.ckepe.prompt_set import ClassPrompts, Generator, Phrase, PromptSet
from merl.knowledge.index import KnowledgeIndex
from merl.label_sets import load_label_set

PHRASES = Path(__file__).parent / "phrases.yaml"


def prompt_set(
    entry: str, label_set: str | None, phrases: list[dict[str, Any]], index: KnowledgeIndex
) -> PromptSet:
    prompts = tuple(Phrase(text=item["text"], polarity=item["polarity"]) for item in phrases)
    if label_set is None:
        classes = {entry: ClassPrompts(name=index.entries[entry].name, prompts=prompts)}
    else:
        classes = {
            code: ClassPrompts(name=item.name, prompts=prompts if item.entry == entry else ())
            for code, item in load_label_set(label_set).classes.items()
        }
    return PromptSet(
        label_set=label_set or "single", generator=Generator(kind="manual"), classes=classes, name="planted"
    )


def main(show: bool) -> None:
    index = KnowledgeIndex.default()
    groups: dict[tuple[str, str | None], list[dict[str, Any]]] = defaultdict(list)
    for item in yaml.safe_load(PHRASES.read_text(encoding="utf-8")):
        groups[item["class"], item["label_set"]].append(item)
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for (entry, label_set), items in groups.items():
        for item in items:  # one at a time: a true phrase may say the same as another one
            (judged,) = ground(prompt_set(entry, label_set, [item], index), index=index)
            kind = "true" if item["true"] else item["error"]
            total[kind] += 1
            right[kind] += judged.supported == item["true"]
            if show and judged.supported != item["true"]:
                print(f"{kind:22} {entry:10} {item['text']}  [{judged.reason or judged.phrase.sources}]")
    for kind, count in total.most_common():
        print(f"{kind:22} {right[kind]:4} of {count:4}  {100 * right[kind] / count:5.1f} %")
    false = sum(total.values()) - total["true"]
    refused = sum(right.values()) - right["true"]
    print(
        f"false refused {100 * refused / false:.1f} %, true kept {100 * right['true'] / total['true']:.1f} %"
    )


if __name__ == "__main__":
    main("--show" in sys.argv)
