"""Log-mel and waveforms a part at a time."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from ctap.audio import long
from ctap.audio.frames import num_frames
from ctap.audio.griffin_lim import GriffinLim
from ctap.audio.logmel import log_mel
from ctap.audio.settings import AudioSettings

SETTINGS = AudioSettings()


@pytest.mark.parametrize("samples", [24000, 24001, 47999, 11 * 2400 + 1, 240 * 40 - 1, 240 * 40])
def test_log_mel_is_the_same_in_parts(monkeypatch, samples):
    monkeypatch.setattr(long, "PART", 20)
    wave = torch.randn(samples, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(long.long_log_mel(wave, SETTINGS), log_mel(wave, SETTINGS))


def speech(frames):
    """Noise that comes and goes."""
    time = np.arange(frames * 240) / 24000
    noise = 0.2 * np.random.default_rng(0).normal(size=len(time)) * (np.sin(2 * np.pi * 2 * time) > -0.5)
    return log_mel(torch.from_numpy(noise.astype(np.float32)), SETTINGS)[:frames]


def test_parts_are_cut_where_it_is_quiet_and_faded_into_each_other(monkeypatch):
    monkeypatch.setattr(long, "PART", 120)
    mel = speech(500)
    cuts = long.quiet_cuts(mel)
    assert cuts[0] == 0 and cuts[-1] == 500
    assert all(40 <= b - a <= 120 for a, b in pairwise(cuts))
    level = mel.mean(dim=1)
    assert all(level[c] < level.mean() - 2 for c in cuts[1:-1])
    sizes = []

    def ramp(mel):
        """A waveform that counts up, so that what is joined shows a seam."""
        sizes.append(len(mel))
        return mel[:, 0].repeat_interleave(240)[: (len(mel) - 1) * 240].numpy()

    counting = mel.clone()
    counting[:, 0] = torch.arange(500)
    wave = long.vocode(ramp, counting, SETTINGS)
    np.testing.assert_allclose(wave, np.arange(500, dtype=np.float32).repeat(240)[: 499 * 240], rtol=1e-6)
    assert max(sizes) <= 120 + 2 * long.FADE + 1


def test_a_long_mel_sounds_as_long_as_it_is(monkeypatch):
    mel = speech(300)
    vocoder = GriffinLim(SETTINGS, iterations=8)
    whole = long.vocode(vocoder, mel, SETTINGS)
    assert np.array_equal(whole, vocoder(mel))
    monkeypatch.setattr(long, "PART", 120)
    parts = long.vocode(vocoder, mel, SETTINGS)
    assert len(parts) == len(whole) and num_frames(len(parts), SETTINGS) == 300
    heard = log_mel(torch.from_numpy(parts), SETTINGS)
    assert (heard - mel).abs().mean() < (log_mel(torch.from_numpy(whole), SETTINGS) - mel).abs().mean() + 0.05
