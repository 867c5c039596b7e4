from __future__ import annotations

import numpy as np
import pytest

from ctap.audio import levels
from ctap.audio.levels import LevelError, examine, one_channel

RNG = np.random.default_rng(0)
WAVE = (0.1 * RNG.standard_normal(16000)).astype(np.float32)
OTHER = (0.1 * RNG.standard_normal(16000)).astype(np.float32)


def columns(*waves: np.ndarray) -> np.ndarray:
    return np.stack(waves, axis=1).astype(np.float32)


@pytest.mark.parametrize("scale", [2.0**15, 2.0**23, 2.0**31])
def test_integers_written_as_floats_are_brought_to_scale(scale: float) -> None:
    wave, remarks = one_channel(columns(WAVE * scale))
    np.testing.assert_allclose(wave, WAVE, rtol=1e-6)
    assert remarks == [(levels.OFF_SCALE, f"peak {np.abs(WAVE).max() * scale:g}, divided by {scale:g}")]


def test_what_passes_full_scale_a_little_is_left_as_it_is() -> None:
    loud = WAVE / np.abs(WAVE).max() * 2
    wave, remarks = one_channel(columns(loud))
    assert np.array_equal(wave, loud)
    assert remarks == []


def test_far_too_loud_floats_and_faint_integers_are_told_apart() -> None:
    wave, remarks = one_channel(columns(WAVE / np.abs(WAVE).max() * 20))
    np.testing.assert_allclose(wave, WAVE / np.abs(WAVE).max(), rtol=1e-5)
    assert remarks == [(levels.OFF_SCALE, "peak 20, divided by 20")]
    faint = np.rint(WAVE / np.abs(WAVE).max() * 20)
    wave, remarks = one_channel(columns(faint))
    np.testing.assert_allclose(wave, faint / 32768)
    assert remarks == [(levels.OFF_SCALE, "peak 20, divided by 32768")]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e12])
def test_samples_of_no_scale_are_refused(bad: float) -> None:
    with pytest.raises(LevelError, match="NaN or infinite" if bad != 1e12 else r"go to 1e\+12"):
        one_channel(columns(np.append(WAVE, bad)))


@pytest.mark.parametrize(
    ("channels", "expected", "remark"),
    [
        ((WAVE, WAVE), WAVE, (levels.AVERAGED, "2 channels")),
        ((WAVE, OTHER), (WAVE + OTHER) / 2, (levels.AVERAGED, "2 channels")),
        ((WAVE, -WAVE), WAVE, (levels.CANCELLED, "channel 1 of 2")),
        ((0.9 * WAVE, -WAVE + 0.01 * OTHER), -WAVE + 0.01 * OTHER, (levels.CANCELLED, "channel 2 of 2")),
        ((0 * WAVE, WAVE), WAVE, (levels.DEAD, "channel 1 of 2")),
        ((WAVE, 0 * WAVE + 0.2, 1e-4 * OTHER), WAVE, (levels.DEAD, "channel 2, 3 of 3")),
        ((0 * WAVE, 0 * WAVE), 0 * WAVE, (levels.AVERAGED, "2 channels")),
    ],
)
def test_channels_become_one(
    channels: tuple[np.ndarray, ...], expected: np.ndarray, remark: tuple[str, str]
) -> None:
    wave, remarks = one_channel(columns(*channels))
    np.testing.assert_allclose(wave, expected, atol=1e-6)
    assert remarks == [remark]


def test_silence_is_known_with_an_offset_and_with_dither_and_whispers_are_no_silence() -> None:
    dither = np.round(RNG.uniform(-1, 1, 16000)) / 32768
    for silent in (0 * WAVE, 0 * WAVE + 0.3, dither, dither - 0.05):
        assert examine(silent.astype(np.float32))[0]
    assert not examine(WAVE * 0.003)[0]


def test_clipping_and_offset_are_remarked_with_their_size() -> None:
    assert examine(WAVE)[1] == examine(WAVE / np.abs(WAVE).max())[1] == []
    clipped = np.clip(WAVE * 10, -1, 1)  # beyond one standard deviation of a normal distribution
    share = 100 * np.mean(np.abs(WAVE) >= 0.0999)
    assert share == pytest.approx(31.7, abs=1)
    assert examine(clipped) == (False, [(levels.CLIPPED, f"{share:.1f}% of samples at full scale")])
    assert examine(WAVE * 0.1 - 0.05) == (False, [(levels.OFFSET, "mean -0.050 of full scale")])


def test_levels_are_of_samples_on_both_sides_as_far_as_there_are_any() -> None:
    centres = np.array([0, 3, 8000, 15990, 16000])
    expected = [np.mean(WAVE[max(0, c - 20) : c + 20].astype(np.float64) ** 2) for c in centres]
    np.testing.assert_allclose(levels.levels(WAVE, centres, 20), 10 * np.log10(expected), atol=1e-4)


@pytest.mark.parametrize("wave", [WAVE, WAVE * 20, WAVE * 0.1 + 0.05, 0 * WAVE - 1])
def test_integers_are_examined_as_floats_are(wave: np.ndarray) -> None:
    shorts = np.clip(np.rint(32768 * wave), -32768, 32767).astype(np.int16)
    assert examine(shorts, 32768.0) == examine(shorts / np.float32(32768))
