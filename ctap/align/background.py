"""Speech and silence by their level above an utterance's background: a cue that spectra do not replace.

Silence is the quietest sound of an utterance, whatever it sounds like; speech seldom is as quiet. A model of
spectra alone learns room noise as silence, finds it in closures and weak speech, and stretches pauses over
what is left of a vowel. Levels are in dB above the background, the 5th percentile of the utterance's levels.
Frames of zeros, which no microphone makes, are ignored: if a recording was padded with them, its own pauses
are still the background.
"""

from __future__ import annotations

import numpy as np

from ctap.audio.levels import DB_PER_NEPER

HEARD = 0.35
"""Frames above this share of an utterance's range of levels (5th to 95th percentile) count as sound."""

PAUSE_LOUDNESS = 12.0  # dB; 95 of 100 pauses in sentences stay below, breath and drifting noise included
PAUSE_COST = (3.0, 30.0)  # nats per dB above that, and the most
SPEECH_LOUDNESS = (0.05, 3.0)  # share of the range, and the most in dB
SPEECH_COST = 40.0  # nats


def above_background(mel: np.ndarray, floor: float) -> np.ndarray:
    """``[T]`` float32: dB of each frame above the background, negative in digital silence.

    Args:
        mel: ``[T, M]`` natural-log mel.
        floor: its smallest value; frames that hold nothing else are digital silence.
    """
    level = DB_PER_NEPER * mel.mean(axis=1)
    recorded = level[mel.max(axis=1) > floor + 1e-3]
    background = np.percentile(recorded, 5) if len(recorded) else level.min(initial=0.0)
    return (level - background).astype(np.float32)


def level_range(level: np.ndarray) -> float:
    """Range of levels ``[T]``, dB: the 95th percentile (the 5th is 0)."""
    return float(np.percentile(level, 95))


def heard(level: np.ndarray) -> np.ndarray:
    """``[T]`` bool: what is clearly louder than the background, of levels ``[T]``."""
    return level > HEARD * level_range(level)


def pause_cost(level: np.ndarray) -> np.ndarray:
    """``[T]`` nats that a pause costs where the utterance is louder than its background by ``level``."""
    slope, most = PAUSE_COST
    return np.clip(slope * (level - PAUSE_LOUDNESS), 0.0, most).astype(np.float32)


def speech_cost(level: np.ndarray) -> np.ndarray:
    """``[T]`` nats that anything but silence costs where the utterance is no louder than its background."""
    share, most = SPEECH_LOUDNESS
    return np.where(level < min(share * level_range(level), most), SPEECH_COST, 0.0).astype(np.float32)
