"""Training of the vocoder: what learns, and what is left alone."""

from __future__ import annotations

import pytest
import torch

from ctap.audio.levels import DB_PER_NEPER
from ctap.audio.logmel import log_mel
from ctap.audio.settings import AudioSettings
from ctap.data.waves import WaveBatch, WaveDataConfig
from ctap.errors import UserError
from ctap.loss.spectral import energy_distance
from ctap.nn.vocoder import Pitch, SourceFilter, VocoderConfig
from ctap.tasks.vocoder import VocoderTask, VocoderTaskConfig


@pytest.mark.parametrize(("trains", "moved"), [("both", {"f0_net", "gain_net"}), ("f0", {"f0_net"})])
def test_networks_that_train(trains, moved, monkeypatch):
    torch.manual_seed(0)
    sizes = VocoderConfig(dim=8, layers=1, f0_dim=8, f0_layers=1)
    task = VocoderTask(SourceFilter(sizes, AudioSettings()), VocoderTaskConfig(sizes, trains=trains))
    batch = WaveBatch(0.1 * torch.randn(2, 40 * 240), torch.full((2, 41), 120.0), torch.ones(2))
    losses = task.losses(batch)
    losses["loss"].backward()
    named = task.vocoder.named_parameters()
    assert {name.split(".")[0] for name, p in named if p.grad is not None and p.grad.abs().sum() > 0} == moved
    assert ("distance" in losses) == (trains == "both")
    seen = []  # whenever a batch is validated, the noise is the same
    monkeypatch.setattr(task, "report", lambda _, losses, weight: seen.append(losses["loss"].item()))
    for number in (1, 2, 1):
        task.validation_step(batch, number)
    assert seen[0] == seen[2] and (seen[0] == seen[1]) == (trains == "f0")


def test_the_total_is_the_weighted_sum(monkeypatch):
    """Of two samples with a noise each, and in mels without the frames that hear what was reflected."""
    torch.manual_seed(0)
    given = []
    distance = "ctap.tasks.vocoder.energy_distance"
    monkeypatch.setattr(distance, lambda *x: given.append(x) or energy_distance(*x))
    sizes = VocoderConfig(dim=8, layers=1, f0_dim=8, f0_layers=1)
    config = VocoderTaskConfig(sizes, mel_weight=0.7, f0_weight=0.2)
    task = VocoderTask(SourceFilter(sizes, AudioSettings()), config)
    f0 = torch.where(torch.arange(41) < 20, 120.0, 0.0).expand(2, -1)
    batch = WaveBatch(0.1 * torch.randn(2, 40 * 240), f0, torch.tensor([1.0, 0.6]))
    found = task.losses(batch)
    ((wave, first, second, share),) = given
    assert wave is batch.wave and share is batch.band and not torch.equal(first, second)
    mels = [log_mel(x, AudioSettings())[:, 2:-2] for x in (first, wave)]
    torch.testing.assert_close(found["mel_db"], DB_PER_NEPER * (mels[0] - mels[1]).abs().mean())
    of_f0 = found["f0"] + found["voicing"]
    expected = found["distance"] + 0.7 * found["mel_db"] / DB_PER_NEPER + 0.2 * of_f0
    torch.testing.assert_close(found["loss"], expected)


def test_a_predicted_mel_is_read_and_the_recording_is_aimed_at(monkeypatch):
    sizes = VocoderConfig(dim=8, layers=1, f0_dim=8, f0_layers=1)
    task = VocoderTask(SourceFilter(sizes, AudioSettings()), VocoderTaskConfig(sizes))
    wave, f0, band = 0.1 * torch.randn(2, 40 * 240), torch.full((2, 41), 120.0), torch.ones(2)
    recorded, gains, read, found = log_mel(wave, AudioSettings()), task.vocoder.gains, [], []
    monkeypatch.setattr(task.vocoder, "gains", lambda mel, *rest: read.append(mel) or gains(recorded, *rest))
    for mel in (recorded, recorded + 1):
        torch.manual_seed(0)
        found.append(task.losses(WaveBatch(wave, f0, band, mel)))
        assert read[-1] is mel
    for name in ("distance", "mel_db"):
        torch.testing.assert_close(found[0][name], found[1][name])


def test_f0_is_learned_where_there_is_one(monkeypatch):
    sizes = VocoderConfig(dim=8, layers=1, f0_dim=8, f0_layers=1)
    task = VocoderTask(SourceFilter(sizes, AudioSettings()), VocoderTaskConfig(sizes))
    f0, found = torch.tensor([[120.0, 150.0, 0.0, 0.0, 0.0]]), []
    pitch = Pitch(torch.randn(1, 5, 120), torch.randn(1, 5))
    for end in (5, 2):
        monkeypatch.setattr(task.vocoder, "pitch", lambda mel, n=end: Pitch(*(x[:, :n] for x in pitch)))
        found.append(task.f0_losses(torch.zeros(1, end, 40), f0[:, :end]))
    torch.testing.assert_close(found[0]["f0"], found[1]["f0"])
    place = task.vocoder.f0_class(f0[0, :2])[:, None]
    bell = torch.exp(-((torch.arange(120) - place) ** 2) / 2) / (2 * torch.pi) ** 0.5  # one class wide
    entropy = -(bell * pitch.classes[0, :2].log_softmax(-1)).sum(-1)
    torch.testing.assert_close(found[0]["f0"], entropy.mean(), rtol=1e-3, atol=1e-3)
    wrong = (pitch.voicing[0] > 0) != torch.tensor([True, True, False, False, False])
    assert found[0]["voicing_error"] == wrong.float().mean()


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
