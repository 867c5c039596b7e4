#!/usr/bin/env python3
"""Copy a data directory with its audio whispered, shouted or both, to see what an aligner makes of it.

    python tools/bench/styled_data_dir.py --style whispered --data_dir data/test --out_dir exp/whispered/test

WORLD (Morise et al., 2016) takes each utterance apart and puts it together again with another source: a
whisper has noise in the place of the voice, a shout a higher F0 with a flatter spectrum. Nothing moves in
time, so that the boundaries of the original stay true. ``mixed`` draws for each utterance one of the styles,
or none; its name and the seed decide which.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyworld
from altered import copy_altered

from ctap.errors import cli
from ctap.files.tables import write_table

PIVOT = 500.0  # Hz, where the tilt begins


class Style(NamedTuple):
    """How a style differs from a calm voice.

    Attributes:
        pitch: Factor of F0; 0: no voice.
        tilt: dB an octave above :data:`PIVOT`.
        formants: Factor of the frequencies of the envelope.
        level: dB.
    """

    pitch: float
    tilt: float
    formants: float
    level: float


STYLES = {
    "calm": Style(1.0, 0.0, 1.0, 0.0),
    "whispered": Style(0.0, 4.0, 1.1, -15.0),
    "shouted": Style(1.7, 5.0, 1.1, 9.0),
}


def restyle(wave: np.ndarray, rate: int, style: Style) -> np.ndarray:
    """``wave`` [N] in another style [N]; calm comes back as WORLD returns it."""
    f0, times = pyworld.dio(wave, rate)
    f0 = pyworld.stonemask(wave, f0, times, rate)
    envelope = pyworld.cheaptrick(wave, f0, times, rate)
    noise = pyworld.d4c(wave, f0, times, rate)
    bins = np.arange(envelope.shape[1]) * rate / 2 / (envelope.shape[1] - 1)
    envelope = np.stack([np.interp(bins / style.formants, bins, frame) for frame in envelope])
    envelope *= 10 ** (style.tilt * np.log2(np.maximum(bins, PIVOT) / PIVOT) / 10)
    if style.pitch == 0:
        noise = np.ones_like(noise)
    made = pyworld.synthesize(style.pitch * f0, envelope, noise, rate)[: len(wave)]
    made = np.pad(made, (0, len(wave) - len(made)))
    gain = np.sqrt(np.mean(wave**2) / max(np.mean(made**2), 1e-12)) * 10 ** (style.level / 20)
    return made * min(gain, 0.99 / max(np.abs(made).max(), 1e-12))


@cli
def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data_dir", type=Path, required=True, help="with wav.scp and phones")
    parser.add_argument("--out_dir", type=Path, required=True, help="data directory to write, audio included")
    parser.add_argument("--style", choices=[*STYLES, "mixed"], default="mixed")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    styles = {}

    def alter(utterance: str, wave: np.ndarray, rate: int) -> np.ndarray:
        drawn = random.Random(f"{options.seed} {utterance}").choice(list(STYLES))
        styles[utterance] = drawn if options.style == "mixed" else options.style
        return restyle(wave, rate, STYLES[styles[utterance]])

    waves = copy_altered(options.data_dir, options.out_dir, alter)
    write_table(options.out_dir / "utt2style", styles)
    print(f"{options.out_dir}: {len(waves)} utterances, {options.style}")


if __name__ == "__main__":
    main()
