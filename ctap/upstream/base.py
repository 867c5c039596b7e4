"""The interface of a compared representation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from ctap.audio.frames import num_frames
from ctap.audio.settings import AudioSettings
from ctap.audio.wave import resample
from ctap.upstream.kmeans import KMeans
from ctap.upstream.pretrained import Source
from ctap.upstream.representation import Representation
from ctap.upstream.timing import Timing, windows

WINDOW_SECONDS, CONTEXT_SECONDS = 30.0, 2.0
"""Longer recordings are read in windows of this length, of which the context at either edge is not kept."""


class Upstream(ABC):
    """A published model that turns speech into frames.

    A subclass loads its model from a :class:`Source`, sets the attributes, and says how one window of
    samples becomes frames (:meth:`window_frames`); the rest is here.

    Attributes:
        kind: Name in the registry.
        timing: When its frames are; holds the model's sample rate.
        dim: Dimension of a frame.
        codebooks, codebook_size: Codes per frame and entries of each codebook; 0 if continuous.
        kmeans: Centroids that replace the frames, or None.
    """

    kind: ClassVar[str]
    timing: Timing
    dim: int
    codebooks: int = 0
    codebook_size: int = 0
    kmeans: KMeans | None = None
    window_seconds: float = WINDOW_SECONDS

    def __init__(self, source: Source, settings: AudioSettings, device: str = "cpu") -> None:
        self.source, self.settings, self.device = source, settings, device

    @property
    def sample_rate(self) -> int:
        """Rate of the model's input, Hz."""
        return self.timing.sample_rate

    @property
    def frame_rate(self) -> float:
        """Frames per second as the model makes them."""
        return self.timing.sample_rate / self.timing.stride

    @property
    def options(self) -> dict[str, Any]:
        """What decides the values beside the weights."""
        return {}

    @property
    def representation(self) -> Representation:
        """What this makes, for manifests."""
        return Representation(
            self.kind, self.source.model, self.source.revision, self.source.digest, self.sample_rate,
            self.timing.stride, self.dim, self.codebooks, self.codebook_size, self.options,
        )  # fmt: skip

    @abstractmethod
    def window_frames(self, wave: Tensor) -> Tensor:
        """Frames ``[n, dim]`` of a window ``[N]`` at the model's rate, ``n`` as ``timing`` says of N."""

    def prepare(self, wave: Tensor) -> Tensor:
        """What is done to a whole recording ``[N]`` before it is cut into windows."""
        return wave

    @torch.inference_mode()
    def frames(self, wave: np.ndarray) -> Tensor:
        """The model's own frames of a recording, codes replaced by their embeddings.

        Args:
            wave: ``[N]`` samples in -1..1 at ``settings.sample_rate``, of any length from 1 on.

        Returns:
            ``[n, dim]`` float32 on the CPU.
        """
        if wave.ndim != 1 or not wave.size:
            raise ValueError(f"expected a wave [N] with N >= 1, not {list(wave.shape)}")
        own = torch.from_numpy(resample(wave, self.settings.sample_rate, self.sample_rate))
        own = self.prepare(own.to(self.device))
        if len(own) < self.timing.receptive:
            own = torch.nn.functional.pad(own, (0, self.timing.receptive - len(own)))
        parts = []
        size, context = (int(s * self.frame_rate) for s in (self.window_seconds, CONTEXT_SECONDS))
        context = min(context, size // 4)
        for window in windows(self.timing.num_frames(len(own)), size, context):
            read = own[self.timing.samples(window.start, window.end, len(own))]
            found = self.window_frames(read)
            if len(found) != window.end - window.start:
                raise RuntimeError(
                    f"{self.kind}: {len(found)} frames of {len(read)} samples, "
                    f"expected {window.end - window.start}"
                )
            found = found[window.first - window.start : window.last - window.start].float()
            parts.append((self.kmeans.replace(found) if self.kmeans else found).cpu())
        return torch.cat(parts)

    def encode(self, wave: np.ndarray) -> np.ndarray:
        """A recording at the toolkit's frame rate: for each frame the model's frame nearest in time.

        Args:
            wave: ``[N]`` samples in -1..1 at ``settings.sample_rate``.

        Returns:
            ``[T, dim]`` float32, ``T = ctap.audio.frames.num_frames(N, settings)``.
        """
        own = self.frames(wave).numpy()
        index = self.timing.nearest(
            num_frames(len(wave), self.settings),
            self.settings.hop_length,
            self.settings.sample_rate,
            len(own),
        )
        return own[index]
