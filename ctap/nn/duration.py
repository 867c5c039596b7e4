"""Duration models: conditional diffusion over log durations, and a deterministic predictor beside it.

The paper takes its duration diffusion model from Qiang et al. 2023 (arXiv:2307.15484) and gives no sizes.
Here: a denoising diffusion model (Ho et al. 2020) of one value a phone, z = normalised log(1 + frames), with
the gated dilated convolutions of DiffWave (Kong et al. 2021), conditioned on the unexpanded phoneme encoding
and G.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ctap.errors import UserError
from ctap.nn.conv import FrameConv
from ctap.nn.positions import sinusoids
from ctap.ranges import NOT_NEGATIVE, POSITIVE, SHARE, Range, check_ranges

Z_LIMIT = 4.0  # standard deviations of log durations: beyond, nothing is drawn or predicted
SPEEDS = (0.2, 5.0)  # the slowest and the fastest that can be asked for, 1 is that of the training


def check_speed(speed: float) -> None:
    """Refuse a speed that is not a number or is outside :data:`SPEEDS`.

    Raises:
        UserError: It is.
    """
    if not SPEEDS[0] <= speed <= SPEEDS[1]:  # also false of NaN
        raise UserError(f"speed {speed:g}: expected {SPEEDS[0]:g} to {SPEEDS[1]:g}; above 1 is faster")


def seeded(seed: int) -> torch.Generator:
    """A generator for any whole number, of which torch takes those of 64 bits."""
    return torch.Generator().manual_seed(seed % 2**64)


@dataclass
class DurationConfig:
    """Sizes of the duration models.

    Args:
        layers: Gated dilated convolutions of the denoiser.
        channels: Their width.
        cycle: Dilations are 1, 2, 4, ... and start again after this many layers.
        steps: Diffusion steps in training.
        beta_first: Noise variance of the first step.
        beta_last: Noise variance of the last step; linear between.
        sampling_steps: Steps at inference (DDIM, Song et al. 2021).
        temperature: Standard deviation of the noise that sampling starts from; below 1 durations are less
            varied and nearer to the likeliest (as in Grad-TTS, Popov et al. 2021).
        predictor_channels: Width of the deterministic predictor.
        dropout: Dropout of the deterministic predictor.
        max_frames: The most that is predicted for a phone, at the usual speed: longer ones are cut.
    """

    layers: int = 20
    channels: int = 256
    cycle: int = 4
    steps: int = 100
    beta_first: float = 1e-4
    beta_last: float = 0.06
    sampling_steps: int = 10
    temperature: float = 1.0
    predictor_channels: int = 256
    dropout: float = 0.1
    max_frames: int = 300

    def __post_init__(self) -> None:
        counts = ("layers", "channels", "cycle", "steps", "predictor_channels", "max_frames")
        check_ranges(self, **dict.fromkeys(counts, POSITIVE))
        noise = dict.fromkeys(("beta_first", "beta_last"), Range(above=0, below=1))
        check_ranges(self, **noise, temperature=NOT_NEGATIVE, dropout=SHARE)
        if self.channels % 2:
            raise UserError(f"channels: expected an even number, got {self.channels}")
        if not 1 <= self.sampling_steps <= self.steps:
            raise UserError(f"sampling_steps: expected 1 to {self.steps} (steps), got {self.sampling_steps}")


class DurationPredictor(nn.Module):
    """The deterministic one: two conv3 - ReLU - layer norm - dropout, a linear layer (FastSpeech)."""

    def __init__(self, inputs: int, channels: int, dropout: float) -> None:
        super().__init__()
        self.convs = nn.ModuleList([FrameConv(inputs, channels, 3), FrameConv(channels, channels, 3)])
        self.norms = nn.ModuleList([nn.LayerNorm(channels), nn.LayerNorm(channels)])
        self.dropout = nn.Dropout(dropout)
        self.project = nn.Linear(channels, 1)

    def forward(self, condition: Tensor, mask: Tensor) -> Tensor:
        """Predict z [B, L] from ``condition`` [B, L, C]."""
        x = condition
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = self.dropout(norm(F.relu(conv(x, mask))))
        return self.project(x)[..., 0]


class Denoiser(nn.Module):
    """Predicts the noise in z at a diffusion step."""

    def __init__(self, inputs: int, config: DurationConfig) -> None:
        super().__init__()
        c = config.channels
        self.channels = c
        self.embed_step = nn.Sequential(nn.Linear(c, c), nn.SiLU(), nn.Linear(c, c))
        self.project_in = nn.Linear(1, c)
        self.project_condition = nn.Linear(inputs, c)
        self.steps = nn.ModuleList(nn.Linear(c, c) for _ in range(config.layers))
        self.convs = nn.ModuleList(
            FrameConv(c, 2 * c, 3, dilation=2 ** (i % config.cycle)) for i in range(config.layers)
        )
        self.conditions = nn.ModuleList(nn.Linear(c, 2 * c) for _ in range(config.layers))
        self.outputs = nn.ModuleList(nn.Linear(c, 2 * c) for _ in range(config.layers))
        self.project_out = nn.Sequential(nn.Linear(c, c), nn.ReLU(), nn.Linear(c, 1))

    def forward(self, z: Tensor, step: Tensor, condition: Tensor, mask: Tensor) -> Tensor:
        """Noise [B, L] in ``z`` [B, L] at ``step`` [B], given ``condition`` [B, L, C]."""
        x = F.relu(self.project_in(z[..., None]))
        condition = F.silu(self.project_condition(condition))
        embedded = self.embed_step(sinusoids(step, self.channels))[:, None]
        total = torch.zeros_like(x)
        for to_step, conv, to_gate, to_output in zip(
            self.steps, self.convs, self.conditions, self.outputs, strict=True
        ):
            signal, gate = (conv(x + to_step(embedded), mask) + to_gate(condition)).chunk(2, dim=-1)
            residual, skip = to_output(torch.tanh(signal) * torch.sigmoid(gate)).chunk(2, dim=-1)
            x = (x + residual) / math.sqrt(2)
            total = total + skip
        return self.project_out(total / math.sqrt(len(self.convs)))[..., 0]


class DurationModel(nn.Module):
    """Both duration models over one condition.

    Args:
        embed_dim: Dimension d of the phoneme encoding.
        prompt_dim: Dimension D_g of G.
        config: Sizes.
        mean: Mean of log(1 + frames) over the training data.
        std: Its standard deviation.
    """

    def __init__(
        self, embed_dim: int, prompt_dim: int, config: DurationConfig, mean: float = 0.0, std: float = 1.0
    ) -> None:
        super().__init__()
        self.config = config
        inputs = embed_dim + prompt_dim
        self.denoiser = Denoiser(inputs, config)
        self.predictor = DurationPredictor(inputs, config.predictor_channels, config.dropout)
        beta = torch.linspace(config.beta_first, config.beta_last, config.steps)
        self.register_buffer("alpha_bar", torch.cumprod(1 - beta, dim=0))
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    def losses(self, durations: Tensor, condition: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """L1 on the noise of the diffusion model, and squared error of the predictor, over real phones.

        Args:
            durations: [B, L] frames.
            condition: [B, L, C], see :meth:`ctap.nn.ctap.CTAP.duration_condition`.
            mask: [B, L] bool, True on real phones.
        """
        z = (torch.log1p(durations.float()) - self.mean) / self.std
        step = torch.randint(self.config.steps, (len(z),), device=z.device)
        level = self.alpha_bar[step][:, None]
        noise = torch.randn_like(z)
        noisy = level.sqrt() * z + (1 - level).sqrt() * noise
        predicted = self.denoiser(noisy, step, condition, mask)
        diffusion = (predicted - noise).abs()[mask].mean()
        deterministic = (self.predictor(condition, mask) - z)[mask].square().mean()
        return diffusion, deterministic

    def sample(self, condition: Tensor, mask: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Draw log durations z [B, L] by few-step DDIM from seeded noise."""
        return self.denoise(torch.randn(mask.shape, generator=generator).to(condition), condition, mask)

    def denoise(self, noise: Tensor, condition: Tensor, mask: Tensor) -> Tensor:
        """Log durations z [B, L] from Gaussian ``noise`` [B, L]."""
        config = self.config
        steps = torch.linspace(config.steps - 1, 0, config.sampling_steps).round().long().tolist()
        z = config.temperature * noise
        for step, following in zip(steps, [*steps[1:], None], strict=True):
            now = self.alpha_bar[step]
            after = torch.ones_like(now) if following is None else self.alpha_bar[following]
            noise = self.denoiser(z, torch.full((len(z),), step, device=z.device), condition, mask)
            clean = ((z - (1 - now).sqrt() * noise) / now.sqrt()).clamp(-Z_LIMIT, Z_LIMIT)
            noise = (z - now.sqrt() * clean) / (1 - now).sqrt()
            z = after.sqrt() * clean + (1 - after).sqrt() * noise
        return z

    def to_frames(self, z: Tensor, mask: Tensor, speed: float = 1.0) -> Tensor:
        """Turn z [B, L] into whole frames [B, L], at least 1 each on real phones, 0 on padding.

        Ends are rounded, not durations, so that an utterance's length carries no rounding bias. Extreme
        values are clamped: z to :data:`Z_LIMIT` deviations, as in the sampler, and frames to the
        configuration's ``max_frames``, both before ``speed``.

        Raises:
            UserError: z is not a number somewhere, or ``speed`` is outside :data:`SPEEDS`.
        """
        check_speed(speed)
        if not z[mask].isfinite().all():
            raise UserError("durations: the model predicts what is not a number: its weights are broken")
        return self.whole_frames(z, mask, speed)

    def whole_frames(self, z: Tensor, mask: Tensor, speed: float | Tensor) -> Tensor:
        """:meth:`to_frames` of what is known to be sound; ``speed`` may be a tensor [1]."""
        frames = (z.clamp(-Z_LIMIT, Z_LIMIT) * self.std + self.mean).exp() - 1.0
        frames = (frames.clamp(max=self.config.max_frames) / speed).clamp(min=1.0) * mask
        ends = frames.cumsum(dim=1).round()
        whole = (ends - F.pad(ends, (1, -1))).long()
        return whole.clamp(min=1) * mask
