"""Log-mel spectrograms."""

from __future__ import annotations

import functools

import torch
import torch.nn.functional as F
from torch import Tensor

from ctap.audio.frames import num_frames
from ctap.audio.settings import AudioSettings
from ctap.audio.stft import frame_window


@functools.lru_cache(maxsize=8)
@torch.inference_mode(False)  # whoever asks first: a training may ask next
def mel_filters(settings: AudioSettings) -> Tensor:
    """The triangular filter bank, on the scale and with the norm of ``settings``.

    Returns:
        ``[n_fft // 2 + 1, n_mels]`` float32, shared: do not write to it.
    """
    from torchaudio.functional import melscale_fbanks

    return melscale_fbanks(
        n_freqs=settings.n_fft // 2 + 1,
        f_min=settings.f_min,
        f_max=settings.f_max,
        n_mels=settings.n_mels,
        sample_rate=settings.sample_rate,
        norm=None if settings.mel_norm == "none" else settings.mel_norm,
        mel_scale=settings.mel_scale,
    )


def band_centres(filters: Tensor) -> Tensor:
    """Centre of gravity of every band of ``filters`` [n_fft / 2 + 1, n_mels], in frequency bins [n_mels]."""
    bins = torch.arange(len(filters), dtype=filters.dtype)
    return (filters * bins[:, None]).sum(0) / filters.sum(0).clamp(min=1e-6)


def noise_mel(settings: AudioSettings) -> Tensor:
    """Log-mel ``[n_mels]`` of white noise of unit power."""
    level = 0.5 * (torch.pi * (frame_window(settings) ** 2).sum()).sqrt()  # mean magnitude
    return (mel_filters(settings).sum(0).clamp(min=1e-6) * level).log()


def magnitude(wave: Tensor, settings: AudioSettings) -> Tensor:
    """Magnitude spectrogram with centred Hann frames, reflected at the edges.

    A waveform too short to be reflected (``n_fft // 2`` samples or fewer) is padded with zeros instead.

    Args:
        wave: ``[N]`` or ``[B, N]``.
        settings: the audio settings; ``wave`` is at their rate.

    Returns:
        ``[n_fft // 2 + 1, T]`` or ``[B, n_fft // 2 + 1, T]``, ``T = num_frames(N, settings)``.
    """
    half = settings.n_fft // 2
    batch = wave if wave.ndim == 2 else wave[None]
    padded = F.pad(batch, (half, half), mode="reflect" if wave.shape[-1] > half else "constant")
    frames = padded.unfold(-1, settings.n_fft, settings.hop_length) * frame_window(settings, wave.device)
    # Twice as fast as torch.stft(...).abs(), whose complex absolute value takes most of the time.
    real, imaginary = torch.view_as_real(torch.fft.rfft(frames)).unbind(-1)
    spectrum = torch.addcmul(real * real, imaginary, imaginary).sqrt_().transpose(-1, -2)
    return spectrum if wave.ndim == 2 else spectrum[0]


def log_mel(wave: Tensor, settings: AudioSettings) -> Tensor:
    """Natural logarithm of the mel magnitude spectrogram.

    Args:
        wave: ``[N]`` or ``[B, N]`` float samples in -1..1 at ``settings.sample_rate``.
        settings: the audio settings.

    Returns:
        ``[T, n_mels]`` or ``[B, T, n_mels]``, ``T = num_frames(N, settings)``, not below
        ``log(log_floor)``.

    Raises:
        ValueError: the waveform is empty or has more than two axes.
    """
    if wave.ndim not in (1, 2) or wave.shape[-1] == 0:
        raise ValueError(f"expected samples [N] or [B, N], found shape {tuple(wave.shape)}")
    spectrum = magnitude(wave, settings)
    filters = mel_filters(settings).to(spectrum)
    mel = spectrum.transpose(-1, -2) @ filters
    assert mel.shape[-2] == num_frames(wave.shape[-1], settings)
    return mel.clamp(min=settings.log_floor).log()


def check_mel(mel: Tensor, settings: AudioSettings, *, least: int = 1) -> None:
    """Refuse what no vocoder can turn into a waveform.

    Raises:
        ValueError: ``mel`` is not ``[T, n_mels]`` with at least ``least`` frames, or not finite.
    """
    if mel.ndim != 2 or len(mel) < least or mel.shape[1] != settings.n_mels:
        raise ValueError(f"expected a mel [T, {settings.n_mels}], found shape {tuple(mel.shape)}")
    if not torch.isfinite(mel).all():
        raise ValueError("the mel holds NaN or infinite values")
