"""The gold set stays what it was: no query of it becomes a term of an entry, or a wording of the glossary."""

import subprocess
import sys
from pathlib import Path

from merl.files import content_dir, read_yaml
from merl.knowledge.lookup import normalise

BENCHMARK = Path(__file__).parents[1] / "benchmarks" / "retrieval"


def test_the_gold_set_is_sound_and_no_query_became_a_term():
    done = subprocess.run(
        [sys.executable, str(BENCHMARK / "check_gold.py")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_no_query_stands_in_the_glossary_of_queries():
    glossary = read_yaml(content_dir("knowledge_base") / "glossary_queries.yaml")
    known = {normalise(text) for part in glossary.values() for many in part.values() for text in many}
    gold = read_yaml(BENCHMARK / "gold.yaml")
    assert [item["query"] for item in gold if not item["exact"] and normalise(item["query"]) in known] == []
