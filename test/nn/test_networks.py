"""The networks: shapes, and padding that takes no part."""

import math

import pytest
import torch

from ctap.config import from_dict, to_dict
from ctap.data.batch import lengths_to_mask
from ctap.errors import UserError
from ctap.nn.ctap import CTAP, CTAPConfig
from ctap.nn.duration import DurationConfig
from ctap.nn.phoneme_decoder import PhonemeDecoder
from ctap.nn.positions import make_positions, rotate
from ctap.nn.prompt_encoder import PromptConfig, PromptEncoder, sample_gaussian
from ctap.nn.transformer import StackConfig, TransformerStack, plain_attention
from ctap.nn.vocoder import VocoderConfig

POSITIONS = ["absolute", "random_offset", "rotary", "none"]


def stack(positions="rotary", fold=1):
    sizes = {"layers": 2, "dim": 16, "heads": 2, "ffn": 32, "dropout": 0.1}
    return {**sizes, "positions": positions, "fold": fold}


def small(positions="rotary", fold=1, **more):
    torch.manual_seed(0)
    prompt = {"channels": [8, 16], "dim": 6, "frames": 40, "reduction": 2, "summary": "recurrent"}
    config = {
        "embed_dim": 8,
        "speech_encoder": stack(positions, fold),
        "phoneme_encoder": stack(positions, fold),
        "decoder": stack(positions, fold),
        "prompt_encoder": prompt,
        "postnet_dim": 8,
        **more,
    }
    return CTAP(from_dict(CTAPConfig, config, "test"), n_tokens=20).eval()


PHONES = {"phoneme_encoder": {**stack(fold=2), "phone_layers": 1, "places": True}}
VARIANTS = [*({"positions": p} for p in POSITIONS), {"instance_norm": True}, {"fold": 2}, {"fold": 3}, PHONES]


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_padding_changes_nothing(variant):
    """An utterance's S, P and mel are the same alone and beside a longer one whose padding holds rubbish."""
    model = small(**variant)
    durations = torch.tensor([[3, 9, 4]])
    tokens = torch.tensor([[4, 7, 2]])
    mel, g = torch.randn(1, 16, 40), torch.randn(1, 6)
    s = model.speech_encoder(mel)
    p = model.phoneme_encoder(tokens, durations, 16)
    out = model.decoder(s, g)

    mask = lengths_to_mask(torch.tensor([16, 25]), 25)
    both_mel = torch.full((2, 25, 40), 1e3)
    both_mel[0, :16] = mel[0]
    both_mel[1] = torch.randn(25, 40)
    both_durations = torch.tensor([[3, 9, 4, 0], [5, 5, 5, 10]])
    both_tokens = torch.tensor([[4, 7, 2, 0], [1, 2, 3, 4]])
    s2 = model.speech_encoder(both_mel, mask)
    p2 = model.phoneme_encoder(both_tokens, both_durations, 25, mask)
    out2 = model.decoder(s2, g.expand(2, -1), mask)
    torch.testing.assert_close(s2[:1, :16], s, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(p2[:1, :16], p, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(out2[:1, :16], out, atol=1e-5, rtol=1e-4)


def test_outputs_are_layer_normed():
    """Section 3.1: S and P are layer-normalised, so that S.P = d cos of the two."""
    s = small().speech_encoder(torch.randn(2, 30, 40))
    torch.testing.assert_close(s.mean(dim=-1), torch.zeros(2, 30), atol=1e-5, rtol=0)
    torch.testing.assert_close(s.square().sum(dim=-1), torch.full((2, 30), 8.0), atol=1e-2, rtol=0)


@pytest.mark.parametrize(
    ("config", "sizes", "message"),
    [
        (StackConfig, {"dim": 100, "heads": 8}, "dim 100 must be a multiple of twice the heads"),
        (StackConfig, {"fold": 0}, "fold: expected 1 to 8"),
        (DurationConfig, {"sampling_steps": 0}, "sampling_steps: expected 1 to 100"),
        (DurationConfig, {"sampling_steps": 101}, "sampling_steps: expected 1 to 100"),
        (VocoderConfig, {"kernel": 4}, "kernel: expected an odd number"),
    ],
)
def test_sizes_that_fit_nothing_are_refused_before_a_training(config, sizes, message):
    with pytest.raises(UserError, match=message):
        config(**sizes)


@pytest.mark.parametrize("variant", [{"fold": 1}, {"fold": 2}, PHONES], ids=str)
def test_gradients_reach_every_weight(variant):
    model = small(**variant).train()
    mel = torch.randn(2, 30, 40)
    s = model.speech_encoder(mel)
    p = model.phoneme_encoder(torch.tensor([[3, 4], [5, 6]]), torch.tensor([[10, 20], [15, 15]]), 30)
    mean, log_variance = model.prompt_encoder(mel)
    out = model.decoder(s + p, mean + log_variance)
    out.square().mean().backward()
    lacking = [n for n, w in model.named_parameters() if w.grad is None or not w.grad.abs().sum()]
    assert lacking == ["log_scale"]  # which is the contrastive loss's


def test_rotary_sees_distances_only_and_absolute_sees_the_clock():
    x = torch.randn(1, 12, 16)
    outputs = {}
    for name in ("rotary", "absolute"):
        torch.manual_seed(1)
        net = TransformerStack(from_dict(StackConfig, stack(name), "test")).eval()
        outputs[name] = [net(x, offset=o) for o in (0, 137)]
    torch.testing.assert_close(outputs["rotary"][0], outputs["rotary"][1], atol=2e-4, rtol=1e-3)
    assert (outputs["absolute"][0] - outputs["absolute"][1]).abs().max() > 0.1


def test_positions_are_those_of_whisper_and_of_roformer():
    """By hand: sines and cosines of Whisper's wavelengths; pairs turned by the frame times 10000^(-2i/K)."""
    found = make_positions("absolute").add(torch.zeros(1, 7, 8), offset=100)[0]
    angles = [[t / 10000 ** (i / 3) for i in range(4)] for t in range(100, 107)]
    expected = torch.tensor([[*map(math.sin, row), *map(math.cos, row)] for row in angles])
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)
    x = torch.randn(1, 1, 7, 6)
    turned = rotate(x, make_positions("rotary").rotation(7, 6, 100, x))
    turns = torch.tensor([[t * 10000 ** (-2 * i / 6) for i in range(3)] for t in range(100, 107)])
    expected = torch.complex(x[..., :3], x[..., 3:]) * torch.polar(torch.ones_like(turns), turns)
    torch.testing.assert_close(turned, torch.cat([expected.real, expected.imag], -1), atol=1e-4, rtol=0)


def test_plain_attention_is_attention():
    """Beside PyTorch's in double precision; and a training in bfloat16 takes it and comes near to float32."""
    torch.manual_seed(0)
    q, k, v = torch.randn(3, 2, 4, 11, 8, dtype=torch.float64)
    keys = lengths_to_mask(torch.tensor([11, 6]), 11)[:, None, None]
    for given in (None, keys):
        expected = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=given)
        torch.testing.assert_close(plain_attention(q, k, v, given), expected)
    net, x = TransformerStack(from_dict(StackConfig, stack(), "test")).eval(), torch.randn(2, 11, 16)
    found = {}
    for half in (False, True):
        x.grad = None
        x.requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            y = net(x, keys.flatten(1))
        y.float().square().mean().backward()
        found[half] = y.float(), x.grad
        assert ("ScaledDot" in _names(y.grad_fn)) != half
    for whole, rough in zip(found[False], found[True], strict=True):
        assert (whole - rough).norm() < 0.02 * whole.norm()


def test_dropout_is_on_what_attention_and_feed_forward_add():
    """With nearly all of it dropped a stack hands on what it is given."""
    net = TransformerStack(StackConfig(2, 16, 2, 32, dropout=1 - 1e-9, positions="none"))
    x = torch.randn(1, 12, 16)
    torch.testing.assert_close(net(x), x)
    assert not torch.allclose(net.eval()(x), x, atol=0.01)


def _names(node, seen=None):
    """Names of all steps of a gradient's graph."""
    seen = set() if seen is None else seen
    if node is None or node in seen:
        return ""
    seen.add(node)
    return " ".join([node.name(), *(_names(n, seen) for n, _ in node.next_functions)])


def test_folded_frames_are_neighbours():
    """Blocks that do nothing: each frame meets the frames of its group and no others, and keeps its own."""
    net = TransformerStack(from_dict(StackConfig, {**stack("none", fold=3), "layers": 0}, "test"))
    x = torch.randn(1, 8, 16)
    changed = x.clone()
    changed[0, 4] += 1

    def met(seed=0):
        outputs = []
        for given in (x, changed):
            torch.manual_seed(seed)
            outputs.append(net(given)[0])
        return tuple(((outputs[0] - outputs[1]).abs().amax(1) > 1e-6).nonzero().flatten().tolist())

    assert {met(seed) for seed in range(20)} == {(2, 3, 4), (3, 4, 5), (4, 5, 6)}  # in training: no clock
    net.eval()
    assert {met(seed) for seed in range(20)} == {(3, 4, 5)}
    torch.nn.init.zeros_(net.spread.weight)
    torch.nn.init.zeros_(net.spread.bias)
    torch.testing.assert_close(net(x), x)
    with pytest.raises(UserError, match="fold: expected 1 to 8"):
        StackConfig(fold=0)


def test_random_offsets_are_independent_in_training_and_absent_afterwards():
    scheme = make_positions("random_offset").train()
    x = torch.zeros(2, 5, 8)
    first, second = scheme.add(x), scheme.add(x)
    assert not torch.equal(first, second)
    assert not torch.equal(first[0], first[1])
    torch.testing.assert_close(scheme.eval().add(x), make_positions("absolute").add(x))
    clock = make_positions("absolute").add(torch.zeros(1, 1100, 8))[0]
    found = torch.cdist(scheme.train().add(torch.zeros(300, 1, 8))[:, 0], clock).min(dim=1)
    assert found.values.max() < 1e-3 and found.indices.min() < 100 and 900 < found.indices.max() < 1000


@pytest.mark.parametrize("summary", ["recurrent", "mean"])
def test_prompt_encoder_has_the_papers_shape(summary):
    config = PromptConfig(summary=summary)
    mean, log_variance = PromptEncoder(40, config)(torch.randn(2, 300, 40))
    assert mean.shape == log_variance.shape == (2, 512)


def test_a_log_variance_is_bounded_softly():
    """A prompt encoder that is at the bound finds its way back."""
    net = PromptEncoder(40, PromptConfig(channels=[4], dim=3))
    torch.nn.init.constant_(net.statistics.bias, 30.0)
    log_variance = net(torch.randn(2, 30, 40))[1]
    assert ((log_variance > 9) & (log_variance < 10)).all()
    log_variance.sum().backward()
    assert (net.statistics.bias.grad[3:] > 0).all()


def test_a_prompt_embedding_is_drawn_with_its_mean_and_variance():
    drawn = sample_gaussian(torch.full((20000,), 3.0), torch.full((20000,), 2.0))
    assert drawn.mean().item() == pytest.approx(3.0, abs=0.1)
    assert drawn.var().item() == pytest.approx(math.exp(2.0), rel=0.1)


def test_phoneme_decoder_shapes():
    net = PhonemeDecoder(8, 20, 11, from_dict(StackConfig, stack(), "test"))
    phones, units = net(torch.randn(2, 9, 8), lengths_to_mask(torch.tensor([9, 4]), 9))
    assert phones.shape == (2, 9, 20)
    assert units.shape == (2, 9, 11)
    assert PhonemeDecoder(8, 20, 0, StackConfig(1, 16, 2, 16))(torch.randn(1, 3, 8))[1] is None
    (phones.mean() + units.mean()).backward()
    assert all(w.grad is not None for w in net.parameters())
    s = torch.randn(2, 9, 8)
    beside, alone = net.eval()(s, lengths_to_mask(torch.tensor([9, 4]), 9)), net(s[1:, :4])
    for found, expected in zip(beside, alone, strict=True):
        torch.testing.assert_close(found[1:, :4], expected, atol=1e-5, rtol=1e-4)


def test_temperature_starts_for_the_dimension_and_is_capped():
    """S.P = d cos for layer-normed S and P: CLIP's 14.3 and 100 are divided by d."""
    model = CTAP(from_dict(CTAPConfig, {**to_dict(small().config), "embed_dim": 16}, "test"), n_tokens=20)
    assert model.scale.item() == pytest.approx(14.3 / 16)
    with torch.no_grad():
        model.log_scale.fill_(10.0)
    model.cap_scale()
    assert model.scale.item() == pytest.approx(100 / 16)


def test_instance_norm_takes_out_level_and_spread_of_every_bin():
    model, mel = small(instance_norm=True), torch.randn(2, 50, 40)
    level, spread = torch.randn(2, 1, 40), torch.rand(2, 1, 40) + 0.5
    s, moved = model.speech_encoder(mel), model.speech_encoder(mel * spread + level)
    torch.testing.assert_close(s, moved, atol=0.02, rtol=0.0)
    assert (small().speech_encoder(mel) - small().speech_encoder(mel * spread + level)).abs().max() > 0.2
