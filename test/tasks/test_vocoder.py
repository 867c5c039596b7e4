"""Training of the vocoder: what learns, and what is left alone."""

from __future__ import annotations

import pytest
import torch

from ctap.audio.settings import AudioSettings
from ctap.data.waves import WaveBatch, WaveDataConfig
from ctap.errors import UserError
from ctap.nn.vocoder import SourceFilter, VocoderConfig
from ctap.tasks.vocoder import VocoderTask, VocoderTaskConfig


@pytest.mark.parametrize(("trains", "moved"), [("both", {"f0_net", "gain_net"}), ("f0", {"f0_net"})])
def test_networks_that_train(trains, moved):
    torch.manual_seed(0)
    sizes = VocoderConfig(dim=8, layers=1, f0_dim=8, f0_layers=1)
    task = VocoderTask(SourceFilter(sizes, AudioSettings()), VocoderTaskConfig(sizes, trains=trains))
    batch = WaveBatch(0.1 * torch.randn(2, 40 * 240), torch.full((2, 41), 120.0), torch.ones(2))
    losses = task.losses(batch)
    losses["loss"].backward()
    named = task.vocoder.named_parameters()
    assert {name.split(".")[0] for name, p in named if p.grad is not None and p.grad.abs().sum() > 0} == moved
    assert ("distance" in losses) == (trains == "both")


def test_crops_too_short_for_the_losses_are_refused():
    """Windows of 2048 samples reflect 1024: more than 4 hops of 240. F0 alone can be learned of less."""
    sizes = VocoderConfig(dim=8, layers=1, f0_dim=8, f0_layers=1)
    vocoder = SourceFilter(sizes, AudioSettings())
    short, enough = WaveDataConfig(crop_frames=5), WaveDataConfig(crop_frames=6)
    with pytest.raises(UserError, match=r"data\.crop_frames: expected 6 or more, got 5"):
        VocoderTask(vocoder, VocoderTaskConfig(sizes, short))
    VocoderTask(vocoder, VocoderTaskConfig(sizes, short, trains="f0"))
    task = VocoderTask(vocoder, VocoderTaskConfig(sizes, enough))
    batch = WaveBatch(0.1 * torch.randn(2, 5 * 240), torch.full((2, 6), 120.0), torch.ones(2))
    assert task.losses(batch)["loss"].isfinite()
