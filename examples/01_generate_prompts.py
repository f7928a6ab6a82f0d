"""Generate prompts for a label set of your own, and see what each phrase rests on."""

import merl

prompts = merl.generate_prompts(
    {"AFIB": "atrial fibrillation", "LBBB": "left bundle branch block"}, llm="none"
)
for code, item in prompts.classes.items():
    print(code, item.name)
    for phrase in item.prompts:
        sign = "-" if phrase.polarity == "absent" else "+"
        print(f"  {sign} {phrase.text}  [{', '.join(phrase.sources)}]")
