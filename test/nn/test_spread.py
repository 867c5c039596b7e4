"""The spread of mels: cepstra as another library has them, deviations multiplied, padding left out."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.fft import dct

from ctap.audio.cepstrum import cepstral_basis
from ctap.nn.decoder import Decoder
from ctap.nn.refiner import RefinerConfig
from ctap.nn.spread import LIMITS, SpreadMeter, spread_out
from ctap.nn.transformer import StackConfig
from test import tiny


def deviations(mel):
    """Of scipy's cepstra from their means over the utterance, [T, M]."""
    cepstra = dct(np.asarray(mel, dtype=np.float64), norm="ortho", axis=-1)
    return cepstra - cepstra.mean(0)


def test_the_basis_is_the_orthonormal_cosine_transform():
    mel = np.random.default_rng(0).normal(size=(5, 40)).astype(np.float32)
    assert np.allclose(mel @ cepstral_basis(40), dct(mel, norm="ortho", axis=1), atol=1e-5)


@given(lengths=st.lists(st.integers(1, 30), min_size=1, max_size=4), seed=st.integers(0, 999))
def test_deviations_are_multiplied_and_means_stay(lengths, seed):
    """Of each utterance, whatever it is padded with."""
    generator = torch.Generator().manual_seed(seed)
    mel = torch.randn(len(lengths), max(lengths), 12, generator=generator)
    factors = 0.5 + 2 * torch.rand(12, generator=generator)
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    found = spread_out(mel, factors, mask)
    for one, was, n in zip(found, mel, lengths, strict=True):
        assert np.allclose(deviations(one[:n]), deviations(was[:n]) * factors.numpy(), atol=1e-4)
        assert torch.allclose(one[:n].mean(0), was[:n].mean(0), atol=1e-5)
        assert torch.allclose(one[:n], spread_out(was[None, :n], factors)[0], atol=1e-5)


def test_what_was_taken_from_the_deviations_is_found_again():
    """Over utterances of different means and lengths; padding does not count."""
    generator = torch.Generator().manual_seed(1)
    lost = 0.6 + 0.9 * torch.rand(12, generator=generator)
    meter = SpreadMeter(12)
    for _ in range(3):
        mel = torch.randn(4, 25, 12, generator=generator) + 5 * torch.randn(4, 1, 12, generator=generator)
        mask = torch.arange(25) < torch.tensor([25, 3, 14, 9])[:, None]
        smooth = spread_out(mel, lost, mask)
        smooth[~mask] = 99.0
        meter.add(mel, smooth, mask)
    assert torch.allclose(meter.factors(), 1 / lost, rtol=1e-3)


def test_factors_have_limits_and_what_never_moves_is_left():
    meter, mask = SpreadMeter(3), torch.ones(1, 50, dtype=torch.bool)
    cepstra = torch.randn(1, 50, 3, generator=torch.Generator().manual_seed(2))
    basis = torch.tensor(cepstral_basis(3), dtype=torch.float32)
    meter.add(cepstra @ basis.T, (cepstra * torch.tensor([100.0, 1e-3, 1.0])) @ basis.T, mask)
    assert meter.factors()[:2].tolist() == list(LIMITS)
    assert meter.factors()[2].item() == pytest.approx(1.0, rel=1e-3)
    assert SpreadMeter(3).factors().tolist() == [1, 1, 1]


@pytest.mark.parametrize("layers", [0, 1])
def test_the_decoder_spreads_out_what_is_heard_and_nothing_else(layers):
    torch.manual_seed(0)
    refiner = RefinerConfig(**{**tiny.STACK, "layers": layers}, steps=2)
    decoder = Decoder(12, 8, 8, StackConfig(**tiny.STACK), 16, refiner).eval()
    embedding, g = torch.randn(1, 20, 8), torch.randn(1, 8)
    with torch.no_grad():
        predicted, heard = decoder(embedding, g), decoder.speak(embedding, g)
        assert not decoder.spreads and torch.equal(predicted, heard) == (not layers)
        decoder.spread.copy_(torch.linspace(0.8, 2, 12))
        assert torch.equal(decoder(embedding, g), predicted)
        spread = decoder.speak(embedding, g)
    assert np.allclose(deviations(spread[0]), deviations(heard[0]) * np.linspace(0.8, 2, 12), atol=1e-4)
    assert not any("spread" in name for name in decoder.state_dict())  # models without it load as ever
