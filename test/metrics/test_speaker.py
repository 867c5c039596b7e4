"""The speaker encoder: real voices (synthetic where no recordings are at hand), and its absence."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from ctap.errors import UserError
from ctap.metrics import speaker
from ctap.metrics.speaker import Resemblyzer, centroid, load_speaker_encoder, similarity


@pytest.fixture(scope="module")
def encoder():
    pytest.importorskip("resemblyzer", reason="the optional speaker encoder is not installed")
    return Resemblyzer()


def voice(pitch, formants, seed, seconds=2.0):
    """A buzz through resonances with a wandering pitch: crude, but a different 'speaker' for each setting."""
    signal = pytest.importorskip("scipy.signal")
    generator = np.random.default_rng(seed)
    n = int(16000 * seconds)
    f0 = pitch * (1 + 0.08 * np.sin(2 * np.pi * generator.uniform(1, 2) * np.arange(n) / 16000))
    wave = signal.sawtooth(2 * np.pi * np.cumsum(f0) / 16000) + 0.02 * generator.normal(size=n)
    for formant in formants:
        b, a = signal.iirpeak(formant, 5, fs=16000)
        wave = wave + 2 * signal.lfilter(b, a, wave)
    return (0.3 * wave / np.abs(wave).max()).astype(np.float32)


def test_voices_are_told_apart(encoder):
    men = [encoder(voice(110, (600, 1100, 2400), seed)) for seed in range(3)]
    women = [encoder(voice(230, (850, 1900, 3100), seed)) for seed in range(3)]
    within = min(similarity(men[0], men[1]), similarity(women[0], women[1]))
    across = max(similarity(m, w) for m in men for w in women)
    assert within > across + 0.1
    centre = centroid(men[:2])
    assert similarity(centre, men[2]) > similarity(centre, women[2])


def test_embedding_is_a_unit_vector_and_repeatable_whatever_the_level(encoder):
    wave = voice(140, (700, 1200), 0)
    one = encoder(wave)
    assert one.shape == (256,) and one.dtype == np.float32
    assert np.linalg.norm(one) == pytest.approx(1, abs=1e-6)
    assert np.array_equal(one, encoder(wave))
    assert similarity(one, encoder(0.01 * wave)) > 0.999
    assert similarity(one, encoder(3 * wave)) > 0.999


def test_same_as_the_package_itself(encoder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from resemblyzer import VoiceEncoder, preprocess_wav

        wave = 0.01 * voice(180, (700, 1500), 3)  # quiet enough for the package to raise its level as well
        own = VoiceEncoder("cpu", verbose=False).embed_utterance(preprocess_wav(wave))
    assert similarity(own, encoder(wave)) > 0.9999


def test_weights_load_without_unpickling_code(encoder):
    import resemblyzer
    import torch

    path = Path(resemblyzer.__file__).parent / "pretrained.pt"
    assert "model_state" in torch.load(path, map_location="cpu", weights_only=True)


@pytest.mark.parametrize("wave", [np.zeros(16000), np.zeros(0), np.full(100, np.nan), np.zeros((2, 100))])
def test_no_sound_is_no_speaker(encoder, wave):
    with pytest.raises(speaker.NoSpeechError):
        encoder(wave)


@pytest.mark.parametrize("samples", [1, 300, 5000])
def test_short_noise_still_gets_an_embedding(encoder, samples):
    wave = 0.1 * np.random.default_rng(0).normal(size=samples)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(encoder(wave)).all()


def test_absent_package_is_said_and_not_raised(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "resemblyzer", None)  # importing it fails
    assert load_speaker_encoder() is None
    assert "no speaker similarity" in capsys.readouterr().err
    with pytest.raises(UserError, match="--no-deps Resemblyzer"):
        Resemblyzer()
    with pytest.raises(UserError, match="unknown speaker encoder 'x'"):
        load_speaker_encoder("x")


def test_centroids_and_similarity_by_hand():
    assert similarity([3, 4], [4, 3]) == pytest.approx(24 / 25)
    np.testing.assert_allclose(centroid([[2.0, 0], [0, 5.0]]), [0.5**0.5, 0.5**0.5], rtol=1e-6)
