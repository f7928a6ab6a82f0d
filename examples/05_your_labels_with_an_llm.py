"""Let a language model word the prompts of your own label set; every answer is kept and never paid twice.

Any OpenAI-compatible server will do: ``MERL_LLM_URL=http://localhost:8000/v1 MERL_LLM=openai:MODEL``. Without
one the prompts are composed from the knowledge alone.
"""

import os

import merl
from merl.ckepe.llm import ChatModel

labels = {"AFIB": "atrial fibrillation", "LBBB": "left bundle branch block"}
server = os.environ.get("MERL_LLM_URL")

if server:
    with ChatModel(os.environ.get("MERL_LLM", "openai:default"), server, cache="replies.sqlite") as llm:
        prompts = merl.generate_prompts(labels, llm=llm)
        print(f"{llm.usage.asked} answers, {llm.usage.cached} more from the cache")
else:
    prompts = merl.generate_prompts(labels, llm="none")

prompts.save("my-labels.yaml")
for code, item in prompts.classes.items():
    print(f"{code}: {len(item.prompts)} phrases kept, {len(item.rejected)} rejected")
    for rejected in item.rejected[:3]:
        print(f"  rejected {rejected.text!r}: {rejected.reason}")
