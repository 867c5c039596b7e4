"""Levels above an utterance's background, and what they cost pauses and speech."""

import numpy as np
import pytest

from ctap.align.background import PAUSE_COST, SPEECH_COST, heard, pause_cost, speech_cost
from ctap.align.features import analyse, analysis_settings
from ctap.audio.settings import AudioSettings

RATE = AudioSettings().sample_rate


def noise(seconds, db, seed=0, drift=0.0):
    """White noise ``db`` below full scale, its level moving up and down by ``drift`` dB once a second."""
    time = np.arange(int(seconds * RATE)) / RATE
    gain = 10 ** ((-db + drift * np.sin(2 * np.pi * time)) / 20)
    return (gain * np.random.default_rng(seed).normal(size=len(time))).astype(np.float32)


def level_of(*parts):
    return analyse(np.concatenate(parts), analysis_settings(AudioSettings())).level


def test_level_is_in_decibels_above_the_quietest():
    level = level_of(noise(0.5, 60), noise(0.5, 20), noise(0.5, 40))
    assert level[:95].mean() == pytest.approx(0, abs=1.5)
    assert level[105:195].mean() - level[:95].mean() == pytest.approx(40, abs=0.5)
    assert level[205:295].mean() - level[:95].mean() == pytest.approx(20, abs=0.5)


def test_room_noise_above_the_background_is_no_pause_and_drifting_noise_is():
    room = level_of(noise(0.4, 75), noise(1, 20), noise(0.3, 53), noise(0.2, 75))
    assert pause_cost(room)[:75].max() == 0
    assert pause_cost(room)[290:335].min() > 0.8 * PAUSE_COST[1]  # 22 dB above it
    assert not heard(room)[:75].any() and heard(room)[85:275].all()
    drifting = level_of(noise(1, 55, drift=6), noise(1, 20), noise(1, 55, seed=1, drift=6))
    silent = np.r_[0:195, 405:600]
    assert pause_cost(drifting)[silent].mean() < 1
    assert pause_cost(drifting)[205:395].min() == PAUSE_COST[1]


def test_only_what_is_as_quiet_as_the_background_is_dear_to_speech():
    level = level_of(noise(0.4, 75), noise(1, 20), noise(0.3, 65), noise(0.4, 75))
    cost = speech_cost(level)
    silent = np.r_[0:75, 345:415]
    assert np.mean(cost[silent] == SPEECH_COST) > 0.8
    assert not cost[85:335].any()  # speech, and what is 10 dB above the background


def test_digital_silence_round_a_recording_does_not_count():
    parts = noise(0.4, 65), noise(1, 20), noise(0.4, 65)
    zeros = np.zeros(RATE // 2, np.float32)
    padded = level_of(zeros, *parts, zeros)
    assert not pause_cost(padded)[np.r_[0:175, 385:560]].any()
    np.testing.assert_allclose(padded[105:455], level_of(*parts)[5:355], atol=0.5)
    assert padded[:95].max() < 0
    assert level_of(zeros).max() == 0


def test_a_steady_sound_has_no_background():
    level = level_of(noise(2, 30))
    assert np.mean(speech_cost(level) > 0) < 0.15  # little of the little that lies at the bottom
    assert not pause_cost(np.zeros(50, np.float32)).any()
    assert not speech_cost(np.zeros(50, np.float32)).any()
