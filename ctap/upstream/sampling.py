"""Frames of many utterances, drawn at random."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable

import numpy as np
from tqdm import tqdm

from ctap.audio.wave import AudioError, load_wave
from ctap.errors import UserError
from ctap.upstream.base import Upstream

__all__ = ["sample_frames"]


def sample_frames(
    upstream: Upstream,
    waves: dict[str, str],
    most: int,
    per_utterance: int,
    seed: int,
    max_seconds: float | None = None,
) -> tuple[np.ndarray, int, int]:
    """Frames at random from utterances in random order, until there are enough.

    Args:
        upstream: What makes the frames.
        waves: Utterance to audio file.
        most: Frames to take in all.
        per_utterance: Frames to take from one utterance at most: many utterances say more than many frames.
        seed: Decides both orders; each utterance's frames depend on its name and the seed alone.
        max_seconds: Leave longer recordings out.

    Returns:
        Frames ``[n, D]``, utterances read, utterances that could not be read (each is named in the log).

    Raises:
        UserError: No frame was found.
    """
    order = sorted(waves)
    random.Random(seed).shuffle(order)
    taken: list[np.ndarray] = []
    count = read = failed = 0
    for utt in tqdm(order, desc="frames", unit="utt", mininterval=2.0):
        if count >= most:
            break
        try:
            wave = load_wave(waves[utt], upstream.settings.sample_rate, max_seconds=max_seconds)
        except AudioError as error:
            logging.warning("%s: left out: %s", utt, error)
            failed += 1
            continue
        frames = upstream.frames(wave).numpy()
        chosen = _pick(range(len(frames)), min(per_utterance, most - count), f"{seed} {utt}")
        taken.append(frames[chosen])
        count, read = count + len(chosen), read + 1
    if not taken:
        raise UserError(f"none of {len(order)} recordings could be read")
    return np.concatenate(taken), read, failed


def _pick(items: Iterable[int], most: int, seed: str) -> list[int]:
    """At most so many of the items, at random, in their order."""
    items = list(items)
    return sorted(random.Random(seed).sample(items, min(most, len(items))))
