"""Ask whether enriched prompts beat the plain class names on labelled ECGs, with confidence intervals.

It reads PTB-XL from the folder ``ptb-xl``, where ``merl data download ptb-xl`` puts it.
"""

import merl

result = merl.evaluate(
    "ptbxl-rhythm",
    data="ptb-xl",
    prompts=["plain", "knowledge"],
    model=merl.load_model("ptbxl-r18-100hz"),
    split="val",  # the test split is for the very end
)
for item in result.prompt_sets:
    low, high = item.interval
    print(f"{item.name:10} macro AUROC {item.macro_auroc:.3f} ({low:.3f} to {high:.3f})")
for difference in result.comparisons:
    low, high = difference.interval
    print(f"{difference.b} less {difference.a}: {difference.difference:+.3f} ({low:+.3f} to {high:+.3f})")
for code, score in result.prompt_sets[-1].per_class.items():
    if score.auroc is not None:  # a class without positives in the split has none
        print(f"  {code:5} {score.auroc:.3f} of {score.positives} positives")
