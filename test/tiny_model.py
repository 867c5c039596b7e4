"""A model directory with every part, the smallest there can be, and a tone that passes for speech."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
import torch

from ctap.audio.settings import AudioSettings
from ctap.config import from_dict
from ctap.models.model_dir import Parts
from ctap.nn.ctap import CTAP, CTAPConfig
from ctap.nn.duration import DurationConfig, DurationModel
from ctap.nn.phoneme_decoder import PhonemeDecoder
from ctap.nn.transformer import StackConfig
from ctap.text.languages import language_of
from ctap.text.rules import TextRules
from test import tiny

RATE = 24000


def save_model(path: Path, seed: int = 0, rules: TextRules | None = None) -> Path:
    """Write a model with random weights: encoders, decoder, duration models, recogniser."""
    torch.manual_seed(seed)
    rules = rules or TextRules()
    tokens, audio = language_of(rules).tokens, AudioSettings()
    net = CTAP(from_dict(CTAPConfig, tiny.MODEL, "test"), len(tokens), 40, [-5.0] * 40, [2.0] * 40)
    durations = DurationModel(8, 6, DurationConfig(layers=2, channels=8, predictor_channels=8), 2.3, 0.4)
    stack = from_dict(StackConfig, tiny.STACK, "test")
    asr = PhonemeDecoder(8, len(tokens), 0, stack)
    Parts(tokens, audio, net, durations, asr, asr_config=stack, text=rules).save(path)
    return path


def save_tone(path: Path, seconds: float = 1.0, hertz: float = 180.0) -> Path:
    """Write a tone with a little noise."""
    time = np.arange(round(seconds * RATE)) / RATE
    noise = np.random.default_rng(0).normal(size=len(time))
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * hertz * time) + 0.01 * noise, RATE)
    return path
