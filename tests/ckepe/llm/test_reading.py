from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from merl.ckepe.llm import extract_json


@pytest.mark.parametrize(
    "text", ['{"a": 1}', 'Sure {not json} ```json\n{"a": 1}```', '<think>{"a": 2}</think> {"a": 1} and more']
)
def test_json_is_found_in_chatter(text):
    assert extract_json(text) == {"a": 1}


@settings(deadline=None)
@given(st.text(alphabet='{}[]",:a1 \\', max_size=60))
def test_whatever_a_model_says_is_json_or_a_value_error(text):
    with suppress(ValueError):
        assert isinstance(extract_json(text), dict)
