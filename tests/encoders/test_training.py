import numpy as np
import pytest
import torch
import torch.nn.functional as F

from merl.ckepe.prompt_set import PromptSet
from merl.classifier import ZeroShotClassifier
from merl.encoders.registry import ENCODERS
from merl.model import MERL, MERLConfig
from merl.objectives import cma, uma
from merl.preprocessing import SignalSpec
from merl.records import ECGRecord

SPEC = SignalSpec(leads=("II", "V1"), sampling_rate=50, seconds=2, missing_leads="zero")
KINDS = ["resnet18", "vit_tiny", "cnn", "recurrent", "se_resnet"]


@pytest.mark.parametrize("encoder", KINDS)
def test_a_model_of_two_leads_trains_and_scores_one(encoder, simulated):
    torch.manual_seed(0)
    model = MERL(MERLConfig(name="two", encoder=encoder, embed_dim=8, spec=SPEC)).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    signals, text = torch.randn(6, 2, 100), F.normalize(torch.randn(6, 384), dim=-1)
    losses = []
    for _ in range(6):
        ecg, pooled = model.ecg_views(signals)
        loss = cma(F.normalize(ecg, dim=-1), model.project_text(text, normalize=True), 0.5)
        first, second = (F.normalize(head(pooled), dim=-1) for head in (model.linear1, model.linear2))
        loss = loss + uma(first, second, 0.5)
        optimizer.zero_grad()
        loss.backward()
        assert all(weight.grad is not None for weight in model.parameters())
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]

    holter = ECGRecord(simulated(seconds=5, rate=360)[[1]].astype(np.float32), 360, ("II",))
    classifier = ZeroShotClassifier(
        model.eval(), PromptSet.plain({"SR": "sinus rhythm", "AFIB": "fibrillation"})
    )
    scores = classifier.decision_function([holter])
    assert scores.shape == (1, 2)
    assert (np.abs(scores) <= 1).all()


def test_every_family_of_encoders_is_trained_here():
    with torch.device("meta"):
        families = {name: type(ENCODERS[name]()) for name in ENCODERS}
    assert {families[name] for name in KINDS} == set(families.values())
