"""Pretrain a small model on pairs of ECG and report, and score an ECG with it; no label is read.

It reads PTB-XL from the folder ``ptb-xl``, where ``merl data download ptb-xl`` puts it. One epoch of a small
network takes minutes and makes a poor model: ``merl pretrain ptbxl-r18-100hz`` makes the shipped one.
"""

from pathlib import Path

import merl
from merl.preprocessing import SignalSpec
from merl.pretraining.config import PretrainConfig
from merl.pretraining.run import pretrain
from merl.simulation import Rhythm, simulate

config = PretrainConfig(
    name="tiny",
    encoder="cnn",
    embed_dim=128,
    spec=SignalSpec(sampling_rate=100, seconds=10),
    folds=range(1, 9),  # 9 is for choosing, 10 for the very end
    epochs=1,
    batch_size=16,
)
model = pretrain(config, data=Path("ptb-xl"), out=Path("tiny"))  # called again, a stopped run goes on

prompts = merl.generate_prompts({"AFIB": "atrial fibrillation", "SR": "sinus rhythm"})
classifier = merl.ZeroShotClassifier(model, prompts)
scores = classifier.decision_function([simulate(Rhythm(fibrillation=True))])[0]
print(
    f"{model.name}:",
    {code: round(float(score), 3) for code, score in zip(classifier.classes_, scores, strict=True)},
)
