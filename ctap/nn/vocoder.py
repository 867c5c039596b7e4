"""The source-filter vocoder: log-mel to F0, F0 to pulses, and gains for pulses and noise.

The neural source-filter idea (Wang, Takaki and Yamagishi 2019) with the filters of DDSP (Engel et al. 2020):
convolutions (ConvNeXt blocks, as in Vocos, Siuzdak 2023) read the mel and give every frame two spectra, one
for a pulse train and one for noise. Harmonics, which 40 bands do not hold above 1 kHz, come from the pulses;
the texture of noise comes from noise itself and is not predicted. The result is then brought nearer to the
given mel, with the harmonics that it has (:meth:`SourceFilter.match`).
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ctap.audio.f0 import F0_MIN
from ctap.audio.logmel import band_centres, mel_filters, noise_mel
from ctap.audio.settings import AudioSettings
from ctap.audio.stft import frame_window, from_spectra, to_spectra
from ctap.errors import UserError
from ctap.nn.excitation import f0_at, f0_place, pulse_train, sample_f0
from ctap.nn.minimum_phase import minimum_phase
from ctap.nn.retune import retune
from ctap.ranges import NOT_NEGATIVE, POSITIVE, Range, check_ranges

SMOOTHED = 2  # frames on each side over which F0's classes are averaged


@dataclass
class VocoderUse:
    """Settings of the vocoder in use; training ignores them.

    Args:
        updates: Updates of the magnitudes towards the mel (:meth:`SourceFilter.match`).
        guided_updates: The most of these under an F0 that is not the mel's own.
        noise_db: Level of the noise beside what was learnt, dB.
        voiced_above: Logit of voicing above which a frame has pulses. Below 0, since noise in the place of
            pulses is heard more than pulses in the place of noise (docs/vocoder.md).
    """

    updates: int = 5
    guided_updates: int = 1
    noise_db: float = 0.0
    voiced_above: float = -2.0

    def __post_init__(self) -> None:
        check_ranges(self, updates=NOT_NEGATIVE, guided_updates=NOT_NEGATIVE)
        check_ranges(self, noise_db=Range(-100, 100), voiced_above=Range(-100, 100))


@dataclass
class VocoderConfig:
    """Sizes.

    Args:
        dim: Channels of the network that gives the gains.
        layers: Its blocks.
        f0_dim: Channels of the network that gives F0.
        f0_layers: Its blocks.
        f0_bins: Classes of F0, even on a logarithmic scale.
        kernel: Frames that a block's convolution sees.
        expand: Inner width of a block, in channels per channel.
        use: How it speaks.
    """

    dim: int = 192
    layers: int = 6
    f0_dim: int = 128
    f0_layers: int = 4
    f0_bins: int = 120
    kernel: int = 7
    expand: int = 3
    use: VocoderUse = field(default_factory=VocoderUse)

    def __post_init__(self) -> None:
        counts = ("dim", "layers", "f0_dim", "f0_layers", "expand")
        check_ranges(self, **dict.fromkeys(counts, POSITIVE), f0_bins=Range(2))
        if self.kernel < 1 or self.kernel % 2 == 0:
            raise UserError(f"kernel: expected an odd number of frames, got {self.kernel}")

    @property
    def f0_reach(self) -> int:
        """Frames on each side that the F0 of a frame depends on."""
        return (self.f0_layers + 1) * (self.kernel // 2) + SMOOTHED

    @property
    def gain_reach(self) -> int:
        """Frames on each side that the gains of a frame depend on, F0 given."""
        return (self.layers + 1) * (self.kernel // 2)


class Block(nn.Module):
    """Convolution of each channel, layer norm, and a GELU layer, added to the input ``[B, T, D]``."""

    def __init__(self, dim: int, kernel: int, expand: int, scale: float) -> None:
        super().__init__()
        self.conv = nn.Conv1d(dim, dim, kernel, padding=kernel // 2, groups=dim)
        self.norm = nn.LayerNorm(dim)
        self.inner = nn.Linear(dim, dim * expand)
        self.outer = nn.Linear(dim * expand, dim)
        self.scale = nn.Parameter(torch.full((dim,), scale))

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x.transpose(1, 2)).transpose(1, 2)
        return x + self.scale * self.outer(F.gelu(self.inner(self.norm(y))))


class FrameNet(nn.Module):
    """Frames ``[B, T, inputs]`` to frames ``[B, T, outputs]`` through convolutions."""

    def __init__(self, inputs: int, outputs: int, dim: int, layers: int, config: VocoderConfig) -> None:
        super().__init__()
        self.enter = nn.Conv1d(inputs, dim, config.kernel, padding=config.kernel // 2)
        self.blocks = nn.ModuleList(
            Block(dim, config.kernel, config.expand, 1 / layers) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(dim)
        self.leave = nn.Linear(dim, outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = self.enter(x.transpose(1, 2)).transpose(1, 2)
        for block in self.blocks:
            x = block(x)
        return self.leave(self.norm(x))


class Pitch(NamedTuple):
    """Logits of F0 classes ``[B, T, bins]`` and of voicing ``[B, T]``."""

    classes: Tensor
    voicing: Tensor


class SourceFilter(nn.Module):
    """The networks and the signal path between them.

    Args:
        config: Sizes.
        settings: Mel settings; at least two hops to a window.
    """

    def __init__(self, config: VocoderConfig, settings: AudioSettings) -> None:
        super().__init__()
        self.config, self.settings = config, settings
        bins = settings.n_fft // 2 + 1
        self.f0_net = FrameNet(settings.n_mels, config.f0_bins + 1, config.f0_dim, config.f0_layers, config)
        self.gain_net = FrameNet(2 * settings.n_mels + 2, 2 * bins, config.dim, config.layers, config)
        nn.init.zeros_(self.gain_net.leave.weight)
        nn.init.zeros_(self.gain_net.leave.bias)
        self.register_buffer("mean", torch.full((settings.n_mels,), -4.0))
        self.register_buffer("std", torch.full((settings.n_mels,), 2.5))

    def pitch(self, mel: Tensor) -> Pitch:
        """Log-mel ``[B, T, M]`` to what it says of F0 and voicing."""
        out = self.f0_net((mel - self.mean) / self.std).float()
        return Pitch(out[..., :-1], out[..., -1])

    def f0(self, mel: Tensor, voiced_above: float = 0.0) -> Tensor:
        """F0 ``[B, T]`` Hz of log-mel ``[B, T, M]``, 0 where voicing's logit is at most ``voiced_above``.

        The mean around the class that is likeliest in frames nearby, so that it is finer than the classes and
        does not leap by an octave for a frame.
        """
        found = self.pitch(mel)
        best = _smooth(found.classes.log_softmax(-1)).argmax(-1, keepdim=True)
        classes = torch.arange(self.config.f0_bins, device=mel.device)
        near = (classes - best).abs() <= 3
        shares = found.classes.masked_fill(~near, -torch.inf).softmax(-1)
        place = (shares * classes).sum(-1) / (self.config.f0_bins - 1)
        voiced = found.voicing > voiced_above
        return torch.where(voiced, f0_at(place), 0.0)

    def said_f0(self, mel: Tensor) -> Tensor:
        """F0 ``[B, T]`` Hz that log-mel ``[B, T, M]`` is said with, 0 where it has no pulses."""
        return self.f0(mel, self.config.use.voiced_above)

    def retune(self, mel: Tensor, own: Tensor, f0: Tensor) -> Tensor:
        """Log-mel ``[B, T, M]`` of F0 ``own`` [B, T] as it would be under ``f0``: :mod:`ctap.nn.retune`."""
        return retune(mel, own, f0, self.settings)

    def f0_class(self, f0: Tensor) -> Tensor:
        """Position of ``f0`` Hz among the classes, a fraction."""
        return f0_place(f0) * (self.config.f0_bins - 1)

    def pulses(self, f0: Tensor, phase: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Pulses ``[B, (T - 1) * hop]`` of frames' F0 ``[B, T]``, and the phase before each sample."""
        return pulse_train(sample_f0(f0, self.settings.hop_length), self.settings.sample_rate, phase)

    def spectra(self, wave: Tensor) -> Tensor:
        """Samples ``[B, (T - 1) * hop]`` to spectra ``[B, T, F]``, silence around them."""
        s = self.settings
        around = F.pad(wave, (s.n_fft // 2, s.n_fft // 2))
        return to_spectra(around, frame_window(s, wave.device), s.hop_length)

    def gains(self, mel: Tensor, f0: Tensor, pulses: Tensor) -> tuple[Tensor, Tensor]:
        """Logarithms of the gains of pulses and of noise.

        Args:
            mel: Log-mel ``[B, T, M]``.
            f0: ``[B, T]`` Hz, 0 where unvoiced.
            pulses: Their spectra ``[B, T, F]``.

        Returns:
            Two ``[B, T, F]``, float32. Without the network they are the mel's envelope over the excitation's.
        """
        with torch.autocast(mel.device.type, enabled=False):
            own = (pulses.abs() @ mel_filters(self.settings).to(pulses.abs())).clamp(min=0.01).log()
        voiced = (f0 > 0).to(mel)
        height = torch.log(f0.clamp(min=F0_MIN) / 200.0) * voiced
        given = [(mel - self.mean) / self.std, own - 1.0, height[..., None], voiced[..., None]]
        out = self.gain_net(torch.cat(given, dim=-1)).float()
        with torch.autocast(mel.device.type, enabled=False):
            return self._log_gains(mel.float(), own, out)

    def _log_gains(self, mel: Tensor, own: Tensor, out: Tensor) -> tuple[Tensor, Tensor]:
        """The mel's envelope over that of the excitation, and what the network adds ``out`` [B, T, 2F]."""
        spread, white = _spread(self.settings)
        mel = mel.clamp(math.log(self.settings.log_floor), 7.0)
        pulse = (mel - own) @ spread.to(mel) + out[..., : out.shape[-1] // 2]
        noise = (mel - white.to(mel)) @ spread.to(mel) + out[..., out.shape[-1] // 2 :] - 0.5
        return pulse.clamp(-16, 10), noise.clamp(-16, 10)

    def wave(self, gains: tuple[Tensor, Tensor], pulses: Tensor, noise: Tensor) -> Tensor:
        """Filter the excitation's spectra ``[B, T, F]`` -> samples ``[B, (T - 1) * hop]``.

        The pulses' filter has minimum phase: a vocal tract answers after a pulse and not before it.
        """
        return self.overlap_add(minimum_phase(gains[0]) * pulses + gains[1].exp() * noise)

    def overlap_add(self, spectra: Tensor) -> Tensor:
        """Spectra ``[B, T, F]`` to the samples nearest to them ``[B, (T - 1) * hop]``."""
        return from_spectra(spectra, frame_window(self.settings, spectra.device), self.settings.hop_length)

    def match(self, wave: Tensor, mel: Tensor, updates: int) -> Tensor:
        """Bring samples ``[B, (T - 1) * hop]`` nearer to the log-mel ``[B, T, M]`` that they are to have.

        Magnitudes are multiplied until their mel is the one asked for, as in
        :func:`ctap.audio.griffin_lim.invert_mel`, but from this wave's: harmonics, the grain of the noise and
        phases stay, energies of bands become those of the recording.

        Args:
            wave: A draft.
            mel: What its mel should be.
            updates: How often; 0 leaves the draft.
        """
        if not updates:
            return wave
        spectra = self.spectra(wave)
        return self.overlap_add(spectra * self.match_factor(spectra.abs().clamp(min=1e-7), mel, updates))

    def match_factor(self, magnitude: Tensor, mel: Tensor, updates: int) -> Tensor:
        """By what to multiply magnitudes ``[B, T, F]`` so that their mel is ``[B, T, M]``."""
        filters, asked = mel_filters(self.settings).to(magnitude), mel.exp()
        total = filters.sum(1)
        factor = torch.ones_like(magnitude)
        for _ in range(updates):
            ratio = (asked / ((magnitude * factor) @ filters).clamp(min=1e-6)).clamp(0.1, 10.0)
            update = (ratio @ filters.T) / total.clamp(min=1e-8)
            factor = torch.where(total > 1e-6, factor * update, factor)
        return factor


def _smooth(x: Tensor) -> Tensor:
    """Hann-weighted average of ``x`` [B, T, D] over frames nearby, the first and last repeated."""
    size = 2 * SMOOTHED + 1
    first, last = (edge.expand(-1, SMOOTHED, -1) for edge in (x[:, :1], x[:, -1:]))
    padded = torch.cat([first, x, last], dim=1)
    window = torch.hann_window(size + 2, periodic=False)[1:-1]
    weights = (window / window.sum()).tolist()
    return sum(weight * padded[:, k : k + x.shape[1]] for k, weight in enumerate(weights))


@functools.lru_cache(maxsize=4)
@torch.inference_mode(False)  # whoever asks first: a training may ask next
def _spread(settings: AudioSettings) -> tuple[Tensor, Tensor]:
    """From mel bins to frequencies by linear interpolation ``[M, F]``; log-mel of white noise ``[M]``."""
    filters = mel_filters(settings)
    bins = torch.arange(len(filters), dtype=torch.float32)
    centres = band_centres(filters)
    right = torch.searchsorted(centres, bins).clamp(1, len(centres) - 1)
    share = ((bins - centres[right - 1]) / (centres[right] - centres[right - 1]).clamp(min=1e-3)).clamp(0, 1)
    spread = torch.zeros(len(centres), len(bins))
    spread[right, torch.arange(len(bins))] = share
    spread[right - 1, torch.arange(len(bins))] += 1 - share
    return spread, noise_mel(settings)
