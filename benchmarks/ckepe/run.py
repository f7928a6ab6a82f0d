"""What the verifier refuses of a local model's phrases, and what it keeps: the kept replies played again.

    python benchmarks/ckepe/run.py [--draw 100 --seed 0 --set ptbxl-all]

Nothing is asked of a model: ``replies.sqlite`` holds its answers. With ``--draw`` that many kept phrases of
one set are listed, names apart, each with the passage it rests on, for somebody to read.
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import tempfile
from collections import Counter
from pathlib import Path

from merl.ckepe.generator import generate_prompts
from merl.ckepe.llm import ChatModel
from merl.ckepe.prompt_set import PromptSet
from merl.files import content_dir
from merl.knowledge.index import KnowledgeIndex

REPLIES = Path(__file__).with_name("replies.sqlite")
NAMES = sorted(path.parent.name for path in (content_dir("prompts") / "sets").glob("*/ckepe.yaml"))


def replay() -> dict[str, PromptSet]:
    """Make the shipped sets again; the replies are copied, for opening them writes beside them."""
    with tempfile.TemporaryDirectory() as folder:
        cache = shutil.copy(REPLIES, folder)
        with ChatModel("local:1.5b", cache=cache, offline=True) as model:
            return {name: generate_prompts(name, llm=model) for name in NAMES}


def table(sets: dict[str, PromptSet]) -> None:
    print("| label set | classes | proposed | kept | refused | |\n|---|---|---|---|---|---|")
    reasons: Counter[str] = Counter()
    for name, made in sets.items():
        entries = made.classes.values()
        kept = sum(len(entry.prompts) - 1 for entry in entries)  # but for the name, which is not the model's
        refused = [_gist(line.reason) for entry in entries for line in entry.rejected]
        reasons.update(refused)
        share = len(refused) / (kept + len(refused))
        print(f"| {name} | {len(entries)} | {kept + len(refused)} | {kept} | {len(refused)} | {share:.1%} |")
    print()
    for reason, count in reasons.most_common(12):
        print(f"{count:4d} {reason}")


def _gist(reason: str) -> str:
    """A reason without what it says of one phrase."""
    return re.sub(r"\b[A-Z0-9_./]{2,}\b", "...", re.split("[;:(]", reason)[0]).strip()


def draw(made: PromptSet, count: int, seed: int) -> None:
    index = KnowledgeIndex.default()
    passages = {passage.id: passage.text for entry in index.entries for passage in index.passages(entry)}
    kept = [(code, phrase) for code, entry in made.classes.items() for phrase in entry.prompts[1:]]
    for code, phrase in random.Random(seed).sample(kept, count):
        sign = "against" if phrase.polarity == "absent" else "for"
        said = " / ".join(passages[source] for source in phrase.sources)
        print(f"{sign} {code}: {phrase.text}\n    {', '.join(phrase.sources)}: {said}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draw", type=int, default=0, help="how many kept phrases to list")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", default="ptbxl-all", choices=NAMES, help="of which set")
    given = parser.parse_args()
    sets = replay()
    table(sets)
    if given.draw:
        print()
        draw(sets[given.set], given.draw, given.seed)


if __name__ == "__main__":
    main()
