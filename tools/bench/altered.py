"""A data directory copied with its audio altered, for the benchmarks that do so."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
from tqdm import tqdm

from ctap.audio.wave import load_wave, wave_info
from ctap.files.tables import read_table, write_table

COPIED = ("text", "pinyin", "phones", "utt2spk", "spk2utt")


def copy_altered(
    data_dir: Path, out_dir: Path, alter: Callable[[str, np.ndarray, int], np.ndarray]
) -> list[str]:
    """Write ``out_dir``, audio included.

    Args:
        data_dir: With wav.scp.
        out_dir: Data directory to write.
        alter: Utterance, wave ``[N]`` float64 and its rate in Hz to another wave.

    Returns:
        The utterances.
    """
    sources = read_table(data_dir / "wav.scp")
    (out_dir / "wav").mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        if (data_dir / name).is_file():
            shutil.copy(data_dir / name, out_dir)
    waves = {}
    for utterance, source in tqdm(sources.items(), mininterval=2.0):
        rate = wave_info(source).sample_rate
        target = out_dir / "wav" / f"{utterance}.wav"
        soundfile.write(target, alter(utterance, load_wave(source, rate).astype(np.float64), rate), rate)
        waves[utterance] = str(target.resolve())
    write_table(out_dir / "wav.scp", waves)
    return list(waves)
