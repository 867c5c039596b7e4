"""DTW, mel-cepstral distortion and pitch figures against librosa, scipy, and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ctap.metrics import mcd
from ctap.metrics.dtw import dtw
from ctap.metrics.mcd import mel_cepstral_distortion, mel_cepstrum, warped_distortion
from ctap.metrics.pitch import log_f0, msep

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(("N", "M"), [(1, 1), (1, 9), (9, 1), (40, 40), (60, 35)])
def test_dtw_agrees_with_librosa(N, M):
    librosa = pytest.importorskip("librosa")
    x, y = RNG.normal(size=(N, 5)), RNG.normal(size=(M, 5))
    D, path = librosa.sequence.dtw(x.T, y.T, metric="euclidean")
    found, cost = dtw(x, y)
    assert cost == pytest.approx(D[-1, -1])
    np.testing.assert_array_equal(found, path[::-1])


def test_dtw_undoes_a_stretch():
    y = RNG.normal(size=(30, 4))
    path, cost = dtw(np.repeat(y, 2, axis=0), y)
    assert cost == 0
    assert (path[:, 0] // 2 == path[:, 1]).all()


def test_of_ways_that_cost_the_same_dtw_takes_the_shortest():
    """The distortion is a mean over the pairs: two silences are no excuse for more of them."""
    path, _ = dtw(np.zeros((4, 2)), np.zeros((4, 2)))
    assert path.tolist() == [[k, k] for k in range(4)]


def test_dtw_refuses():
    for x, y in [((0, 2), (3, 2)), ((3, 2), (3, 1)), ((3,), (3,))]:
        with pytest.raises(ValueError, match="expected"):
            dtw(np.zeros(x), np.zeros(y))
    with pytest.raises(ValueError, match="finite"):
        dtw(np.full((2, 2), np.nan), np.zeros((2, 2)))


def test_cepstrum_is_the_cosine_series_of_scipy():
    fft = pytest.importorskip("scipy.fft")
    mel = RNG.normal(size=(7, 40))
    # scipy's DCT-II is 2 sum L cos(...)
    np.testing.assert_allclose(mel_cepstrum(mel), fft.dct(mel, type=2, axis=1)[:, 1:14] / 40, atol=1e-12)


def test_full_order_is_the_rms_difference_in_decibels_without_the_level(monkeypatch):
    monkeypatch.setattr(mcd, "ORDER", 39)
    a, b = RNG.normal(size=(2, 11, 40))
    decibels = 20 / math.log(10) * (a - b)
    decibels -= decibels.mean(axis=1, keepdims=True)
    expected = np.sqrt((decibels**2).mean(axis=1)).mean()
    assert mel_cepstral_distortion(a, b, same_length=True) == pytest.approx(expected)


def test_a_ripple_of_known_size():
    # cos(2 pi 3 m / 80) with amplitude 0.1 nepers in c[3] alone: 10 / ln 10 * sqrt(2) * 0.1 dB
    ripple = 0.1 * np.cos(np.pi * 3 * (np.arange(40) + 0.5) / 40)
    a = RNG.normal(size=(9, 40))
    found = mel_cepstral_distortion(a, a + ripple + 5.0, same_length=True)
    assert found == pytest.approx(10 / math.log(10) * math.sqrt(2) * 0.1)


def test_warping_forgives_timing_but_not_spectrum():
    a = RNG.normal(size=(30, 40))
    slow = np.repeat(a, 2, axis=0)
    assert mel_cepstral_distortion(a, slow) == pytest.approx(0, abs=1e-9)
    late = np.concatenate([a[:1], a[:1], a[:-2]])
    assert 0 < mel_cepstral_distortion(a, late) < 0.2 * mel_cepstral_distortion(a, late, same_length=True)
    with pytest.raises(ValueError, match="30 frames in the reference, 60"):
        mel_cepstral_distortion(a, slow, same_length=True)


def test_warped_distortion_agrees_with_librosa():
    librosa = pytest.importorskip("librosa")
    fft = pytest.importorskip("scipy.fft")
    a, b = RNG.normal(size=(25, 40)), RNG.normal(size=(33, 40))
    c, h = (fft.dct(x, type=2, axis=1)[:, 1:14].T / 40 for x in (a, b))
    D, path = librosa.sequence.dtw(c, h, metric="euclidean")
    expected = 10 / math.log(10) * math.sqrt(2) * D[-1, -1] / len(path)
    assert mel_cepstral_distortion(a, b) == pytest.approx(expected)
    value, own_path = warped_distortion(a, b)
    assert value == mel_cepstral_distortion(a, b) and own_path.tolist() == path[::-1].tolist()
    with pytest.raises(ValueError, match="no frame to compare"):
        warped_distortion(a, b[:0])


def test_msep_by_hand():
    result = msep([0, 100, 200, 150, 0], [0, 110, 180, 0, 90])
    assert result == (pytest.approx((100 + 400) / 2), 2, pytest.approx(2 / 5))
    assert math.isnan(msep([0, 100], [100, 0]).value)


@pytest.mark.parametrize(("a", "b"), [([1, 2], [1]), ([[1]], [[1]]), ([-1.0], [1.0]), ([np.nan], [1.0])])
def test_msep_refuses(a, b):
    with pytest.raises(ValueError, match=r"MSEP needs|must be"):
        msep(a, b)


def test_log_f0_by_hand_and_scipy():
    stats = pytest.importorskip("scipy.stats")
    r = np.array([0, 100, 120, 140, 160, 0, 130])
    h = np.array([90, 110, 115, 150, 0, 0, 140])
    both = (r > 0) & (h > 0)
    found = log_f0(r, h)
    difference = np.log(r[both]) - np.log(h[both])
    assert found.pairs == 4
    assert found.rmse == pytest.approx(np.sqrt((difference**2).mean()))
    assert found.rmse_centred == pytest.approx(difference.std())
    assert found.correlation == pytest.approx(stats.pearsonr(np.log(r[both]), np.log(h[both]))[0])


def test_an_octave_is_register_and_not_melody():
    f0 = np.linspace(100, 200, 50)
    found = log_f0(f0, 2 * f0)
    assert found.rmse == pytest.approx(math.log(2)) and found.correlation == pytest.approx(1)
    assert found.rmse_centred == pytest.approx(0, abs=1e-12)


def test_log_f0_along_a_path():
    f0 = np.linspace(100, 200, 10)
    path = np.array([[i // 2, i] for i in range(20)])
    assert log_f0(f0, np.repeat(f0, 2), path).rmse == 0
    with pytest.raises(ValueError, match="equally long"):
        log_f0(f0, np.repeat(f0, 2))
    with pytest.raises(ValueError, match="beyond the tracks"):
        log_f0(f0[:5], np.repeat(f0, 2), path)


def test_undefined_is_nan_and_not_zero():
    assert all(math.isnan(x) for x in log_f0([0, 0], [100, 100])[:3])
    assert math.isnan(log_f0([100, 100], [100, 120]).correlation)
