import pytest
import torch

from merl.errors import ConfigError
from merl.pretraining.augmentation import LIMB_LEADS, add_noise, augment, mask_leads, shift
from merl.records import STANDARD_LEADS


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def kept(signals, masked):
    """Which leads are left, shape (batch, leads); those that are left are untouched."""
    alive = (masked != 0).any(-1)
    assert torch.equal(masked[alive], signals[alive])
    return alive


@pytest.fixture(scope="module")
def signals():
    return torch.randn(400, 12, 20, generator=seeded(1)) + 10


def test_a_shift_is_one_rotation_of_all_leads(signals):
    turns = []
    for before, after in zip(signals, shift(signals, 0.25, seeded()), strict=True):
        found = [step for step in range(-9, 11) if torch.equal(before.roll(step, -1), after)]
        assert len(found) == 1
        turns += found
    assert set(turns) == set(range(-5, 6))  # a quarter of 20 samples to either side


def test_masked_records_keep_any_number_of_leads_but_none(signals):
    alive = kept(signals, mask_leads(signals, 1.0, seeded(), leads=STANDARD_LEADS))
    assert set(alive.sum(1).tolist()) == set(range(1, 13))
    assert alive.any(0).all()
    assert not alive.all(0).any()  # no lead is spared


def test_only_a_share_is_masked(signals):
    whole = kept(signals, mask_leads(signals, 0.3, seeded(), leads=STANDARD_LEADS)).all(1)
    assert 0.66 < whole.float().mean() < 0.80  # 0.7 and one in twelve of the rest, which keep all


def test_single_leaves_one_lead_or_the_limb_leads(signals):
    leads = (*STANDARD_LEADS[6:], *reversed(STANDARD_LEADS[:6]))  # by name, wherever they are
    alive = kept(signals, mask_leads(signals, 0.5, seeded(), leads=leads, single=1.0))
    one = alive.sum(1) == 1
    limb = torch.tensor([lead in LIMB_LEADS for lead in leads])
    assert (alive[~one] == limb).all()
    assert 0.4 < one.float().mean() < 0.6
    assert alive[one].any(0).all()
    assert (kept(signals, mask_leads(signals, 0.0, seeded(), leads=leads, single=0.2)).all(1)).sum() > 300


def test_without_limb_leads_single_leaves_one_lead(signals):
    chest = signals[:, 6:]
    alive = kept(chest, mask_leads(chest, 0.0, seeded(), leads=STANDARD_LEADS[6:], single=1.0))
    assert (alive.sum(1) == 1).all()


def test_names_that_do_not_fit_are_refused(signals):
    with pytest.raises(ConfigError, match="2 lead names for 12 leads"):
        mask_leads(signals, 0.5, seeded(), leads=("I", "II"))


def test_noise_has_the_asked_deviation_and_keeps_the_precision(signals):
    added = add_noise(signals, 0.05, seeded()) - signals
    assert added.mean().abs() < 1e-3
    assert added.std() == pytest.approx(0.05, rel=0.02)
    assert add_noise(signals.half(), 0.05, seeded()).dtype == torch.float16


def test_all_together_are_the_single_steps_in_order(signals):
    generator = seeded(3)
    by_hand = add_noise(shift(signals, 0.5, generator), 0.1, generator)
    by_hand = mask_leads(by_hand, 0.4, generator, leads=STANDARD_LEADS, single=0.2)
    given = {"crop_shift": 0.5, "noise": 0.1, "lead_masking": 0.4, "single": 0.2}
    before = signals.clone()
    assert torch.equal(augment(signals, seeded(3), leads=STANDARD_LEADS, **given), by_hand)
    assert torch.equal(signals, before)
    assert augment(signals, seeded(3), leads=STANDARD_LEADS) is signals
    assert torch.equal(signals, before)
    assert (augment(signals, seeded(3), leads=STANDARD_LEADS, single=1.0) == 0).any()
