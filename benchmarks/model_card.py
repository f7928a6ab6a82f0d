"""Lay out results of ``merl evaluate ... --json FILE`` as the results section of a model card, in Markdown.

python benchmarks/model_card.py super.json sub.json form.json rhythm.json >> merl/weights/NAME/README.md
"""

from __future__ import annotations

import sys

from merl.evaluation.result import PromptSetResult, Result


def main(paths: list[str]) -> None:
    """Print a table of macro AUROC and one of every class."""
    results = [Result.load(path) for path in paths]
    first = results[0]
    print(f"\n## Results\n\nMacro AUROC x100 on {first.dataset}, split {first.split}, with 95 % intervals by")
    print(f"{first.bootstrap.unit}s over {first.bootstrap.resamples} resamples.")
    if first.checkpoint.in_distribution:
        print("**In distribution**: other folds of this data set were trained on, without labels.")
    print("\n| task | leads | prompts | all classes | classes with 10 positives or more |")
    print("|---|---|---|---|---|")
    for result in results:
        leads = ", ".join(result.leads) if result.leads else "all"
        for item in result.prompt_sets:
            print(f"| {result.task} | {leads} | {item.name} | {_all(item)} | {_frequent(item)} |")
    print("\n| task | class | positives | " + " | ".join(item.name for item in first.prompt_sets) + " |")
    print("|---|---|---|" + "---|" * len(first.prompt_sets))
    for result in (result for result in results if result.leads is None):
        for code, measured in result.prompt_sets[0].per_class.items():
            scores = [item.per_class[code].auroc for item in result.prompt_sets]
            cells = " | ".join("not scored" if score is None else f"{100 * score:.1f}" for score in scores)
            print(f"| {result.task} | {code} | {measured.positives} | {cells} |")


def _all(item: PromptSetResult) -> str:
    return _cell(item.macro_auroc, item.interval)


def _frequent(item: PromptSetResult) -> str:
    return _cell(item.macro_auroc_min10, item.interval_min10)


def _cell(score: float | None, interval: tuple[float, float] | None) -> str:
    if score is None or interval is None:
        return "none"
    return f"{100 * score:.1f} ({100 * interval[0]:.1f}-{100 * interval[1]:.1f})"


if __name__ == "__main__":
    main(sys.argv[1:])
