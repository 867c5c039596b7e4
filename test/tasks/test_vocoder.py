"""Training of the vocoder: what learns, and what is left alone."""

from __future__ import annotations

import pytest
import torch

from ctap.audio.settings import AudioSettings
from ctap.data.waves import WaveBatch
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
