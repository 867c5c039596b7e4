"""The smallest configurations that hold every part, and a sound that passes for a voice, for tests."""

import numpy as np

STACK = {"layers": 1, "dim": 16, "heads": 2, "ffn": 32, "dropout": 0.1, "positions": "rotary"}
MODEL = {
    "embed_dim": 8,
    "speech_encoder": STACK,
    "phoneme_encoder": {**STACK, "phone_layers": 1, "places": True},
    "decoder": {**STACK, "fold": 2},
    "prompt_encoder": {"channels": [4, 4], "dim": 6, "frames": 40, "reduction": 2, "summary": "recurrent"},
    "postnet_dim": 8,
    "refiner": {**STACK, "steps": 2},
}
DATA = {"batch_frames": 400, "batch_size": None, "max_frames": 100}
OPTIM = {"lr": 3e-3, "warmup_steps": 2}
TRAINER = {"max_steps": 8, "epoch_steps": 4, "keep_best": 2, "log_every": 1, "precision": "32-true"}


def voice(seconds: float, rate: int = 24000, pitch: float = 140.0) -> np.ndarray:
    """``[N]`` float32: harmonics of a pitch that rises and falls, and a little noise."""
    n = int(seconds * rate)
    phase = 2 * np.pi * np.cumsum(pitch * (1 + 0.1 * np.sin(6 * np.arange(n) / rate))) / rate
    sound = sum(np.sin(k * phase) / k for k in range(1, 9))
    noise = np.random.default_rng(0).standard_normal(n)
    return (0.1 * sound + 1e-3 * noise).astype(np.float32)
