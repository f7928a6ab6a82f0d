import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from merl.encoders.attention_pool import AttentionPool
from merl.encoders.registry import ENCODERS
from merl.errors import CheckpointError, ConfigError
from merl.model import MERL, MERLConfig, TextIdentity
from merl.preprocessing import SignalSpec

SPEC = SignalSpec(leads=("I", "II"), sampling_rate=50, seconds=2)


def config(**changes):
    return MERLConfig(**{"name": "tiny", "embed_dim": 8, "heads": 2, "spec": SPEC, **changes})


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return MERL(config()).eval()


def test_attention_pooling_by_hand():
    torch.manual_seed(0)
    pool = AttentionPool(steps=3, dim=4, heads=1).double()
    x = torch.randn(1, 3, 4, dtype=torch.float64)
    weights = {name: tensor.detach().numpy() for name, tensor in pool.state_dict().items()}
    position, token = weights["positional_embedding"], weights["cls_token"][0, 0]
    rows = [token + 2 * position[0]]  # as released, the token's own position counts twice
    rows += [x[0, step].numpy() + position[step + 1] for step in range(3)]
    wq, wk, wv = np.split(weights["mhsa.in_proj_weight"], 3)
    bq, bk, bv = np.split(weights["mhsa.in_proj_bias"], 3)
    query = wq @ rows[0] + bq
    shares = np.exp([query @ (wk @ row + bk) / 2 for row in rows])  # 2: the root of the head's width
    value = sum(share * (wv @ row + bv) for share, row in zip(shares / shares.sum(), rows, strict=True))
    out = weights["mhsa.out_proj.weight"] @ value + weights["mhsa.out_proj.bias"]
    expected = weights["c_proj.weight"] @ out + weights["c_proj.bias"]
    np.testing.assert_allclose(pool(x).detach().numpy()[0], expected, atol=1e-12)


def test_attention_pooling_takes_shorter_sequences():
    pool = AttentionPool(steps=6, dim=4, heads=2)
    assert pool(torch.randn(5, 6, 4)).shape == pool(torch.randn(5, 3, 4)).shape == (5, 4)


def test_attention_pooling_is_multi_head_attention_of_the_first_position():
    torch.manual_seed(1)
    pool = AttentionPool(steps=5, dim=12, heads=3).double()
    torch.nn.init.normal_(pool.mhsa.in_proj_bias)
    x = torch.randn(4, 5, 12, dtype=torch.float64)
    sequence = torch.cat([(pool.cls_token + pool.positional_embedding[:1]).expand(4, 1, 12), x], dim=1)
    sequence = sequence + pool.positional_embedding
    expected, _ = pool.mhsa(sequence[:, :1], sequence, sequence)
    torch.testing.assert_close(pool(x), pool.c_proj(expected[:, 0]))


def test_embeddings_of_both_sides_meet(model):
    with torch.inference_mode():
        ecg = model.encode_ecg(torch.randn(3, 2, 100), normalize=True)
        text = model.encode_text(["sinus rhythm", "atrial fibrillation"], normalize=True)
    assert (ecg @ text.T).shape == (3, 2)
    for side in (ecg, text):
        torch.testing.assert_close(side.norm(dim=-1), torch.ones(len(side)))


@pytest.mark.parametrize("shape", [(1, 3, 100), (1, 2, 99), (2, 100), (1, 2, 100, 1)])
def test_signals_of_another_shape_are_refused(model, shape):
    with pytest.raises(CheckpointError, match=r"takes signals of shape \(batch, 2, 100\), got .*windows"):
        model.encode_ecg(torch.zeros(shape))


def test_the_text_encoder_is_no_part_of_the_weights(model):
    model.encode_text(["sinus rhythm"])
    assert not any("text_encoder" in name or "word" in name for name in model.state_dict())
    assert {"downconv.weight", "att_pool_head.cls_token", "linear1.weight", "proj_t.2.bias"} <= set(
        model.state_dict()
    )


def test_trained_text_layers_are_part_of_the_weights_and_move():
    torch.manual_seed(0)
    model = MERL(config(text=TextIdentity(trained_layers=1))).train()
    kept = {name: tensor.clone() for name, tensor in model.state_dict().items() if "text_layers" in name}
    assert kept
    assert not any(weight.requires_grad for weight in model.text_encoder.model.encoder.layer[0].parameters())
    before = model.eval().encode_text(["sinus rhythm"]).detach()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    model.project_text(model.text_encoder.embed(["sinus rhythm", "atrial flutter"])).sum().backward()
    optimizer.step()
    unmoved = [name for name, tensor in kept.items() if torch.equal(tensor, model.state_dict()[name])]
    assert all(name.endswith("key.bias") for name in unmoved)  # softmax is blind to a bias of the keys
    assert not torch.allclose(before, model.encode_text(["sinus rhythm"]))


def test_another_text_encoder_is_an_error():
    other = MERL(config(text=TextIdentity(name="MedCPT", sha256="0" * 64, dim=384)))
    with pytest.raises(CheckpointError, match=r"trained with the text encoder MedCPT \(0{12}\), but all-"):
        other.encode_text(["sinus rhythm"])


@pytest.mark.parametrize("encoder", ENCODERS)
def test_every_encoder_makes_a_model_for_two_leads(encoder):
    with torch.device("meta"):
        model = MERL(config(encoder=encoder))
        assert model.encode_ecg(torch.empty(3, 2, 100)).shape == (3, 8)
        embedding, pooled = model.ecg_views(torch.empty(3, 2, 100))
        assert model.linear1(pooled).shape == model.linear2(pooled).shape == embedding.shape


def test_a_vit_projects_as_released():
    torch.manual_seed(0)
    model = MERL(config(encoder="vit_tiny"))
    signals = torch.randn(5, 2, 100)
    embedding, pooled = model.train().ecg_views(signals)
    torch.testing.assert_close(pooled, model.ecg_encoder(signals))  # the unprojected vector, 192 wide
    first, norm, _, second, last_norm = model.proj_e
    hidden = torch.relu(F.batch_norm(first(pooled), None, None, norm.weight, norm.bias, training=True))
    again = F.batch_norm(second(hidden), None, None, last_norm.weight, last_norm.bias, training=True)
    torch.testing.assert_close(embedding, again)
    assert not {"downconv.weight", "att_pool_head.cls_token"} & model.state_dict().keys()


@pytest.mark.parametrize(("encoder", "width"), [("cnn", 512), ("vit_tiny", 192)])
def test_without_projections_the_mean_of_the_features_is_the_embedding(encoder, width):
    torch.manual_seed(0)
    model = MERL(config(encoder=encoder, embed_dim=width, projection="none")).eval()
    signals = torch.randn(2, 2, 100)
    features = model.ecg_encoder(signals)
    torch.testing.assert_close(
        model.encode_ecg(signals), features if encoder == "vit_tiny" else features.mean(-1)
    )
    assert all(name.startswith("ecg_encoder.") for name in model.state_dict())
    with pytest.raises(
        CheckpointError, match="embeds ECGs but cannot read text; it is an ECG encoder without"
    ):
        model.encode_text(["sinus rhythm"])


def test_a_model_without_its_text_encoder_says_what_to_give():
    other = MERL(config(text=TextIdentity(name="MedCPT", sha256="", dim=384, place="absent")))
    with pytest.raises(CheckpointError, match="import it again with --text and the folder of MedCPT"):
        other.encode_text(["sinus rhythm"])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"encoder": "resnt18"}, "unknown encoder 'resnt18'; did you mean 'resnet18'"),
        ({"embed_dim": 10, "heads": 4}, "embed_dim 10 cannot be divided among 4 attention heads"),
        ({"projection": "none"}, "without projection embed_dim is the width of resnet18: 512"),
        (
            {"encoder": "vit_tiny", "spec": SignalSpec(sampling_rate=50, seconds=1.5)},
            "75 samples are no mult",
        ),
    ],
)
def test_a_model_that_cannot_be_built_says_why(changes, sentence):
    with pytest.raises(ConfigError, match=sentence):
        MERL(config(**changes))


def test_evaluation_leaves_no_dropout_or_statistics_behind(model):
    assert not any(isinstance(part, nn.Dropout) for part in model.modules())
    before = model.ecg_encoder.bn1.running_mean.clone()
    model.encode_ecg(torch.randn(4, 2, 100))
    assert torch.equal(before, model.ecg_encoder.bn1.running_mean)


@pytest.mark.parametrize("encoder", ["resnet18", "vit_tiny"])
def test_linear_heads_are_one_map_of_the_mean_over_time(encoder):
    model = MERL(config(encoder=encoder, projection="linear")).eval()
    signals = torch.randn(2, 2, 100)
    embedding, pooled = model.ecg_views(signals)
    torch.testing.assert_close(embedding, pooled @ model.proj_e.weight.T + model.proj_e.bias)
    assert sum(weight.numel() for weight in model.proj_t.parameters()) == 384 * 8 + 8


def test_concat_heads_map_the_standardised_mean_and_maximum_over_time():
    model = MERL(config(projection="concat"))
    signals = torch.randn(16, 2, 100)
    features = model.ecg_encoder(signals)
    embedding, pooled = model.ecg_views(signals)
    torch.testing.assert_close(pooled, torch.cat([features.mean(-1), features.amax(-1)], dim=1))
    standardised = (pooled - pooled.mean(0)) / (pooled.var(0, unbiased=False) + 1e-5).sqrt()
    head = model.proj_e[1]
    torch.testing.assert_close(embedding, standardised @ head.weight.T + head.bias, rtol=1e-3, atol=1e-4)
    assert model.linear1.in_features == pooled.shape[1]
    alone, together = (model.eval().encode_ecg(part) for part in (signals[:1], signals))
    torch.testing.assert_close(alone, together[:1], rtol=1e-3, atol=1e-4)


def test_concat_heads_of_an_encoder_without_a_feature_map_take_what_it_gives():
    model = MERL(config(encoder="vit_tiny", projection="concat")).eval()
    embedding, pooled = model.ecg_views(torch.randn(2, 2, 100))
    assert embedding.shape == (2, 8)
    assert pooled.shape == (2, model.ecg_encoder.width)
