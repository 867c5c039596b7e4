#!/usr/bin/env python3
"""Log-mel and its dump: the toolkit's against torchaudio, librosa and kaldi-native-fbank, in one run.

    python tools/bench/features.py --minutes 10 --jobs 1 2

First the log-mel of random waveforms in memory, on one thread, by CPU time; all take turns, several times.
torchaudio and librosa compute the same mel, and the largest difference to theirs is printed; Kaldi's bank has
other windows and power in place of magnitude, so only its time compares. Then the dump: wav files to a
compressed ark by ``ctap.bin.dump_features`` in so many jobs at once, by the clock with start-up, beside what
recipes commonly do: one process with librosa for reading and mel, kaldiio for writing. What is not installed
is left out and said so.
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
import torch

from ctap.audio.logmel import log_mel
from ctap.audio.settings import AudioSettings
from ctap.errors import UserError, cli
from ctap.files.tables import write_table
from ctap.threads import limit_threads

SECONDS = 4.0  # of an utterance, about AISHELL-3's mean
Extract = Callable[[np.ndarray], np.ndarray]


def toolkit(settings: AudioSettings) -> Extract:
    """The toolkit's log-mel."""
    return lambda wave: log_mel(torch.from_numpy(wave), settings).numpy()


def torchaudio(settings: AudioSettings) -> Extract:
    """torchaudio's MelSpectrogram."""
    from torchaudio.transforms import MelSpectrogram

    mel = MelSpectrogram(
        settings.sample_rate, settings.n_fft, settings.win_length, settings.hop_length, settings.f_min,
        settings.f_max, n_mels=settings.n_mels, power=1.0, norm=None, mel_scale="htk",
    )  # fmt: skip
    return lambda wave: mel(torch.from_numpy(wave)).clamp(min=settings.log_floor).log().T.numpy()


def librosa(settings: AudioSettings) -> Extract:
    """librosa's melspectrogram."""
    from librosa.feature import melspectrogram

    def extract(wave: np.ndarray) -> np.ndarray:
        mel = melspectrogram(
            y=wave, sr=settings.sample_rate, n_fft=settings.n_fft, hop_length=settings.hop_length,
            win_length=settings.win_length, power=1.0, n_mels=settings.n_mels, fmin=settings.f_min,
            fmax=settings.f_max, htk=True, norm=None, pad_mode="reflect",
        )  # fmt: skip
        return np.log(np.maximum(mel, settings.log_floor)).T

    return extract


def kaldi_native_fbank(settings: AudioSettings) -> Extract:
    """Kaldi's filter bank, in C++."""
    import kaldi_native_fbank as knf

    options = knf.FbankOptions()
    options.frame_opts.samp_freq = settings.sample_rate
    options.frame_opts.frame_length_ms = 1000 * settings.win_length / settings.sample_rate
    options.frame_opts.frame_shift_ms = 1000 * settings.hop_length / settings.sample_rate
    options.frame_opts.dither = 0.0
    options.frame_opts.snip_edges = False
    options.mel_opts.num_bins = settings.n_mels
    options.mel_opts.low_freq, options.mel_opts.high_freq = settings.f_min, settings.f_max

    def extract(wave: np.ndarray) -> np.ndarray:
        bank = knf.OnlineFbank(options)
        bank.accept_waveform(settings.sample_rate, wave)
        bank.input_finished()
        return np.stack([bank.get_frame(i) for i in range(bank.num_frames_ready)])

    return extract


MAKERS = {f.__name__: f for f in (toolkit, torchaudio, librosa, kaldi_native_fbank)}
SAME_MEL = ("torchaudio", "librosa")


def installed() -> list[str]:
    """Names of what can be compared here; says what cannot."""
    found = [name for name in MAKERS if name == "toolkit" or importlib.util.find_spec(name)]
    for name in MAKERS.keys() - set(found):
        print(f"{name}: not installed, left out")
    return found


def utterances(minutes: float) -> int:
    """How many come to so many minutes, at least one."""
    return max(1, int(60 * minutes / SECONDS))


def in_memory(settings: AudioSettings, minutes: float, repeats: int) -> None:
    """Time the log-mel of waveforms in memory."""
    rng = np.random.default_rng(0)
    samples = int(SECONDS * settings.sample_rate)
    waves = [0.1 * rng.normal(size=samples).astype(np.float32) for _ in range(utterances(minutes))]
    extractors = {name: MAKERS[name](settings) for name in installed()}
    reference = extractors["toolkit"](waves[0])
    times: dict[str, list[float]] = {name: [] for name in extractors}
    for extract in extractors.values():
        extract(waves[0])  # warm up
    for _ in range(repeats):
        for name, extract in extractors.items():
            started = time.process_time()
            for wave in waves:
                extract(wave)
            times[name].append(time.process_time() - started)
    print(f"\nlog-mel in memory, {len(waves)} x {SECONDS:g} s, one thread, CPU time, {repeats} times in turn")
    print(f"{'':<20}{'x real time':>12}{'x the time of ours':>20}{'largest difference':>20}")
    for name, extract in extractors.items():
        ratio = statistics.median(a / b for a, b in zip(times[name], times["toolkit"], strict=True))
        speed = SECONDS * len(waves) / statistics.median(times[name])
        gap = f"{np.abs(extract(waves[0]) - reference).max():.1e}" if name in SAME_MEL else ""
        print(f"{name:<20}{speed:>12.0f}{ratio:>20.2f}{gap:>20}")


def write_corpus(folder: Path, settings: AudioSettings, minutes: float) -> float:
    """Write wav files of noise at AISHELL-3's rate, and their wav.scp; returns the seconds of audio."""
    rng, rate = np.random.default_rng(0), 44100
    waves = {}
    for i in range(utterances(minutes)):
        path = folder / f"S{i:05d}.wav"
        soundfile.write(path, 0.1 * rng.normal(size=int(SECONDS * rate)), rate, subtype="PCM_16")
        waves[path.stem] = str(path)
    write_table(folder / "wav.scp", waves)
    return SECONDS * len(waves)


def dump_with_toolkit(folder: Path, jobs: int) -> None:
    """``ctap.bin.dump_features`` in ``jobs`` processes at once."""
    command = [sys.executable, "-m", "ctap.bin.dump_features", "--data_dir", str(folder)]
    command += ["--parts_dir", str(folder / "parts"), "--num_jobs", str(jobs)]
    running = [
        subprocess.Popen(
            [*command, "--job", str(job)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        for job in range(1, jobs + 1)
    ]
    said = [process.communicate()[1] for process in running]
    if any(process.returncode for process in running):
        raise UserError(f"dump_features failed: {''.join(said).strip()[-500:]}")


def dump_with_librosa(folder: Path) -> None:
    """What recipes commonly do, in a process of its own so that its start-up counts, too."""
    code = "import sys; sys.path[:0] = sys.argv[1:2]; from features import loop; loop(sys.argv[2])"
    command = [sys.executable, "-c", code, str(Path(__file__).parent), str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def loop(folder: str) -> None:
    """Read and analyse with librosa, write with kaldiio, one file after the other."""
    import kaldiio
    from librosa import load

    limit_threads()
    settings = AudioSettings()
    extract = librosa(settings)
    target = f"ark,scp:{folder}/librosa.ark,{folder}/librosa.scp"
    with kaldiio.WriteHelper(target, compression_method=5) as writer:
        for path in sorted(Path(folder).glob("*.wav")):
            writer[path.stem] = extract(load(path, sr=settings.sample_rate)[0])


def dumping(settings: AudioSettings, minutes: float, jobs: list[int], repeats: int) -> None:
    """Time the dump of wav files."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seconds = write_corpus(folder, settings, minutes)
        ways: dict[str, Callable[[], None]] = {
            f"toolkit, {n} job{'s' * (n > 1)}": functools.partial(dump_with_toolkit, folder, n) for n in jobs
        }
        if all(importlib.util.find_spec(name) for name in ("librosa", "kaldiio")):
            ways["librosa, kaldiio"] = functools.partial(dump_with_librosa, folder)
        times: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(repeats):
            for way, run in ways.items():
                started = time.perf_counter()
                run()
                times[way].append(time.perf_counter() - started)
    print(f"\ndump of {seconds / 60:.0f} minutes at 44.1 kHz, by the clock, {os.cpu_count()} processors")
    print(f"{'':<20}{'x real time':>12}{'x the time of one job':>23}")
    first = next(iter(times.values()))
    for way, spent in times.items():
        ratio = statistics.median(a / b for a, b in zip(spent, first, strict=True))
        print(f"{way:<20}{seconds / statistics.median(spent):>12.0f}{ratio:>23.2f}")


@cli
def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="of audio")
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2], help="of the dump")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    limit_threads()
    torch.set_num_threads(1)
    settings = AudioSettings()
    in_memory(settings, options.minutes, options.repeats)
    dumping(settings, options.minutes, options.jobs, min(3, options.repeats))


if __name__ == "__main__":
    main()
