"""The source-filter vocoder over a whole mel at once, in real numbers: what ONNX has operators for.

Transforms of frames are convolutions with cosines and sines, their inverse is a transposed convolution, and
the phase of a minimum-phase filter is a matrix product with its log magnitudes, since the cepstrum is linear
in them. Networks, excitation and gains are those of :class:`ctap.nn.vocoder.SourceFilter`.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ctap.audio.settings import AudioSettings
from ctap.audio.stft import frame_window
from ctap.models.vocoder import NeuralVocoder
from ctap.nn.minimum_phase import log_minimum_phase


class RealTransform(nn.Module):
    """Frames of a wave to real and imaginary parts of their spectra, and back.

    Args:
        settings: Frames and window.
    """

    def __init__(self, settings: AudioSettings) -> None:
        super().__init__()
        size, self.hop, self.edge = settings.n_fft, settings.hop_length, settings.n_fft // 2
        window = frame_window(settings).double()
        forward = torch.view_as_real(torch.fft.rfft(torch.eye(size, dtype=torch.float64)))  # [n, F, 2]
        forward = (forward * window[:, None, None]).permute(2, 1, 0).flatten(0, 1)
        bins = torch.eye(self.edge + 1, dtype=torch.complex128)
        inverse = torch.fft.irfft(torch.cat([bins, 1j * bins]), n=size) * window
        self.register_buffer("forward_kernel", forward[:, None].float())  # [2F, 1, n]
        self.register_buffer("inverse_kernel", inverse[:, None].float())
        self.register_buffer("envelope_kernel", (window**2)[None, None].float())

    def spectra(self, wave: Tensor) -> tuple[Tensor, Tensor]:
        """Samples [1, (T - 1) * hop] to two [1, T, F], silence around them."""
        frames = F.conv1d(F.pad(wave, (self.edge, self.edge))[:, None], self.forward_kernel, stride=self.hop)
        real, imaginary = frames.transpose(1, 2).chunk(2, dim=-1)
        return real, imaginary

    def overlap_add(self, real: Tensor, imaginary: Tensor) -> Tensor:
        """Two [1, T, F] to the samples nearest to them [1, (T - 1) * hop]."""
        spectra = torch.cat([real, imaginary], dim=-1).transpose(1, 2)
        ones = torch.ones_like(spectra[:, :1])
        added = F.conv_transpose1d(spectra, self.inverse_kernel, stride=self.hop)[:, 0]
        envelope = F.conv_transpose1d(ones, self.envelope_kernel, stride=self.hop)[:, 0].clamp(min=1e-3)
        return (added / envelope)[:, self.edge : -self.edge]


class PitchGraph(nn.Module):
    """Log-mel [1, T, M] to the F0 [1, T + 2 margin] Hz, 0 where unvoiced, that it is said with.

    The first and last frame are held.

    Args:
        vocoder: Whose F0 it is.
    """

    def __init__(self, vocoder: NeuralVocoder) -> None:
        super().__init__()
        self.net, self.margin = vocoder.net, vocoder.margin
        settings = vocoder.settings
        self.lowest, self.highest = math.log(settings.log_floor), math.log(settings.n_fft)

    def held(self, mel: Tensor) -> Tensor:
        """Log-mel within its limits, and ``margin`` frames more at both ends."""
        mel = mel.clamp(self.lowest, self.highest)
        first, last = (edge.expand(-1, self.margin, -1) for edge in (mel[:, :1], mel[:, -1:]))
        return torch.cat([first, mel, last], dim=1)

    def forward(self, mel: Tensor) -> Tensor:
        return self.net.said_f0(self.held(mel))


class VocoderGraph(PitchGraph):
    """Log-mel [1, T, M], T of 2 or more, to samples [1, (T - 1) * hop], under the F0 of :class:`PitchGraph`.

    F0 comes from outside: its phase adds up over all samples, and so do the last digits in which two
    libraries differ. Noise is Gaussian, [1, (T + 2 margin - 1) * hop].

    Args:
        vocoder: What it is to say.
    """

    def __init__(self, vocoder: NeuralVocoder) -> None:
        super().__init__(vocoder)
        self.updates, self.level, self.hop = vocoder.updates, vocoder.noise, vocoder.settings.hop_length
        self.transform = RealTransform(vocoder.settings)
        bins = torch.eye(vocoder.settings.n_fft // 2 + 1, dtype=torch.float64)
        self.register_buffer("phase_of", log_minimum_phase(bins).imag.float())

    def forward(self, mel: Tensor, f0: Tensor, noise: Tensor) -> Tensor:
        mel = self.held(mel)
        real, imaginary = self.transform.spectra(self.net.pulses(f0)[0])
        pulse, hiss = self.net.gains(mel, f0, torch.sqrt(real * real + imaginary * imaginary))
        phase, size, loud = pulse @ self.phase_of, pulse.exp(), self.level * hiss.exp()
        cosine, sine = size * phase.cos(), size * phase.sin()
        noise_real, noise_imaginary = self.transform.spectra(noise)
        wave = self.transform.overlap_add(
            real * cosine - imaginary * sine + loud * noise_real,
            real * sine + imaginary * cosine + loud * noise_imaginary,
        )
        wave = self._match(wave, mel)
        return wave[:, self.margin * self.hop : -self.margin * self.hop].clamp(-1, 1)

    def _match(self, wave: Tensor, mel: Tensor) -> Tensor:
        """As :meth:`ctap.nn.vocoder.SourceFilter.match`."""
        if not self.updates:
            return wave
        real, imaginary = self.transform.spectra(wave)
        magnitude = torch.sqrt(real * real + imaginary * imaginary).clamp(min=1e-7)
        factor = self.net.match_factor(magnitude, mel, self.updates)
        return self.transform.overlap_add(real * factor, imaginary * factor)
