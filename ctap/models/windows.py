"""Networks over utterances of any length: overlapping windows no longer than what they were trained on.

A network with absolute positions has never seen a frame beyond the length of its longest training utterance,
and no network has attended to more frames at once: longer windows give worse results with every position
scheme (docs/positions.md). Every part of a model therefore records the length of its longest training
utterance. Longer utterances go through it in windows of that length, context included, and every frame is
taken from the window whose edges are farthest from it. A few windows are processed at a time, so that
networks need no more memory for an hour of speech than for a minute.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ctap.data.batch import pad
from ctap.data.cropping import crop_durations
from ctap.nn.ctap import CTAP

BATCH_FRAMES = 4000  # frames that go through a network at once
UNKNOWN = 1000  # frames, if the length of the training utterances is not recorded: as in conf/ctap.yaml


@dataclass
class TrainedLengths:
    """Length of the longest utterance that each part was trained on, after cropping; 0: not trained.

    A part that is trained further, on shorter utterances, keeps the longer length. The defaults are
    those of model directories from before this was recorded.

    Args:
        speech_encoder: Frames.
        phoneme_encoder: Frames.
        decoder: Frames.
        asr: Frames.
        duration: Phones.
    """

    speech_encoder: int = UNKNOWN
    phoneme_encoder: int = UNKNOWN
    decoder: int = UNKNOWN
    asr: int = UNKNOWN
    duration: int = 100

    def reached(self, length: int, *parts: str) -> None:
        """Note that ``parts`` are trained on utterances of up to ``length``."""
        for part in parts:
            setattr(self, part, max(getattr(self, part), length))

    def window(self, part: str) -> int:
        """The most frames (phones, for the duration models) that ``part`` is to be given at once."""
        return getattr(self, part) or getattr(TrainedLengths(), part)


@dataclass(frozen=True)
class Window:
    """The frames [start, stop) that a network sees, of which [first, last) are kept."""

    start: int
    stop: int
    first: int
    last: int


def windows(size: int, window: int) -> list[Window]:
    """Windows of ``window`` frames, spread evenly over ``size`` frames; one of all where these are fewer.

    Neighbours overlap by at least a third of a window, and the overlap is cut in the middle.
    """
    if size <= window:
        return [Window(0, size, 0, size)]
    overlap = window // 3
    count = -(-(size - overlap) // (window - overlap))
    starts = [i * (size - window) // (count - 1) for i in range(count)]
    cuts = [0, *((a + window + b) // 2 for a, b in itertools.pairwise(starts)), size]
    return [Window(s, s + window, cuts[i], cuts[i + 1]) for i, s in enumerate(starts)]


def _joined(size: int, window: int, function: Callable[[list[Window]], Tensor]) -> Tensor:
    """Call ``function`` on a few windows at a time, all of one size -> [B, W, D], and join what is kept."""
    every = windows(size, window)
    most = max(1, BATCH_FRAMES // window)
    kept = []
    for i in range(0, len(every), most):
        some = every[i : i + most]
        found = function(some)
        kept += [y[w.first - w.start : w.last - w.start] for w, y in zip(some, found, strict=True)]
    return kept[0] if len(kept) == 1 else torch.cat(kept)


def windowed(function: Callable[[Tensor], Tensor], x: Tensor, window: int) -> Tensor:
    """Apply a frame-to-frame ``function``, [B, W, ...] -> [B, W, D], to ``x`` [T, ...] in windows: [T, D]."""
    return _joined(len(x), window, lambda some: function(torch.stack([x[w.start : w.stop] for w in some])))


class AnyLength:
    """The networks of a CTAP, over one utterance of any length at a time.

    Args:
        ctap: The networks.
        trained: How long their training utterances were.
    """

    def __init__(self, ctap: CTAP, trained: TrainedLengths) -> None:
        self.ctap = ctap
        self.trained = trained

    def speech(self, frames: Tensor, offset: int = 0) -> Tensor:
        """S [T, d] of normalised log-mel, or of what else the model reads, ``frames`` [T, D] (Eq. 1).

        Args:
            frames: One utterance.
            offset: Position of the first frame of every window, to probe a scheme (0 in use).
        """
        return windowed(
            lambda x: self.ctap.speech_encoder(x, offset=offset),
            frames,
            self.trained.window("speech_encoder"),
        )

    def phonemes(self, tokens: Tensor, durations: Tensor) -> Tensor:
        """P [T, d] of phone ids ``tokens`` [L] that last ``durations`` [L] frames (Eq. 1)."""
        ids, spans = tokens.cpu().numpy(), durations.cpu().numpy()

        def encode(some: list[Window]) -> Tensor:
            size = some[0].stop - some[0].start
            crops = zip(*(crop_durations(ids, spans, w.start, size) for w in some), strict=True)
            padded = [pad(column)[0].to(tokens.device) for column in crops]
            return self.ctap.phoneme_encoder(*padded, size)

        return _joined(int(spans.sum()), self.trained.window("phoneme_encoder"), encode)

    def decode(self, embedding: Tensor, g: Tensor) -> Tensor:
        """Normalised log-mel [T, n_mels] from S or P ``embedding`` [T, d] and G ``g`` [D_g] (Eq. 3)."""
        return self._decoded(self.ctap.decoder, embedding, g)

    def speak(self, embedding: Tensor, g: Tensor) -> Tensor:
        """The same, as it is to be heard: sharpened and spread out where the decoder does so.

        The spread is that of the utterance, so windows are joined before it.
        """
        mel = self._decoded(self.ctap.decoder.sharp, embedding, g)
        return self.ctap.decoder.spread_out(mel[None])[0]

    def _decoded(self, decoder: Callable[[Tensor, Tensor], Tensor], embedding: Tensor, g: Tensor) -> Tensor:
        window = self.trained.window("decoder")
        return windowed(lambda x: decoder(x, g.expand(len(x), -1)), embedding, window)

    def condition(self, tokens: Tensor, g: Tensor) -> Tensor:
        """Condition [L, d + D_g] of the duration models, of phone ids [L] and G [D_g]."""

        def condition(ids: Tensor) -> Tensor:
            return self.ctap.condition(ids, torch.ones_like(ids, dtype=torch.bool), g.expand(len(ids), -1))

        return windowed(condition, tokens, self.trained.window("phoneme_encoder"))
