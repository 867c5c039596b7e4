#!/usr/bin/env python3
"""Synthesis: real-time factor by part, and the vocoder against torchaudio's and librosa's.

    python tools/bench/synthesis.py --config egs/TEMPLATE/ctap1/conf/ctap.yaml

Weights are random, which does not change how long anything takes. A text is said several times over by a
model of the configuration's size, with 10 frames for each phone, then the parts run one by one: duration
model, phoneme encoder, prompt encoder, decoder, vocoder. The real-time factor is the seconds of work for a
second of speech. The vocoder is compared at equal iterations with the two libraries' Griffin-Lim on one mel,
inversion of the mel included; how well each keeps the mel that it was given is printed beside the times.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ctap.audio.griffin_lim import GriffinLim
from ctap.audio.logmel import log_mel
from ctap.audio.settings import AudioSettings
from ctap.config import from_dict, load_config
from ctap.device import choose_device
from ctap.errors import cli
from ctap.models.inference import Model
from ctap.models.model_dir import Parts
from ctap.nn.ctap import CTAP
from ctap.nn.duration import DurationConfig, DurationModel
from ctap.tasks.pretrain import PretrainConfig
from ctap.text.languages import older

FRAMES = 10  # of a phone
PHONES = "sil j in1 t ian1 t ian1 q i4 h en3 h ao3 sp uo3 m en5 q v4 g ong1 van2 s an4 b u4 sil"


def build(config: Path, duration: Path, device: str) -> Model:
    """A model of the configurations' sizes with random weights."""
    settings, tokens = AudioSettings(), older().tokens
    torch.manual_seed(0)
    pretrain = from_dict(PretrainConfig, load_config(config), str(config))
    ctap = CTAP(pretrain.model, len(tokens), settings.n_mels)
    sizes = from_dict(DurationConfig, load_config(duration)["model"], str(duration))
    durations = DurationModel(ctap.config.embed_dim, ctap.config.prompt_encoder.dim, sizes)
    return Model(Parts(tokens, settings, ctap, duration=durations), device)


def median_seconds(run: Callable[[], object], repeats: int, device: str) -> float:
    """Median time of ``run``, by the clock, after one run that is not counted."""
    times = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        run()
        if device != "cpu":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - started)
    return statistics.median(times[1:])


def by_part(model: Model, copies: int, repeats: int) -> dict[str, float]:
    """Seconds of each part for one utterance, the text said ``copies`` times; ``"speech"``: its length."""
    phones = PHONES.split() * copies
    durations = [FRAMES] * len(phones)
    ctap, device = model.parts.ctap, model.device
    prompt = voice_like(model.parts.audio, 3.0).numpy()
    tokens = torch.tensor([model.parts.tokens.encode(phones)], device=device)
    spans = torch.tensor([durations], device=device)
    frames = int(spans.sum())
    with torch.inference_mode():
        p = ctap.phoneme_encoder(tokens, spans, frames)
        g = model.embed_prompt(prompt).to(device)[None]
        mel = ctap.denormalize(ctap.decoder(p, g)[0]).float().cpu()
        runs: dict[str, Callable[[], object]] = {
            "all, durations given": lambda: model.synthesize(phones, prompt, durations=durations),
            "duration model": lambda: model.predict_durations(phones, prompt),
            "phoneme encoder": lambda: ctap.phoneme_encoder(tokens, spans, frames),
            "prompt encoder": lambda: model.embed_prompt(prompt),
            "decoder": lambda: ctap.decoder.speak(p, g),
            "vocoder": lambda: model.vocoder(mel),
        }
        found = {name: median_seconds(run, repeats, device.type) for name, run in runs.items()}
    return {"speech": frames * model.parts.audio.frame_shift, **found}


def voice_like(settings: AudioSettings, seconds: float) -> Tensor:
    """Samples [N] of a buzz with moving pitch and noise."""
    time_axis = torch.arange(int(seconds * settings.sample_rate)) / settings.sample_rate
    pitch = 150 + 50 * torch.sin(2 * torch.pi * 0.7 * time_axis)
    phase = 2 * torch.pi * torch.cumsum(pitch, 0) / settings.sample_rate
    buzz = sum(torch.sin(k * phase) / k for k in range(1, 30))
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(len(buzz), generator=generator)
    return 0.1 * buzz * (1 + torch.sin(6 * time_axis)) / 2 + 0.005 * noise


def vocoders(settings: AudioSettings, iterations: int) -> dict[str, Callable[[Tensor], np.ndarray]]:
    """Griffin-Lim of the toolkit and of the libraries, log-mel to samples."""
    from torchaudio.transforms import GriffinLim as TorchaudioGriffinLim
    from torchaudio.transforms import InverseMelScale

    bins = settings.n_fft // 2 + 1
    inverse = InverseMelScale(
        bins, settings.n_mels, settings.sample_rate, settings.f_min, settings.f_max, mel_scale="htk"
    )
    phase = TorchaudioGriffinLim(
        settings.n_fft, iterations, settings.win_length, settings.hop_length, power=1.0, momentum=0.99
    )

    def with_librosa(mel: Tensor) -> np.ndarray:
        import librosa

        return librosa.feature.inverse.mel_to_audio(
            mel.exp().T.numpy(), sr=settings.sample_rate, n_fft=settings.n_fft, power=1.0,
            hop_length=settings.hop_length, win_length=settings.win_length, n_iter=iterations,
            fmin=settings.f_min, fmax=settings.f_max, htk=True, norm=None,
        )  # fmt: skip

    found: dict[str, Callable[[Tensor], np.ndarray]] = {
        "toolkit": GriffinLim(settings, iterations),
        "torchaudio": lambda mel: phase(inverse(mel.exp().T)).numpy(),
    }
    if importlib.util.find_spec("librosa"):
        found["librosa"] = with_librosa
    else:
        print("librosa: not installed, left out")
    return found


@cli
def main() -> None:
    """Run the benchmark."""
    conf = Path(__file__).parents[2] / "egs/TEMPLATE/ctap1/conf"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, default=conf / "ctap.yaml", help="of the pretraining")
    parser.add_argument("--duration_config", type=Path, default=conf / "duration.yaml")
    parser.add_argument("--copies", type=int, nargs="+", default=[1, 4], help="lengths, in times the text")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    options.device = choose_device(options.device)
    torch.set_num_threads(options.threads)
    model = build(options.config, options.duration_config, options.device)
    columns = [by_part(model, copies, options.repeats) for copies in options.copies]
    print(
        f"{options.config.name}, {options.threads} thread(s), {options.device}: real-time factor by the clock"
    )
    print(f"{'':<22}" + "".join(f"{column['speech']:>9.1f} s" for column in columns))
    for name in list(columns[0])[1:]:
        print(f"{name:<22}" + "".join(f"{column[name] / column['speech']:>11.4f}" for column in columns))

    settings = AudioSettings()
    mel = log_mel(voice_like(settings, 4.0), settings)
    print("\nvocoders, 60 iterations on the CPU, 4 s of speech")
    print(f"{'':<12}{'real-time factor':>18}{'x the time of ours':>20}{'error of the mel, dB':>22}")
    first = None
    for name, vocoder in vocoders(settings, 60).items():
        seconds = median_seconds(lambda v=vocoder: v(mel), min(3, options.repeats), "cpu")
        first = first or seconds
        again = log_mel(torch.from_numpy(np.ascontiguousarray(vocoder(mel), np.float32)), settings)
        size = min(len(again), len(mel))
        error = 20 / np.log(10) * float((again[:size] - mel[:size]).square().mean().sqrt())
        print(f"{name:<12}{seconds / 4:>18.3f}{seconds / first:>20.2f}{error:>22.2f}")


if __name__ == "__main__":
    main()
