#!/usr/bin/env python3
"""Copy-synthesis: vocoders beside each other and beside the recordings.

    OMP_NUM_THREADS=1 python tools/bench/vocoder.py --scp data/test/wav.scp --vocoders griffin_lim pretrained

Each recording becomes a log-mel and a wave again. The table gives DNSMOS (package speechmos, where it is
installed), the error of log F0 over frames voiced in both, the share of frames voiced in one only, the error
of the output's own mel (over bins of the input within 60 dB of its loudest), and the seconds of work for a
second of speech. With the package vocos, its network with random weights and 40 mel bands is timed on the
same mels (``--vocos``): its speed alone means something.

    OMP_NUM_THREADS=1 python tools/bench/vocoder.py --scp data/test/wav.scp --memory 1 10

says instead how much memory the last of --vocoders takes for so many minutes of speech, said in one go.
``--recorded_f0`` adds rows of neural vocoders under the recording's own F0 and voicing: what a better reading
of F0 from the mel could bring.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ctap.audio.f0 import extract_f0
from ctap.audio.logmel import log_mel
from ctap.audio.settings import AudioSettings
from ctap.audio.wave import load_wave, resample
from ctap.errors import UserError, cli
from ctap.files.tables import read_table
from ctap.metrics.pitch import log_f0
from ctap.metrics.quality import QualityPredictor, load_quality_predictor
from ctap.models.vocoder import NeuralVocoder, load_vocoder

DB = 20 / np.log(10)


def vocos(settings: AudioSettings) -> Callable[[Tensor], np.ndarray]:
    """The published network's sizes (Siuzdak 2023) for these mels, untrained."""
    try:
        from vocos.heads import ISTFTHead
        from vocos.models import VocosBackbone
    except ImportError as error:
        raise UserError(f"--vocos needs the package vocos: pip install vocos ({error})") from None

    backbone = VocosBackbone(settings.n_mels, dim=512, intermediate_dim=1536, num_layers=8).eval()
    head = ISTFTHead(512, settings.n_fft, settings.hop_length, padding="center").eval()

    @torch.inference_mode()
    def run(mel: Tensor) -> np.ndarray:
        return head(backbone(mel.T[None]))[0].numpy()

    return run


def figures(
    waves: Mapping[str, np.ndarray],
    vocoder: Callable[..., np.ndarray] | None,
    settings: AudioSettings,
    predictor: QualityPredictor | None,
    recorded_f0: bool = False,
) -> dict[str, float]:
    """Means over ``waves``; of the recordings themselves without a vocoder."""
    rows: dict[str, list[float]] = {}
    seconds = spent = 0.0
    for wave in waves.values():
        mel = log_mel(torch.from_numpy(wave), settings)
        given = (torch.from_numpy(extract_f0(wave, settings)),) if recorded_f0 else ()
        start = time.perf_counter()
        said = wave if vocoder is None else vocoder(mel, *given)
        spent += time.perf_counter() - start
        seconds += len(wave) / settings.sample_rate
        row = dict(predictor(resample(said, settings.sample_rate, 16000))) if predictor else {}
        if vocoder is not None:
            wanted, found = (extract_f0(x[: len(said)], settings)[: len(mel) - 1] for x in (wave, said))
            row["log F0 RMSE"] = log_f0(wanted, found).rmse
            row["voicing error"] = float(np.mean((wanted > 0) != (found > 0)))
            again = log_mel(torch.from_numpy(said), settings)[: len(mel)]
            loud = mel[: len(again)] > mel.max() - 60 / DB
            row["mel error, dB"] = float((again - mel[: len(again)])[loud].abs().mean()) * DB
        for key, value in row.items():
            rows.setdefault(key, []).append(value)
    means = {key: float(np.nanmean(values)) for key, values in rows.items()}
    return means | ({} if vocoder is None else {"real-time factor": spent / seconds})


def print_memory(name: str, mel: Tensor, minutes: list[float], settings: AudioSettings) -> None:
    """The most memory of the process so far, before and after each length; samples are not kept."""
    vocoder = load_vocoder(name, settings)
    stream = getattr(vocoder, "stream", None)
    if stream is None:
        raise UserError(f"{name} does not stream: --memory is for neural vocoders")
    print(f"with {name} loaded: {peak_memory():.0f} MiB")
    for many in sorted(minutes):
        frames = round(many * 60 / settings.frame_shift)
        starts = range(0, frames, len(mel))
        samples = sum(map(len, stream(mel[: frames - start] for start in starts)))
        print(f"{samples / settings.sample_rate / 60:.1f} minutes: {peak_memory():.0f} MiB")


def peak_memory() -> float:
    """MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@cli
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scp", type=Path, required=True, help="recordings: 'id path' a line")
    parser.add_argument("--vocoders", nargs="+", default=["griffin_lim", "pretrained"])
    parser.add_argument("--utts", type=int, default=40, help="recordings, evenly from the list")
    parser.add_argument("--vocos", action="store_true", help="time the package vocos, too")
    parser.add_argument(
        "--recorded_f0", action="store_true", help="neural vocoders under the recording's F0, too"
    )
    parser.add_argument("--memory", type=float, nargs="+", help="minutes of speech: measure memory alone")
    options = parser.parse_args()
    settings = AudioSettings()
    table = list(read_table(options.scp).items())
    chosen = table[:: max(1, len(table) // options.utts)][: options.utts]
    waves = {utt: load_wave(path, settings.sample_rate) for utt, path in chosen}
    if options.memory:
        mel = torch.cat([log_mel(torch.from_numpy(wave), settings) for wave in waves.values()])
        return print_memory(options.vocoders[-1], mel, options.memory, settings)
    vocoders = {name: load_vocoder(name, settings) for name in options.vocoders}
    untrained = vocos(settings) if options.vocos else None
    predictor = load_quality_predictor()
    results = {"recording": figures(waves, None, settings, predictor)}
    for name, vocoder in vocoders.items():
        vocoder(torch.zeros(50, settings.n_mels))  # what is done once
        results[name] = figures(waves, vocoder, settings, predictor)
        if options.recorded_f0 and isinstance(vocoder, NeuralVocoder):
            results[f"{name}, the recording's F0"] = figures(waves, vocoder, settings, predictor, True)
    if untrained:
        timed = figures(waves, untrained, settings, None)
        results["vocos, random weights"] = {"real-time factor": timed["real-time factor"]}
    keys = list(dict.fromkeys(key for row in results.values() for key in row))
    print(f"{len(waves)} recordings, {sum(map(len, waves.values())) / settings.sample_rate:.0f} s, ", end="")
    print(f"{torch.get_num_threads()} threads, most memory of the process ", end="")
    print(f"{peak_memory():.0f} MiB\n")
    print(f"| | {' | '.join(keys)} |\n|---{'|---:' * len(keys)}|")
    for name, row in results.items():
        cells = (f"{row[key]:.3f}" if key in row else "" for key in keys)
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
