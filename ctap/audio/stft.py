"""A short-time Fourier transform and its inverse for iterating: frames first, nothing computed twice."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from ctap.audio.settings import AudioSettings


def frame_window(settings: AudioSettings, device: torch.device | str = "cpu") -> Tensor:
    """``[n_fft]``: the Hann window of ``win_length`` samples in the middle of a frame."""
    side = settings.n_fft - settings.win_length
    return pad(torch.hann_window(settings.win_length, device=device), (side // 2, side - side // 2))


class FrameTransform:
    """Centred, reflected, Hann-windowed frames of a fixed number, to spectra and back.

    The same values as ``torch.stft`` and ``torch.istft`` with ``center=True``, transposed; in a loop it is
    faster, since frames are contiguous and the window's envelope is computed once.

    Args:
        settings: the audio settings.
        frames: how many frames, at least ``2 + n_fft // hop_length``.
    """

    def __init__(self, settings: AudioSettings, frames: int, device: torch.device | str = "cpu") -> None:
        self.n_fft, self.hop = settings.n_fft, settings.hop_length
        self.half = self.n_fft // 2
        self.samples = (frames - 1) * self.hop
        if self.samples <= self.half:
            raise ValueError(f"{frames} frames are too few to be reflected at the edges")
        self.window = frame_window(settings, device)
        envelope = self._overlap_add((self.window**2).expand(frames, -1))
        self.envelope = self._middle(envelope).clamp(min=1e-8)

    def forward(self, wave: Tensor) -> Tensor:
        """``[(T - 1) * hop_length]`` samples to the complex spectra ``[T, n_fft // 2 + 1]``."""
        padded = pad(wave[None, None], (self.half, self.half), mode="reflect")[0, 0]
        return torch.fft.rfft(padded.unfold(0, self.n_fft, self.hop) * self.window)

    def inverse(self, spectra: Tensor) -> Tensor:
        """Spectra ``[T, n_fft // 2 + 1]`` to the samples nearest to them in the least-squares sense."""
        frames = torch.fft.irfft(spectra, n=self.n_fft) * self.window
        return self._middle(self._overlap_add(frames)) / self.envelope

    def _overlap_add(self, frames: Tensor) -> Tensor:
        pieces = -(-self.n_fft // self.hop)
        count = frames.shape[0]
        frames = pad(frames, (0, pieces * self.hop - self.n_fft)).reshape(count, pieces, self.hop)
        out = frames.new_zeros(count + pieces - 1, self.hop)
        for k in range(pieces):
            out[k : k + count] += frames[:, k]
        return out.view(-1)

    def _middle(self, wave: Tensor) -> Tensor:
        return wave[self.half : self.half + self.samples]
