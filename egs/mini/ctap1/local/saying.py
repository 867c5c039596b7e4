"""Saying texts with eSpeak NG and keeping where the phones are: what every embedded corpus is made of."""

from __future__ import annotations

import argparse
import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
import soxr
from pinyin_events import NotSaid, Span
from voices import ORDINARY, VOLUME, Speaker

from ctap.audio.wave import encode_wave
from ctap.errors import UserError
from ctap.files.atomic import atomic_write
from ctap.text.espeak import Espeak

EVENTS_HEADER = "utterance\tphone\tindex\tmnemonic\tstart\tend"
PARTS = {"train": 1, "test": 8001}
"""Parts of a corpus, and the number of the first utterance of each."""
Text = TypeVar("Text")


@dataclass
class Job(Generic[Text]):
    """What one process says: a speaker's texts of each part, how many seconds, and where the sound goes."""

    speaker: Speaker
    texts: dict[str, list[Text]]
    seconds: dict[str, float]
    out: Path
    seed: int


@dataclass
class Said(Generic[Text]):
    """One utterance that was said."""

    name: str
    part: str
    text: Text
    events: list[str]
    seconds: float


def say_parts(
    job: Job[Text],
    say: Callable[[Text, np.random.Generator], tuple[np.ndarray, list[Span]]],
    sample_rate: int,
    folder: str = "wav",
) -> tuple[list[Said[Text]], list[str]]:
    """Say a speaker's texts until each part is long enough.

    Args:
        job: Who says what, and how long.
        say: A text to ``[N]`` int16 samples and the spans of the phones in them; raises NotSaid or UserError
            for a text that is not said right.
        sample_rate: Hz.
        folder: Where the speakers' folders go, below the corpus; ``{part}`` is the name of a part.

    Returns:
        What was said, and the reasons for what was not.
    """
    speaker, said, refused = job.speaker, [], []
    for part, first in PARTS.items():
        waves = job.out / folder.format(part=part) / speaker.name
        waves.mkdir(parents=True, exist_ok=True)
        total, number = 0.0, first
        for text in job.texts[part]:
            if total >= job.seconds[part]:
                break
            name = f"{speaker.name}{number:04d}"
            rng = np.random.default_rng([job.seed, int(speaker.name[3:]), number])
            try:
                wave, spans = say(text, rng)
            except (NotSaid, UserError) as error:
                refused.append(f"{text}: {error}")
                continue
            (waves / f"{name}.wav").write_bytes(encode_wave(wave, sample_rate))
            length = len(wave) / sample_rate
            said.append(Said(name, part, text, event_lines(name, spans, sample_rate), length))
            total += length
            number += 1
    return said, refused


def take_voice(espeak: Espeak, speaker: Speaker, rng: np.random.Generator) -> None:
    """Speak as ``speaker`` from here on, a little faster or slower, higher or lower than usual."""
    espeak.voice(
        speaker.variant,
        rate=round(speaker.rate / speaker.scale * rng.uniform(0.92, 1.08)),
        pitch=round(speaker.pitch + rng.uniform(-4, 4)),
        pitch_range=speaker.pitch_range,
        volume=VOLUME,
    )


def vary(
    wave: np.ndarray, spans: list[Span], scale: float, sample_rate: int, rng: np.random.Generator
) -> tuple[np.ndarray, list[Span]]:
    """Scale frequencies, vary pauses and level, and add faint noise.

    Returns:
        ``[N]`` int16 samples and the spans of the phones in them.
    """
    wave, spans = scale_frequencies(wave, spans, scale, sample_rate)
    # Pauses of the library are all alike: make them, and the silence around, as varied as people's.
    silence = {"sil": (0.10, 0.30), "sp": (0.0, 0.25)}
    pieces, out, at = [], [], 0
    for span in spans:
        piece = wave[span.start : span.end].astype(np.float64)
        if span.phone in silence:
            piece = np.concatenate([piece, np.zeros(int(sample_rate * rng.uniform(*silence[span.phone])))])
        pieces.append(piece)
        out.append(Span(span.phone, span.index, span.mnemonic, at, at + len(piece)))
        at += len(piece)
    sound = np.concatenate(pieces)
    level = 10 ** (rng.uniform(-24, -22) / 20) / max(np.sqrt(np.mean(sound[sound != 0] ** 2)), 1e-9)
    sound *= min(level, 0.95 / np.abs(sound).max())
    sound += rng.normal(0, 10 ** (-66 / 20), len(sound))
    return np.rint(sound * 32767).clip(-32768, 32767).astype(np.int16), out


def scale_frequencies(
    wave: np.ndarray, spans: list[Span], scale: float, sample_rate: int
) -> tuple[np.ndarray, list[Span]]:
    """Scale formants and pitch: resampled, and played at the old rate, it is ``1 / scale`` times as long.

    Returns:
        ``[N / scale]`` int16 samples and the spans in them.
    """
    if scale == 1.0:
        return wave, spans
    # of floats: soxr dithers integers, by the clock
    scaled = np.rint(soxr.resample(wave.astype(np.float64), sample_rate, sample_rate / scale))
    factor = len(scaled) / len(wave)
    scaled = scaled.clip(-32768, 32767).astype(np.int16)
    return scaled, [replace(s, start=round(s.start * factor), end=round(s.end * factor)) for s in spans]


def event_lines(name: str, spans: list[Span], sample_rate: int) -> list[str]:
    """Lines of ``phoneme_events.tsv``: the phones of an utterance and their times in seconds."""
    return [
        f"{name}\t{s.phone}\t{s.index}\t{s.mnemonic}\t{s.start / sample_rate:.5f}\t{s.end / sample_rate:.5f}"
        for s in spans
    ]


def write_lines(path: Path, lines: list[str]) -> None:
    """Write a table, whole or not at all."""
    with atomic_write(path) as file:
        file.write("\n".join(lines) + "\n")


def speak_all(
    speak: Callable[[Job[Text]], tuple[list[Said[Text]], list[str]]], jobs: list[Job[Text]], processes: int
) -> tuple[list[Said[Text]], list[str]]:
    """``speak`` of all jobs, each in a fresh process: eSpeak NG keeps state from one text to the next.

    Returns:
        What was said, in the order of the jobs, and the reasons for what was not, the first of them printed.

    Raises:
        UserError: nothing was said.
    """
    with multiprocessing.get_context("spawn").Pool(processes, maxtasksperchild=1) as pool:
        results = pool.map(speak, jobs, chunksize=1)
    said = [item for items, _ in results for item in items]
    refused = [reason for _, reasons in results for reason in reasons]
    if not said:
        raise UserError(f"nothing could be said; first reason: {refused[0] if refused else 'no text'}")
    for reason in refused[:5]:
        print(f"left out: {reason}")
    return said, refused


def read_arguments(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The options of an embedded corpus, beside those that ``parser`` has.

    Raises:
        UserError: one is out of its range.
    """
    parser.add_argument("out", type=Path, help="directory to make")
    parser.add_argument("--minutes", type=float, default=3.0, help="train part of each ordinary speaker")
    parser.add_argument("--target_minutes", type=float, default=4.5, help="train part of each target speaker")
    parser.add_argument("--test_minutes", type=float, default=0.5, help="test part of each speaker")
    most = len(ORDINARY)
    parser.add_argument("--speakers", type=int, default=most, help=f"ordinary speakers, 1 to {most}")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    args = parser.parse_args()
    if not 1 <= args.speakers <= len(ORDINARY):
        raise UserError(f"--speakers {args.speakers}: expected 1 to {len(ORDINARY)}")
    if min(args.minutes, args.target_minutes, args.test_minutes) < 0 or args.jobs < 1:
        raise UserError("--minutes, --target_minutes, --test_minutes must be 0 or more, --jobs 1 or more")
    if not max(args.minutes, args.target_minutes, args.test_minutes):
        raise UserError("nothing to say: --minutes, --target_minutes and --test_minutes are all 0")
    return args
