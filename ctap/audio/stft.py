"""A short-time Fourier transform and its inverse: frames first, so that a frame is contiguous."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from ctap.audio.settings import AudioSettings


def frame_window(settings: AudioSettings, device: torch.device | str = "cpu") -> Tensor:
    """``[n_fft]``: the Hann window of ``win_length`` samples in the middle of a frame."""
    side = settings.n_fft - settings.win_length
    return pad(torch.hann_window(settings.win_length, device=device), (side // 2, side - side // 2))


def to_spectra(wave: Tensor, window: Tensor, hop: int) -> Tensor:
    """Samples ``[..., n_fft + (T - 1) * hop]``, what is around them included, to spectra ``[..., T, F]``."""
    return torch.fft.rfft(wave.unfold(-1, len(window), hop) * window)


def from_spectra(spectra: Tensor, window: Tensor, hop: int, envelope: Tensor | None = None) -> Tensor:
    """Spectra to the samples nearest to them in the least-squares sense.

    Args:
        spectra: ``[..., T, F]``, of frames centred on every ``hop`` samples from the first.
        window: ``[n_fft]``.
        hop: Samples from frame to frame.
        envelope: What :func:`window_envelope` gives, where it is at hand.

    Returns:
        ``[..., (T - 1) * hop]``.
    """
    if envelope is None:
        envelope = window_envelope(window, spectra.shape[-2], hop)
    frames = torch.fft.irfft(spectra, n=len(window)) * window
    return _overlap_add(frames, hop) / envelope


def window_envelope(window: Tensor, frames: int, hop: int) -> Tensor:
    """``[(T - 1) * hop]``: the sum of the squared windows of so many ``frames`` over each sample."""
    return _overlap_add((window**2).expand(frames, -1), hop).clamp(min=1e-8)


def _overlap_add(frames: Tensor, hop: int) -> Tensor:
    """Frames ``[..., T, n_fft]`` added up, from the centre of the first to that of the last."""
    count, size = frames.shape[-2:]
    pieces = -(-size // hop)
    frames = pad(frames, (0, pieces * hop - size)).unflatten(-1, (pieces, hop))
    out = frames.new_zeros(*frames.shape[:-3], count + pieces - 1, hop)
    for k, piece in enumerate(frames.unbind(-2)):  # half the time of torch.nn.functional.fold
        out[..., k : k + count, :] += piece
    return out.flatten(-2)[..., size // 2 : size // 2 + (count - 1) * hop]


class FrameTransform:
    """Centred, reflected, Hann-windowed frames of a fixed number, to spectra and back.

    The same values as ``torch.stft`` and ``torch.istft`` with ``center=True``, transposed; in a loop it is
    faster, since frames are contiguous and the window's envelope is computed once.

    Args:
        settings: the audio settings.
        frames: how many frames, at least ``2 + n_fft // hop_length``.
    """

    def __init__(self, settings: AudioSettings, frames: int, device: torch.device | str = "cpu") -> None:
        self.half, self.hop = settings.n_fft // 2, settings.hop_length
        self.samples = (frames - 1) * self.hop
        if self.samples <= self.half:
            raise ValueError(f"{frames} frames are too few to be reflected at the edges")
        self.window = frame_window(settings, device)
        self.envelope = window_envelope(self.window, frames, self.hop)

    def forward(self, wave: Tensor) -> Tensor:
        """``[(T - 1) * hop_length]`` samples to the complex spectra ``[T, n_fft // 2 + 1]``."""
        padded = pad(wave[None, None], (self.half, self.half), mode="reflect")[0, 0]
        return to_spectra(padded, self.window, self.hop)

    def inverse(self, spectra: Tensor) -> Tensor:
        """Spectra ``[T, n_fft // 2 + 1]`` to the samples nearest to them in the least-squares sense."""
        return from_spectra(spectra, self.window, self.hop, self.envelope)
