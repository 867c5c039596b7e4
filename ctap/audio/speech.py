"""Where somebody speaks in a recording, and the part of it that tells most of the voice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ctap.audio.f0 import extract_f0
from ctap.audio.frames import num_frames
from ctap.audio.levels import levels
from ctap.audio.parts import by_parts
from ctap.audio.settings import AudioSettings
from ctap.audio.wave import AudioError

ACTIVE_DB = 30.0  # speech is no quieter than this below the loud frames of its recording
QUIET_DB = -65.0  # of full scale: nothing below is speech
LOUD_DB = 20.0  # what lies deeper below the loudest frame counts as silence in finding the loud ones
RUN = 0.05  # seconds that a voice lasts at least: noise has pitches, too, but short ones
GAP = 0.2  # seconds of unvoiced sounds and stops between two vowels
MARGIN = 0.2  # seconds kept before and behind speech
EDGE = 100  # frames beside others that level and F0 of these may depend on
LEAST = 0.25  # seconds of speech that a recording must have, or nobody speaks in it


@dataclass(frozen=True)
class Window:
    """A part of a recording.

    Attributes:
        start: its first frame.
        stop: the frame behind its last.
        speech: seconds of speech in it.
    """

    start: int
    stop: int
    speech: float


class NoVoiceError(AudioError):
    """A recording in which nobody speaks."""


def speech_frames(wave: np.ndarray, settings: AudioSettings) -> np.ndarray:
    """Which frames are speech: voiced, nearly as loud as the loud ones, and what little lies between these.

    Made for finding prompts: whispers are not found, singing and steady tones are.

    Args:
        wave: ``[N]`` samples at the settings' rate.
        settings: the audio settings.

    Returns:
        ``[T]`` bool, ``T = num_frames(N, settings)``.
    """
    frames = num_frames(len(wave), settings)
    level = np.concatenate(by_parts(_levels, wave, settings, EDGE))
    loud = float(np.percentile(level[level > level.max() - LOUD_DB], 95))
    active = level > max(loud - ACTIVE_DB, QUIET_DB)
    if not active.any():
        return np.zeros(frames, dtype=bool)
    voiced = (np.concatenate(by_parts(extract_f0, wave, settings, EDGE)) > 0) & active
    shift = settings.frame_shift
    spans = [(a, b) for a, b in _spans(voiced) if b - a >= RUN / shift]
    speech = np.zeros(frames, dtype=bool)
    for i, (start, stop) in enumerate(spans):
        speech[start:stop] = True
        if i and start - spans[i - 1][1] <= GAP / shift:
            speech[spans[i - 1][1] : start] = True
    return speech


def voice_window(wave: np.ndarray, settings: AudioSettings, frames: int) -> Window:
    """The frames of a recording from which a voice is taken: those with most speech.

    What lies before the first and behind the last speech goes, but for a margin; of parts with equally much
    speech the one nearest to the middle is taken.

    Args:
        wave: ``[N]`` samples at the settings' rate.
        settings: the audio settings.
        frames: how many are wanted.

    Returns:
        ``frames`` of them, or fewer if there are not so many.

    Raises:
        NoVoiceError: there is too little speech.
    """
    speech = speech_frames(wave, settings)
    start, stop = _most(speech, frames, round(MARGIN / settings.frame_shift))
    heard = int(speech[start:stop].sum()) * settings.frame_shift
    if heard < LEAST:
        raise NoVoiceError(
            f"{heard:.2f} s of speech in {len(wave) / settings.sample_rate:.2f} s, at least {LEAST:g} s "
            "are needed; give a recording of somebody who speaks"
        )
    return Window(start, stop, heard)


def _most(speech: np.ndarray, frames: int, margin: int) -> tuple[int, int]:
    found = np.flatnonzero(speech)
    if not len(found):
        return 0, 0
    start, stop = max(0, int(found[0]) - margin), min(len(speech), int(found[-1]) + 1 + margin)
    if stop - start <= frames:
        return start, stop
    total = np.concatenate([[0], np.cumsum(speech[start:stop])])
    sums = total[frames:] - total[:-frames]
    best = np.flatnonzero(sums == sums.max())
    start += int(best[np.abs(best - (len(sums) - 1) / 2).argmin()])
    return start, start + frames


def _levels(wave: np.ndarray, settings: AudioSettings) -> np.ndarray:
    """``[T]`` decibels of full scale round each frame."""
    centres = np.arange(num_frames(len(wave), settings)) * settings.hop_length
    return levels(wave, centres, settings.hop_length)


def _spans(mask: np.ndarray) -> list[tuple[int, int]]:
    """Start and end of each run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
