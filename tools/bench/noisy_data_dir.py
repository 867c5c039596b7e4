#!/usr/bin/env python3
"""Copy a data directory with noise added to its audio, to see what an aligner makes of it.

    python tools/bench/noisy_data_dir.py --data_dir data/test --out_dir exp/noisy/test

Each utterance gets noise (half pink, half white, as amplitudes) at its own signal-to-noise ratio, whose level
drifts by so many dB up and down, slowly. The seed and the name of the utterance decide which.
"""

from __future__ import annotations

import argparse
import shutil
import zlib
from pathlib import Path

import numpy as np
import soundfile

from ctap.audio.wave import load_wave, wave_info
from ctap.errors import cli
from ctap.files.tables import read_table, write_table

COPIED = ("text", "pinyin", "phones", "utt2spk", "spk2utt")
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
    (options.out_dir / "wav").mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        if (options.data_dir / name).is_file():
            shutil.copy(options.data_dir / name, options.out_dir)
    waves = {}
    for utterance, source in read_table(options.data_dir / "wav.scp").items():
        rate = wave_info(source).sample_rate
        wave = load_wave(source, rate).astype(np.float64)
        rng = np.random.default_rng([options.seed, zlib.crc32(utterance.encode())])
        loud = wave[np.abs(wave) > SPEECH]
        level = np.sqrt(np.mean(loud**2)) if len(loud) else SPEECH
        noise = drifting_noise(len(wave), options.drift, rng)
        noisy = wave + level * 10 ** (-rng.uniform(*options.snr) / 20) * noise
        target = options.out_dir / "wav" / f"{utterance}.wav"
        soundfile.write(target, np.clip(noisy, -1, 1), rate)
        waves[utterance] = str(target.resolve())
    write_table(options.out_dir / "wav.scp", waves)
    print(f"{options.out_dir}: {len(waves)} utterances with noise")


if __name__ == "__main__":
    main()
