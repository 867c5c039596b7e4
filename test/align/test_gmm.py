"""Mixtures against scipy's densities, and what an update must do."""

import numpy as np
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from ctap.align.features import Statistics, analyse, analysis_settings
from ctap.align.gmm import Mixtures
from ctap.audio.frames import num_frames
from ctap.audio.settings import AudioSettings


def mixtures(rng, states=3, components=2, dim=4):
    weight = rng.dirichlet(np.ones(components), size=states)
    return Mixtures(
        rng.normal(size=(states, components, dim)).astype(np.float32),
        rng.uniform(0.5, 2, size=(states, components, dim)).astype(np.float32),
        np.log(weight).astype(np.float32),
    )


def test_log_likelihood_is_scipys():
    rng = np.random.default_rng(0)
    model = mixtures(rng)
    x = rng.normal(size=(700, 4)).astype(np.float32)
    parts = np.array([
        [multivariate_normal.logpdf(x, m, np.diag(v)) + w for m, v, w in zip(*state, strict=True)]
        for state in zip(model.mean, model.variance, model.log_weight, strict=True)
    ])  # fmt: skip
    np.testing.assert_allclose(model.log_likelihood(x), logsumexp(parts, axis=1).T, atol=1e-3)
    np.testing.assert_allclose(
        model.log_likelihood(x, np.array([2, 0])), logsumexp(parts, axis=1).T[:, [2, 0]], atol=1e-3
    )
    np.testing.assert_allclose(model.best_component(x), parts.max(axis=(0, 1)), atol=1e-3)


def test_training_finds_two_clusters_and_never_gets_worse():
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.normal(-2, 0.5, (500, 3)), rng.normal(2, 1.0, (1500, 3))]).astype(np.float32)
    states = np.zeros(len(x), int)
    model = Mixtures.flat(2, x)
    model.update(x, states)
    model.split()
    last = -np.inf
    for _ in range(30):
        now = model.log_likelihood(x)[:, 0].mean()
        assert now >= last - 1e-4
        last = now
        model.update(x, states)
    order = np.argsort(model.mean[0, :, 0])
    np.testing.assert_allclose(model.mean[0, order, 0], [-2, 2], atol=0.1)
    np.testing.assert_allclose(np.exp(model.log_weight[0, order]), [0.25, 0.75], atol=0.02)
    np.testing.assert_allclose(np.sqrt(model.variance[0, order]).mean(axis=1), [0.5, 1.0], atol=0.05)


def test_speaker_statistics_lean_on_everybody_when_there_is_little():
    rng = np.random.default_rng(2)
    everybody = Statistics(np.zeros(3, np.float32), np.ones(3, np.float32), 10000)
    much = Statistics.of([rng.normal(5, 2, (200_000, 3))], prior=everybody)
    little = Statistics.of([rng.normal(5, 2, (10, 3))], prior=everybody)
    np.testing.assert_allclose(much.mean, 5, atol=0.1)
    np.testing.assert_allclose(little.mean, 0, atol=0.1)
    elsewhere = Statistics(np.full(3, 5, np.float32), np.full(3, 2, np.float32), 10000)
    few = Statistics.of([rng.normal(5, 2, (10, 3))], prior=elsewhere)
    np.testing.assert_allclose([few.mean, few.std], [elsewhere.mean, elsewhere.std], atol=0.1)
    alone = Statistics.of([np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])])
    np.testing.assert_allclose(alone.mean, [2, 2, 2])
    np.testing.assert_allclose(alone.std, [1, 1e-4, 1], atol=1e-6)


def test_two_analysis_frames_for_every_frame():
    settings = AudioSettings()
    for samples in (1, 239, 240, 24000, 24119, 24121):
        frames = len(analyse(np.zeros(samples, np.float32), analysis_settings(settings)))
        assert num_frames(samples, settings) == 1 + (frames - 1) // 2


def test_slopes_are_half_the_difference_of_the_frames_on_both_sides():
    wave = (0.1 * np.random.default_rng(4).normal(size=2400)).astype(np.float32)
    static, slope = np.split(analyse(wave, analysis_settings(AudioSettings())).cepstra, 2, axis=1)
    before, after = static[[0, *range(len(static) - 1)]], static[[*range(1, len(static)), -1]]
    np.testing.assert_allclose(slope, (after - before) / 2, atol=1e-5)


def test_adaptation_follows_much_speech_and_distrusts_little():
    rng = np.random.default_rng(3)
    zeros = np.zeros((3, 1, 2), np.float32)
    model = Mixtures(zeros, zeros + 1, np.zeros((3, 1), np.float32))
    frames = np.concatenate([rng.normal(3, 1, (20_000, 2)), np.full((40, 2), 3.0)]).astype(np.float32)
    adapted = model.adapted(frames, np.repeat([0, 1], [20_000, 40]))
    np.testing.assert_allclose(adapted.mean[0, 0], 3, atol=0.05)
    np.testing.assert_allclose(adapted.mean[1, 0], 1.5)  # 40 frames weigh as much as the prior
    assert np.array_equal(adapted.mean[2], model.mean[2])
    assert not model.mean.any()  # the model that all speakers share stays as it was
    np.testing.assert_allclose(adapted.log_likelihood(frames[-1:])[0, 1], -np.log(2 * np.pi) - 1.5**2)
