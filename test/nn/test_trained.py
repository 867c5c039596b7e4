"""What trained weights say stays what it was: of a changed network, saved models would say something else."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from ctap.audio.settings import AudioSettings
from ctap.config import from_dict
from ctap.data.batch import lengths_to_mask
from ctap.nn.adversary import SpeakerAdversary
from ctap.nn.ctap import CTAP, CTAPConfig
from ctap.nn.duration import DurationConfig, DurationModel
from ctap.nn.judge import Judge
from ctap.nn.phoneme_decoder import PhonemeDecoder
from ctap.nn.prompt_encoder import PromptConfig, PromptEncoder
from ctap.nn.transformer import StackConfig
from ctap.nn.vocoder import SourceFilter, VocoderConfig
from test import tiny

STACK = StackConfig(**{**tiny.STACK, "positions": "absolute"})
MASK = lengths_to_mask(torch.tensor([30, 18]), 30)
TOKENS, SPANS = torch.tensor([[3, 9, 4, 7], [5, 6, 0, 0]]), torch.tensor([[9, 4, 12, 5], [10, 8, 0, 0]])
REAL = TOKENS > 0
DURATION = DurationConfig(layers=5, channels=8, steps=20, sampling_steps=5, predictor_channels=8)


def numbers(*shape: int, start: float = 0.0) -> Tensor:
    """Between -1 and 1, spread as if at random, the same everywhere."""
    count = torch.arange(math.prod(shape), dtype=torch.float64)
    return torch.frac(43758.5453 * torch.sin(start + 12.9898 * count)).float().view(shape)


def filled(module: nn.Module) -> nn.Module:
    """A network whose weights are such numbers, as large as those of a new one."""
    for i, (name, value) in enumerate(module.state_dict().items()):
        if name.endswith(("running_var", "std")):
            value.fill_(1.5)
        elif value.is_floating_point() and "alpha_bar" not in name:
            fan_in = value[0].numel() if value.ndim > 1 else 4
            value.copy_(numbers(*value.shape, start=i) * (3 / fan_in) ** 0.5)
    return module.eval()


def ctap(**changed: object) -> CTAP:
    return filled(CTAP(from_dict(CTAPConfig, {**tiny.MODEL, **changed}, "test"), 20))


def vocoded() -> Tensor:
    net = filled(
        SourceFilter(VocoderConfig(dim=8, layers=2, f0_dim=8, f0_layers=2, f0_bins=20), AudioSettings())
    )
    mel, f0 = numbers(1, 12, 40) - 1, torch.tensor([[0.0] * 4 + [150.0] * 8])
    pulses = net.spectra(net.pulses(f0)[0])
    said = net.wave(net.gains(mel, f0, pulses), pulses, net.spectra(numbers(1, 11 * 240)))
    return torch.cat([net.f0(mel).flatten() / 100, 20 * net.match(said, mel, 2).flatten()])


SAID = {
    "speech": lambda: ctap(speech_encoder=vars(STACK)).speech_encoder(numbers(2, 30, 40), MASK),
    "speech, normalised": lambda: ctap(instance_norm=True).speech_encoder(numbers(2, 30, 40), MASK),
    "phonemes": lambda: ctap().phoneme_encoder(TOKENS, SPANS, 30, MASK),
    "prompt": lambda: torch.cat(ctap().prompt_encoder(numbers(2, 40, 40))),
    "prompt, mean": lambda: torch.cat(
        filled(PromptEncoder(40, PromptConfig([8, 16], 6, 40, 2, "mean")))(numbers(2, 40, 40))
    ),
    "mel": lambda: ctap().decoder(numbers(2, 30, 8), numbers(2, 6), MASK),
    "refined": lambda: ctap().decoder.speak(numbers(2, 30, 8), numbers(2, 6), MASK),
    "recognised": lambda: torch.cat(filled(PhonemeDecoder(8, 9, 5, STACK))(numbers(2, 30, 8), MASK), -1),
    "judged": lambda: filled(Judge(9, 40, STACK))(numbers(2, 30, 40), MASK),
    "denoised": lambda: filled(DurationModel(4, 2, DURATION)).denoise(numbers(2, 4), numbers(2, 4, 6), REAL),
    "durations": lambda: filled(DurationModel(4, 2, DURATION)).predictor(numbers(2, 4, 6), REAL),
    "speaker": lambda: filled(SpeakerAdversary(4, 3))(numbers(2, 30, 4), MASK),
    "vocoded": vocoded,
}
"""What each network makes of given numbers, where padding is not looked at."""
KNOWN: dict[str, list[float]] = {
    "speech": [0.4669, 0.3040, -0.4320, -0.4251, -0.4488],
    "speech, normalised": [0.4462, 0.7161, -0.4367, -0.4358, -0.4623],
    "phonemes": [0.9072, -1.7084, 0.8139, 0.6483, 0.4476],
    "prompt": [1.0746, 2.1097, 1.2895, -0.2919, -0.0586],
    "prompt, mean": [0.5633, 0.1907, -0.2067, 0.8250, 0.3894],
    "mel": [8.6672, 9.2968, -0.8214, -0.5637, -2.7130],
    "refined": [9.5442, 10.5698, 2.3358, 2.5008, 2.8353],
    "recognised": [0.9306, 0.0244, 1.1928, 1.2518, 1.0598],
    "judged": [1.1656, 1.0658, -0.0730, -0.1187, -0.0206],
    "denoised": [2.4855, 1.9162, 3.1909, 2.6802, 2.4924],
    "durations": [0.2878, -0.0160, 0.4997, -0.0158, -0.1029],
    "speaker": [1.0552, -0.2150, 0.2736, -0.0840, -1.7692],
    "vocoded": [0.1033, 0.9204, 0.0091, 0.0372, -0.0423],
}
"""Its root mean square, and four of its values."""


def seen(name: str) -> list[float]:
    with torch.no_grad():
        y = SAID[name]()
    if y.shape[:2] == MASK.shape:
        y = y[MASK]
    elif y.shape == REAL.shape:
        y = y[REAL]
    y = y.flatten()
    return [float(y.square().mean().sqrt()), *y[torch.linspace(0, len(y) - 1, 4).long()].tolist()]


@pytest.mark.parametrize("name", SAID)
def test_it_stays(name: str) -> None:
    assert seen(name) == pytest.approx(KNOWN[name], rel=1e-3, abs=1e-3)
