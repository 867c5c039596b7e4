"""Moved voices: formants where they should come to be, the mean kept, nothing moved at 0."""

import math

import pytest
import torch

from ctap.audio.logmel import log_mel
from ctap.audio.settings import AudioSettings
from ctap.data.voice import OtherVoices, VoiceConfig, warp_bands
from ctap.errors import UserError


def tones(*hertz):
    """Log-mel of tones at these frequencies, 1 s."""
    time = torch.arange(24000) / 24000
    return log_mel(sum(torch.sin(2 * math.pi * f * time) for f in hertz) * 0.1, AudioSettings())[20:80]


@pytest.mark.parametrize("factor", [0.8, 0.9, 1.0, 1.15, 1.25])
def test_a_tone_is_moved_to_where_its_frequency_times_the_factor_is(factor):
    centres = OtherVoices(VoiceConfig(warp=0.1), AudioSettings()).centres
    moved = warp_bands(tones(2000)[None], torch.tensor([factor]), centres)[0]
    found, expected = (x.mean(0).softmax(0) @ centres for x in (moved, tones(2000 * factor)))
    assert found.item() == pytest.approx(expected.item(), rel=0.02)


def test_voices_go_up_and_down_as_far_as_is_asked():
    voices, mel = (
        OtherVoices(VoiceConfig(warp=0.3), AudioSettings()),
        tones(2000)[None, ::20].expand(60, -1, -1),
    )
    torch.manual_seed(0)
    found = voices(mel).mean(1).softmax(1) @ voices.centres
    assert (found.min().item(), found.max().item()) == pytest.approx(
        (2000 * math.exp(-0.3), 2000 * math.exp(0.3)), rel=0.05
    )


def test_factor_one_and_share_zero_change_nothing():
    mel = torch.randn(3, 7, 40)
    voices = OtherVoices(VoiceConfig(warp=0.3, tilt=2.0, share=0.0), AudioSettings())
    assert torch.allclose(voices(mel), mel, atol=1e-6)
    assert not VoiceConfig(warp=0.3, share=0.0).moves and not VoiceConfig().moves


def test_a_share_of_the_utterances_is_moved():
    voices = OtherVoices(VoiceConfig(warp=0.3, tilt=2.0, share=0.25), AudioSettings())
    mel = torch.randn(1, 3, 40).expand(400, -1, -1)
    torch.manual_seed(0)
    moved = (voices(mel) - mel).abs().amax((1, 2)) > 1e-4
    assert 0.15 < moved.float().mean() < 0.35


def test_every_utterance_is_moved_by_its_own_draw_and_all_its_frames_alike():
    voices = OtherVoices(VoiceConfig(tilt=2.0), AudioSettings())
    torch.manual_seed(1)
    slopes = voices(torch.zeros(50, 3, 40))
    assert torch.equal(slopes[:, 0], slopes[:, 2])
    edges = slopes[:, 0, -1] - slopes[:, 0, 0]
    assert edges.abs().max() <= 2.0 and edges.std() > 0.8 and len(set(edges.tolist())) == 50
    assert slopes.mean(2).abs().max() < 1e-6


def test_the_seed_decides():
    voices, mel = OtherVoices(VoiceConfig(warp=0.2, tilt=1.0), AudioSettings()), torch.randn(2, 5, 40)
    torch.manual_seed(3)
    first = voices(mel)
    torch.manual_seed(3)
    assert torch.equal(voices(mel), first)


def test_every_filter_bank_has_rising_centres():
    wide = AudioSettings(sample_rate=22050, n_fft=1024, win_length=1024, hop_length=256, n_mels=80)
    for audio in (AudioSettings(), AudioSettings(mel_scale="slaney", mel_norm="slaney"), wide):
        assert (OtherVoices(VoiceConfig(warp=0.1), audio).centres.diff() > 0).all()


@pytest.mark.parametrize("wrong", [{"warp": -0.1}, {"warp": 2.0}, {"tilt": -1.0}, {"share": 1.5}])
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(UserError, match=f"^{next(iter(wrong))}: expected"):
        VoiceConfig(**wrong)
