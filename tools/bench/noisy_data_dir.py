#!/usr/bin/env python3
"""Copy a data directory with noise added to its audio, to see what an aligner makes of it.

    python tools/bench/noisy_data_dir.py --data_dir data/test --out_dir exp/noisy/test

Each utterance gets noise (half pink, half white, as amplitudes) at its own signal-to-noise ratio, whose level
drifts by so many dB up and down, slowly. The seed and the name of the utterance decide which.
"""

from __future__ import annotations

import argparse
import zlib
from pathlib import Path

import numpy as np
from altered import copy_altered

from ctap.errors import cli

SPEECH = 0.01  # amplitudes above this count as speech


def drifting_noise(size: int, drift: float, rng: np.random.Generator) -> np.ndarray:
    """``[size]`` noise of about unit power; its level swings by ``drift`` dB each way."""
    spectrum = np.fft.rfft(rng.normal(size=size))
    pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 4)), size)
    swings, phase = rng.uniform(0.5, 2), rng.uniform()
    level = drift * np.sin(2 * np.pi * (swings * np.arange(size) / size + phase))
    return 10 ** (level / 20) * (pink / pink.std() + rng.normal(size=size)) / np.sqrt(2)


@cli
def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data_dir", type=Path, required=True, help="with wav.scp and phones")
    parser.add_argument("--out_dir", type=Path, required=True, help="data directory to write, audio included")
    parser.add_argument("--snr", type=float, nargs=2, default=(20.0, 40.0), help="dB, least and most")
    parser.add_argument("--drift", type=float, default=6.0, help="dB each way")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    def alter(utterance: str, wave: np.ndarray, rate: int) -> np.ndarray:
        rng = np.random.default_rng([options.seed, zlib.crc32(utterance.encode())])
        loud = wave[np.abs(wave) > SPEECH]
        level = np.sqrt(np.mean(loud**2)) if len(loud) else SPEECH
        noise = drifting_noise(len(wave), options.drift, rng)
        return np.clip(wave + level * 10 ** (-rng.uniform(*options.snr) / 20) * noise, -1, 1)

    waves = copy_altered(options.data_dir, options.out_dir, alter)
    print(f"{options.out_dir}: {len(waves)} utterances with noise")


if __name__ == "__main__":
    main()
