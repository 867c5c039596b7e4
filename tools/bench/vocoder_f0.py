#!/usr/bin/env python3
"""How the vocoder follows an F0 that is not the mel's: recordings said higher and lower, F0 read by WORLD.

    python tools/bench/vocoder_f0.py docs/sounds/*.ogg docs/sounds/people/*.ogg

For every ratio of the F0 asked for to the mel's own: the share of voiced frames in which the result is
voiced, and its log-F0 error beside what was asked for; with the mel brought to the new F0
(ctap/nn/retune.py), and with the mel as it is.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from ctap.audio.f0 import extract_f0
from ctap.audio.logmel import log_mel
from ctap.audio.settings import AudioSettings
from ctap.audio.wave import load_wave
from ctap.errors import UserError, cli
from ctap.metrics.pitch import log_f0
from ctap.models.vocoder import DEFAULT, NeuralVocoder, load_vocoder


@cli
def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recordings", type=Path, nargs="+")
    parser.add_argument("--vocoder", default=DEFAULT, help="name or directory")
    parser.add_argument("--ratios", type=float, nargs="+", default=[0.6, 0.8, 1.0, 1.25, 1.5])
    options = parser.parse_args()
    settings = AudioSettings()
    vocoder = load_vocoder(options.vocoder, settings)
    if not isinstance(vocoder, NeuralVocoder):
        raise UserError(f"--vocoder {options.vocoder}: takes the mel alone; expected one that takes F0")
    ways = {"retuned": vocoder.net.retune, "as it is": lambda mel, own, f0: mel}
    mels = [
        log_mel(torch.from_numpy(load_wave(p, settings.sample_rate)), settings) for p in options.recordings
    ]
    print("ratio\tmel\tvoiced\tlog-F0 RMSE")
    for ratio in options.ratios:
        for name, retune in ways.items():
            vocoder.net.retune = retune
            voiced = heard = squares = 0.0
            for mel in mels:
                f0 = vocoder.f0(mel)
                error = log_f0(
                    f0.numpy()[:-1], extract_f0(vocoder(mel, f0 * ratio), settings)[: len(f0) - 1] / ratio
                )
                voiced += int((f0 > 0).sum())
                heard += error.pairs
                squares += error.pairs * error.rmse**2 if error.pairs else 0.0
            print(
                f"{ratio}\t{name}\t{heard / voiced:.3f}\t{(squares / max(heard, 1)) ** 0.5:.3f}", flush=True
            )


if __name__ == "__main__":
    main()
