"""The shipped ``ckepe`` sets, made again from the kept replies of the model that worded them."""

import shutil

import pytest

from merl.ckepe.generator import generate_prompts
from merl.ckepe.llm import ChatModel
from merl.ckepe.prompt_set import PromptSet
from merl.files import content_dir

REPLIES = content_dir("prompts").parent / "benchmarks" / "ckepe" / "replies.sqlite"
NAMES = sorted(path.parent.name for path in (content_dir("prompts") / "sets").glob("*/ckepe.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_set_is_what_its_replies_and_the_verifier_give(name, tmp_path):
    shutil.copy(REPLIES, tmp_path / "replies.sqlite")
    with ChatModel("local:1.5b", cache=tmp_path / "replies.sqlite", offline=True) as model:
        made = generate_prompts(name, llm=model)
    shipped = PromptSet.find("ckepe", name)
    assert shipped.generator.llm == "local:1.5b"
    assert made.classes == shipped.classes
