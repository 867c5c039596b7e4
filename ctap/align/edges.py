"""Silence that belongs to a word's own recording, in a corpus made by joining recordings of words.

The true boundaries of such a corpus are those of the recordings that were joined. A recording seldom starts
and ends exactly with speech: only parts that were silent enough were cut off, and room noise was not. An
aligner finds the speech, so if a recording has such edges, the distance to its joint says nothing about the
aligner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ctap.align.events import Word
from ctap.audio.levels import levels
from ctap.audio.wave import load_wave

HOP = 0.005
WINDOW = 0.010
QUIET_DB = 30.0  # frames this far below the loudest of their word count as room noise
SPEECH_DB = 6.0  # speech is louder than the noise by this; noise of 10 ms varies by about 3 dB
SUSTAINED = 6  # frames (30 ms), of which all but one must be as loud: clicks are not speech
RATE = 24000


def own_silence(
    words: Mapping[str, Sequence[Word]], waves: Mapping[str, str], speakers: Mapping[str, str]
) -> dict[str, list[tuple[float, float]]]:
    """How long each word's recording is silent before and after its speech.

    Speech is where the level stays 6 dB above the noise; the noise is the median level, over all words of a
    speaker, of what lies 30 dB below the loudest of its word.

    Args:
        words: utterance to its words in time.
        waves: utterance to its audio file; utterances without one are left out.
        speakers: utterance to its speaker.

    Returns:
        Utterance to (seconds at the start, seconds at the end) of each word.

    Raises:
        AudioError: an audio file can't be read.
    """
    heard: dict[str, list[np.ndarray]] = {}
    quiet: dict[str, list[np.ndarray]] = {}
    for utterance in sorted(words.keys() & waves.keys()):
        wave = load_wave(waves[utterance], RATE)
        level = levels(wave, np.arange(0, len(wave), HOP * RATE), WINDOW * RATE / 2)
        # Windows that reach over the joint hear both sides of it.
        parts = [level[_frame(x.start) + 1 : _frame(x.end)] for x in words[utterance]]
        heard[utterance] = parts
        noise = [part[part < part.max() - QUIET_DB] for part in parts if len(part)]
        quiet.setdefault(speakers.get(utterance, ""), []).extend(noise)
    floor = {speaker: _median(noise) for speaker, noise in quiet.items()}
    return {
        utterance: [_edges(part, floor[speakers.get(utterance, "")] + SPEECH_DB) for part in parts]
        for utterance, parts in heard.items()
    }


def _frame(seconds: float) -> int:
    return round(seconds / HOP)


def _median(parts: Sequence[np.ndarray]) -> float:
    values = np.concatenate(parts) if parts else np.zeros(0)
    return float(np.median(values)) if len(values) else -np.inf


def _edges(level: np.ndarray, threshold: float) -> tuple[float, float]:
    if len(level) < SUSTAINED:
        return 0.0, 0.0
    loud = np.convolve(level > threshold, np.ones(SUSTAINED), "valid") >= SUSTAINED - 1
    found = np.flatnonzero(loud)
    if not len(found):
        return 0.0, 0.0
    return float(found[0] * HOP), float((len(level) - SUSTAINED - found[-1]) * HOP)
