"""A log-mel under another F0: where low bands show single harmonics, these move to where the new ones lie.

Forty bands resolve the harmonics of a voice below 1 kHz or so. Pulses at another F0 meet bands that were
quiet between two harmonics, and a vocoder that gives every band what the mel asks for takes them away again.
So the mel is divided into an envelope and what a steady pulse train shows of itself in every band; the
envelope is bridged over the bands between two harmonics, where nothing is known of it, and the new train is
put in place of the old one.
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from ctap.audio.logmel import mel_filters, noise_mel
from ctap.audio.settings import AudioSettings
from ctap.audio.stft import frame_window
from ctap.nn.excitation import f0_at, f0_place, pulse_train

STEPS = 500  # of F0 in the table, even on a logarithmic scale
DEEPEST = -5.0  # ln of the level between two harmonics, beside that of noise of the same power
BETWEEN, SHARPNESS = -1.0, 0.3  # the same: a band below is between harmonics; width of the passage
REACH = 1.5  # bands from which the envelope is bridged


@functools.lru_cache(maxsize=4)
@torch.inference_mode(False)  # whoever asks first: a training may ask next
def _trains(settings: AudioSettings) -> Tensor:
    """Log-mel of steady pulse trains over that of noise ``[STEPS, M]``, from the lowest F0 to the highest."""
    n = settings.n_fft
    f0 = f0_at(torch.linspace(0, 1, STEPS))
    pulses, _ = pulse_train(f0[:, None].expand(-1, 4 * n), settings.sample_rate)
    frames = pulses.unfold(-1, n, n // 8) * frame_window(settings)
    spectra = torch.fft.rfft(frames).abs().mean(1)  # over where pulses lie in the window
    mels = (spectra @ mel_filters(settings)).clamp(min=1e-6).log()
    return (mels - noise_mel(settings)).clamp(min=DEEPEST)


def retune(mel: Tensor, old: Tensor, new: Tensor, settings: AudioSettings) -> Tensor:
    """``mel`` as it would be under F0 ``new``.

    Bands in which both trains have the same level stay; so does a frame that either F0 leaves unvoiced.

    Args:
        mel: Natural-log mel ``[..., M]``.
        old: F0 ``[...]`` in Hz that it shows, 0 where unvoiced.
        new: F0 ``[...]`` in Hz that it is to have, 0 where unvoiced.
        settings: Of the mel.

    Returns:
        ``[..., M]``.
    """
    trains = _trains(settings).to(mel)
    before, after = (trains[(f0_place(f0) * (STEPS - 1)).round().long()] for f0 in (old, new))
    seen = torch.sigmoid((before - BETWEEN) / SHARPNESS)  # how far a band tells of the envelope
    envelope = mel - before
    bands = torch.arange(mel.shape[-1], device=mel.device, dtype=mel.dtype)
    near = torch.exp(-0.5 * ((bands[:, None] - bands) / REACH) ** 2)
    weight = seen + 1e-4  # never all 0: below the fundamental the nearest harmonic is far
    bridged = seen * envelope + (1 - seen) * ((weight * envelope) @ near / (weight @ near))
    changed = (after - before).abs().clamp(max=1.0) * ((old > 0) & (new > 0))[..., None]
    return mel + changed * (bridged + after - mel)
