"""Waveforms from log-mel without a trained model: mel inversion and fast Griffin-Lim."""

from __future__ import annotations

import functools

import numpy as np
import torch
from torch import Tensor

from ctap.audio.logmel import check_mel, mel_filters
from ctap.audio.settings import AudioSettings
from ctap.audio.stft import FrameTransform

MOMENTUM = 0.99  # the publication's choice; 0 is plain Griffin-Lim
MEL_UPDATES = 30  # of the mel's inversion
SEED = 0  # of the random first phase: one mel gives one waveform


@functools.lru_cache(maxsize=8)
@torch.inference_mode(False)  # whoever asks first: a training may ask next
def _start_filters(settings: AudioSettings) -> tuple[Tensor, Tensor]:
    """For :func:`invert_mel`: a first guess ``[M, F]`` from each mel bin, and the filters' sums ``[F]``."""
    filters = mel_filters(settings)
    each_bin = filters.sum(dim=1)
    # A mel bin's mean magnitude, spread over the bins under its triangle.
    guess = filters.T / filters.sum(dim=0).clamp(min=1e-8)[:, None] / each_bin.clamp(min=1e-8)[None]
    return guess, each_bin


def invert_mel(mel: Tensor, settings: AudioSettings) -> Tensor:
    """A non-negative magnitude spectrogram whose mel spectrogram is ``mel``.

    Multiplicative updates for the generalised Kullback-Leibler divergence (Richardson 1972; Lee and Seung
    2001), all frames at once: they weigh errors as the logarithm does, keep the sign, and start from a smooth
    spectrum, so that of the many solutions a smooth one is found.

    Args:
        mel: ``[T, M]`` mel magnitudes, not their logarithm.
        settings: the audio settings.

    Returns:
        ``[T, n_fft // 2 + 1]``; bins that no filter covers are 0.
    """
    filters = mel_filters(settings).to(mel)
    guess, total = (value.to(mel) for value in _start_filters(settings))
    covered = total > 0
    total = total.clamp(min=1e-8)
    spectrum = (mel @ guess).clamp(min=1e-9) * covered
    for _ in range(MEL_UPDATES):
        ratio = mel / (spectrum @ filters).clamp(min=1e-9)
        spectrum = spectrum * ((ratio @ filters.T) / total)
    return spectrum


class GriffinLim:
    """The vocoder ``griffin_lim``: log-mel to waveform by fast Griffin-Lim.

    Perraudin, Balazs and Sondergaard, "A fast Griffin-Lim algorithm", WASPAA 2013: the alternating
    projections of Griffin and Lim (1984) with momentum.

    Args:
        settings: the audio settings of the log-mel.
        iterations: projections.
    """

    def __init__(self, settings: AudioSettings, iterations: int = 60) -> None:
        self.settings = settings
        self.iterations = iterations

    @torch.inference_mode()
    def __call__(self, mel: Tensor) -> np.ndarray:
        """Turn natural-log mel ``[T, M]`` into samples ``[(T - 1) * hop_length]``, float32, in -1..1.

        A mel of one frame gives ``hop_length - 1`` samples, so that frames are counted alike there too.

        Raises:
            ValueError: the mel is not ``[T, n_mels]`` with at least one frame, or not finite.
        """
        settings = self.settings
        check_mel(mel, settings)
        frames = mel.shape[0]
        samples = (frames - 1) * settings.hop_length if frames > 1 else settings.hop_length - 1
        shortest = 2 + settings.n_fft // settings.hop_length
        if frames < shortest:
            mel = torch.cat([mel, mel[-1:].expand(shortest - frames, -1)])
        # No filter gives more than full scale; a model's outlier must not overflow.
        linear = mel.float().clamp(max=np.log(settings.n_fft)).exp()
        linear = torch.where(linear <= settings.log_floor * 1.01, torch.zeros_like(linear), linear)
        spectrum = invert_mel(linear, settings)
        wave = self.phase(spectrum)[:samples]
        peak = float(wave.abs().max())
        if peak > 1.0:
            wave = wave / peak
        return wave.cpu().numpy().astype(np.float32)

    def phase(self, spectrum: Tensor) -> Tensor:
        """Find a waveform ``[(T - 1) * hop_length]`` with the magnitudes ``spectrum`` ``[T, F]``."""
        transform = FrameTransform(self.settings, spectrum.shape[0], spectrum.device)
        generator = torch.Generator().manual_seed(SEED)
        angle = torch.rand(spectrum.shape, generator=generator).to(spectrum) * (2 * torch.pi)
        estimate = torch.polar(spectrum, angle)
        last: Tensor | None = None
        for _ in range(self.iterations):
            found = torch.view_as_real(transform.forward(transform.inverse(estimate)))
            ahead = found.clone() if last is None else torch.lerp(last, found, 1 + MOMENTUM)
            last = found
            real, imaginary = ahead.unbind(-1)
            power = torch.addcmul(real * real, imaginary, imaginary)
            ahead *= (spectrum * power.add_(1e-18).rsqrt_())[..., None]
            estimate = torch.view_as_complex(ahead)
        return transform.inverse(estimate)
