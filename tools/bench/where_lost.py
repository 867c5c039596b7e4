#!/usr/bin/env python3
"""Where intelligibility is lost between S and sound: part of what a model decodes is replaced by the truth.

    python tools/bench/where_lost.py --model exp/vc_SSB9003/model --scp exp/eval/target_SSB9003/wav.scp \\
        --prompt PROMPT.wav --out lost

Takes recordings of the voice that the model was fine-tuned on, decodes their S, and turns each into sound as
decoded, and again with one part replaced by the recording's own: lost/<kind>/wav.scp. To score what a
listener understands of these, by kind:

    ctap transcribe --asr transformers:DIR --scp lost/KIND/wav.scp --language_of data --out lost/KIND/heard
    ctap score transcripts --ref_dir data --hyp_dir lost/KIND/heard --name KIND --out lost/KIND/scores.json
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import torch
from scipy.ndimage import gaussian_filter1d
from torch import Tensor

import ctap
from ctap.errors import cli
from ctap.files.tables import read_table, write_table
from ctap.models.inference import Model
from ctap.models.pitch import taking_f0
from ctap.models.speech import Speech

SLOW = 3.0  # frames: standard deviation of the window that tells slow movement from quick


def slow(mel: Tensor) -> Tensor:
    """What of ``mel`` [T, M] moves slowly."""
    return torch.from_numpy(gaussian_filter1d(mel.numpy(), SLOW, axis=0, mode="nearest"))


Say = Callable[[Model, Tensor, Tensor], Speech]
#: Kind to what is said of the recorded and the decoded mel [T, M].
KINDS: dict[str, Say] = {
    "decoded": lambda model, true, made: model.speak(made),
    "lower_bands": lambda model, true, made: model.speak(torch.cat([true[:, :20], made[:, 20:]], 1)),
    "upper_bands": lambda model, true, made: model.speak(torch.cat([made[:, :20], true[:, 20:]], 1)),
    "slow_movement": lambda model, true, made: model.speak(slow(true) + made - slow(made)),
    "f0": lambda model, true, made: model.speak(made, taking_f0(model.vocoder).f0(true)),
    "f0_lost": lambda model, true, made: model.speak(true, taking_f0(model.vocoder).f0(made)),
}


@cli
@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, required=True, help="model directory")
    parser.add_argument("--scp", type=Path, required=True, help="recordings")
    parser.add_argument("--prompt", type=Path, required=True, help="recording of the same voice")
    parser.add_argument("--out", type=Path, required=True, help="directory to write")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS), help="default: all")
    options = parser.parse_args()
    model = ctap.load(options.model, device="cpu")
    g, denormalize = model.embed_prompt(options.prompt), model.parts.ctap.denormalize
    recordings = read_table(options.scp)
    for kind in options.kinds:
        (options.out / kind / "wav").mkdir(parents=True, exist_ok=True)
        write_table(
            options.out / kind / "wav.scp", {u: options.out / kind / "wav" / f"{u}.wav" for u in recordings}
        )
    for utt, path in recordings.items():
        true = model.log_mel(path)
        made = denormalize(model.networks.speak(model.embed(path), g)).float()
        for kind in options.kinds:
            KINDS[kind](model, true, made).save(options.out / kind / "wav" / f"{utt}.wav")


if __name__ == "__main__":
    main()
