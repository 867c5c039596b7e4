"""No network reads memory that nobody has written, in either precision, forward or backward.

A kernel that does gives a number out of nowhere now and then: on processors with AMX the bfloat16
convolution of images one or two bins wide did, and a training was lost after some dozen steps. Here freed
memory is full of NaN, so that it shows at once.
"""

import pytest
import torch

from ctap.nn.ctap import CTAP, CTAPConfig
from ctap.nn.duration import DurationConfig, DurationModel
from ctap.nn.phoneme_decoder import PhonemeDecoder
from ctap.nn.phoneme_encoder import PhonemeStackConfig
from ctap.nn.prompt_encoder import PromptConfig
from ctap.nn.refiner import RefinerConfig
from ctap.nn.transformer import StackConfig

SIZES = [2**k for k in range(6, 18)]


def poison():
    """Fill memory that torch will get next with NaN."""
    held = [torch.full((size,), float("nan")) for size in SIZES for _ in range(2)]
    del held


def model(dim, embed_dim, channels):
    stack = StackConfig(layers=1, dim=dim, heads=2, ffn=2 * dim, dropout=0.1)
    phones = PhonemeStackConfig(**vars(stack), phone_layers=1, places=True)
    prompt, refiner = PromptConfig(channels=channels, dim=dim), RefinerConfig(**vars(stack), steps=2)
    config = CTAPConfig(embed_dim, stack, phones, prompt, stack, postnet_dim=dim, refiner=refiner)
    return CTAP(config, n_tokens=30).train()


def parts(ctap, frames):
    """Every network, as something to call that gives tensors."""
    d, width = ctap.config.embed_dim, ctap.config.decoder.dim
    mask = torch.ones(2, frames, dtype=torch.bool)
    mask[1, frames // 2 + 1 :] = False
    tokens, durations = torch.randint(1, 30, (2, 4)), torch.full((2, 4), -(-frames // 4))
    duration = DurationModel(d, ctap.config.prompt_encoder.dim, DurationConfig(layers=4, channels=width))
    reader = PhonemeDecoder(d, 30, 20, StackConfig(layers=1, dim=width, heads=2, ffn=width))
    condition = torch.randn(2, 4, d + ctap.config.prompt_encoder.dim)
    real = torch.ones(2, 4, dtype=torch.bool)
    s = torch.randn(2, frames, d)
    return {
        "speech encoder": (
            ctap.speech_encoder,
            lambda: [ctap.speech_encoder(torch.randn(2, frames, 40), mask)[mask]],
        ),
        "phoneme encoder": (
            ctap.phoneme_encoder,
            lambda: [ctap.phoneme_encoder(tokens, durations, frames, mask)[mask]],
        ),
        "prompt encoder": (ctap.prompt_encoder, lambda: list(ctap.prompt_encoder(torch.randn(2, 300, 40)))),
        "decoder": (ctap.decoder, lambda: [ctap.decoder.speak(s, torch.randn(2, width), mask)[mask]]),
        "duration model": (duration, lambda: list(duration.losses(durations, condition, real))),
        "phoneme decoder": (reader, lambda: [x[mask] for x in reader(s, mask)]),
    }


@pytest.mark.parametrize("bfloat16", [False, True], ids=["float32", "bfloat16"])
@pytest.mark.parametrize(
    ("dim", "embed_dim", "channels"),
    [(128, 64, [16, 16, 32, 32, 64, 64]), (128, 256, [32, 32, 64, 64, 128, 128])],
    ids=["small", "large"],
)
def test_networks_read_what_was_written(dim, embed_dim, channels, bfloat16):
    torch.manual_seed(0)
    ctap = model(dim, embed_dim, channels)
    for frames in (1, 7, 150):
        for name, (network, call) in parts(ctap, frames).items():
            poison()
            with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16, cache_enabled=False):
                outputs = call()
            assert all(torch.isfinite(x).all() for x in outputs), (name, frames)
            network.zero_grad()
            poison()
            sum(x.float().square().sum() for x in outputs).backward()
            gradients = [p.grad for p in network.parameters() if p.grad is not None]
            assert all(torch.isfinite(g).all() for g in gradients), (name, frames)
