"""Zero-shot ECG classification with prompts that can be trusted.

``import merl`` is light: every name below is imported when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "ECGRecord": "merl.records",
    "read_record": "merl.readers",
    "LabelSet": "merl.label_sets",
    "load_label_set": "merl.label_sets",
    "PromptSet": "merl.ckepe.prompt_set",
    "generate_prompts": "merl.ckepe.generator",
    "KnowledgeIndex": "merl.knowledge.index",
    "load_model": "merl.checkpoints",
    "ZeroShotClassifier": "merl.classifier",
    "evaluate": "merl.evaluation.run",
}

if TYPE_CHECKING:
    from merl.checkpoints import load_model as load_model
    from merl.ckepe.generator import generate_prompts as generate_prompts
    from merl.ckepe.prompt_set import PromptSet as PromptSet
    from merl.classifier import ZeroShotClassifier as ZeroShotClassifier
    from merl.evaluation.run import evaluate as evaluate
    from merl.knowledge.index import KnowledgeIndex as KnowledgeIndex
    from merl.label_sets import LabelSet as LabelSet
    from merl.label_sets import load_label_set as load_label_set
    from merl.readers import read_record as read_record
    from merl.records import ECGRecord as ECGRecord

__all__ = [
    "ECGRecord",
    "KnowledgeIndex",
    "LabelSet",
    "PromptSet",
    "ZeroShotClassifier",
    "__version__",
    "evaluate",
    "generate_prompts",
    "load_label_set",
    "load_model",
    "read_record",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'merl' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
