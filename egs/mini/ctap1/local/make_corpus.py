#!/usr/bin/env python3
"""Speak a small Mandarin corpus with eSpeak NG, in the layout of AISHELL-3; nothing is downloaded.

26 voices (voices.py), two of them meant as target speakers, say phrases of pypinyin's dictionary, chosen so
that every phone is heard often. Beside the corpus lies ``phoneme_events.tsv``: utterance, phone, its index
in the utterance (pauses count), mnemonic, start and end in seconds: the exact truth to score an aligner
with, which no trainer may read.

The same options give the same bytes, however many processes work.
"""

from __future__ import annotations

import argparse
import collections
import multiprocessing
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import soxr
from espeak import Espeak
from pinyin_events import NotSaid, Span, locate, match
from text_plan import Phrase, Utterance, plan_utterances, read_phrases
from voices import ORDINARY, TARGETS, VOLUME, Speaker

import ctap.text.espeak
from ctap.audio.wave import encode_wave
from ctap.errors import UserError, cli
from ctap.files.atomic import atomic_dir, atomic_write
from ctap.text.pinyin import pinyin_to_phones

EVENTS_HEADER = "utterance\tphone\tindex\tmnemonic\tstart\tend"
JobT = TypeVar("JobT")
Result = TypeVar("Result")


@dataclass
class Job:
    """What one process says: a speaker's plans, and where the sound goes."""

    speaker: Speaker
    plans: dict[str, list[Utterance]]
    seconds: dict[str, float]
    out: Path
    seed: int


@dataclass
class Said:
    """One utterance that was said."""

    name: str
    part: str
    text: Utterance
    events: list[str]
    seconds: float


def speak(job: Job) -> tuple[list[Said], list[str]]:
    """Say a speaker's utterances until each part is long enough.

    Returns:
        What was said, and the reasons for what was not.
    """
    espeak = Espeak()
    said, refused = [], []
    for part, first in (("train", 1), ("test", 8001)):
        folder = job.out / part / "wav" / job.speaker.name
        folder.mkdir(parents=True, exist_ok=True)
        total, number = 0.0, first
        for text in job.plans[part]:
            if total >= job.seconds[part]:
                break
            name = f"{job.speaker.name}{number:04d}"
            rng = np.random.default_rng([job.seed, int(job.speaker.name[3:]), number])
            try:
                wave, spans = render(espeak, job.speaker, text, rng)
            except NotSaid as error:
                refused.append(f"{text.hanzi}: {error}")
                continue
            (folder / f"{name}.wav").write_bytes(encode_wave(wave, espeak.sample_rate))
            seconds = len(wave) / espeak.sample_rate
            said.append(Said(name, part, text, event_lines(name, spans, espeak.sample_rate), seconds))
            total += seconds
            number += 1
    return said, refused


def render(
    espeak: Espeak, speaker: Speaker, text: Utterance, rng: np.random.Generator
) -> tuple[np.ndarray, list[Span]]:
    """Say one utterance with its own slight change of rate and pitch, silence around it and faint noise.

    Returns:
        ``[N]`` int16 samples and the spans of the phones in them.

    Raises:
        NotSaid: the library says something else than the text.
    """
    take_voice(espeak, speaker, rng)
    tones = espeak.mnemonics(text.spoken)[1]
    if tones != "".join(syllable[-1] for syllable in text.syllables):
        raise NotSaid(f"the tones come out as {tones}")
    wave, events = espeak.say(text.spoken)
    spans = locate(pinyin_to_phones(text.syllables), wave, events, espeak.sample_rate)
    return vary(wave, spans, speaker.scale, espeak.sample_rate, rng)


def take_voice(espeak: ctap.text.espeak.Espeak, speaker: Speaker, rng: np.random.Generator) -> None:
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


def sayable(phrases: list[Phrase]) -> list[Phrase]:
    """The phrases all of whose syllables eSpeak NG says with the right phonemes and tone."""
    espeak, good = Espeak(), {}
    for syllable in sorted({s for phrase in phrases for s in phrase.syllables}):
        mnemonics, tones = espeak.mnemonics(syllable)
        try:
            match(pinyin_to_phones([syllable]), mnemonics)
            good[syllable] = tones == syllable[-1]
        except NotSaid:
            good[syllable] = False
    bad = sorted(syllable for syllable, is_good in good.items() if not is_good)
    kept = [phrase for phrase in phrases if all(good[s] for s in phrase.syllables)]
    print(
        f"{len(good) - len(bad)} syllables, {len(kept)} phrases; left out {len(phrases) - len(kept)} phrases "
        f"with {len(bad)} syllables that eSpeak NG does not say: {' '.join(bad)}"
    )
    return kept


def write_tables(out: Path, said: list[Said], speakers: list[Speaker]) -> None:
    """Write AISHELL-3's tables and the phoneme events."""
    for part in ("train", "test"):
        own = [item for item in said if item.part == part]
        lines = [
            f"{item.name}.wav\t" + " ".join(f"{h} {p}" for h, p in zip(*item.text.aligned, strict=True))
            for item in own
        ]
        write_lines(out / part / "content.txt", lines)
    labels = ["# utterance|pinyin|hanzi; % ends a phrase, $ is a pause or the end"]
    labels += [f"{i.name}|{i.text.marked_pinyin}|{i.text.marked_hanzi}" for i in said if i.part == "train"]
    write_lines(out / "train" / "label_train-set.txt", labels)
    info = ["# speaker\tage group\tgender\taccent"]
    write_lines(out / "spk-info.txt", info + [f"{s.name}\tB\t{s.gender}\tnorth" for s in speakers])
    write_lines(out / "phoneme_events.tsv", [EVENTS_HEADER, *(line for item in said for line in item.events)])


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


def speak_all(speak: Callable[[JobT], Result], jobs: list[JobT], processes: int) -> list[Result]:
    """``speak`` of each job, each in a fresh process: eSpeak NG keeps state from one text to the next."""
    with multiprocessing.get_context("spawn").Pool(processes, maxtasksperchild=1) as pool:
        return pool.map(speak, jobs, chunksize=1)


@cli
def main() -> None:
    """Make the corpus."""
    args = read_arguments(argparse.ArgumentParser(description=__doc__.splitlines()[0]))
    start = time.time()
    speakers = [*ORDINARY[: args.speakers], *TARGETS]
    minutes = {
        "train": [args.target_minutes if s.is_target else args.minutes for s in speakers],
        "test": [args.test_minutes] * len(speakers),
    }
    pick = random.Random(args.seed)
    phrases = sayable(read_phrases())
    pick.shuffle(phrases)
    cut = len(phrases) // 10
    plans = {
        "train": plan_utterances(phrases[cut:], [m * 60 for m in minutes["train"]], pick),
        "test": plan_utterances(phrases[:cut], [m * 60 for m in minutes["test"]], pick),
    }
    with atomic_dir(args.out) as out:
        jobs = [
            Job(
                speaker,
                {part: plans[part][i] for part in plans},
                {part: minutes[part][i] * 60 for part in minutes},
                out,
                args.seed,
            )
            for i, speaker in enumerate(speakers)
        ]
        results = speak_all(speak, jobs, args.jobs)
        said = sorted((item for items, _ in results for item in items), key=lambda item: item.name)
        refused = [reason for _, reasons in results for reason in reasons]
        if not said:
            raise UserError(f"nothing could be said; first reason: {refused[0] if refused else 'no text'}")
        write_tables(out, said, speakers)
    for reason in refused[:5]:
        print(f"left out: {reason}")
    for part in ("train", "test"):
        own = [item.seconds for item in said if item.part == part]
        print(f"{part}: {len(own)} utterances, {sum(own) / 60:.1f} minutes")
    heard = collections.Counter(p for item in said for p in pinyin_to_phones(item.text.syllables))
    rare = heard.most_common()[:-6:-1]
    print(f"{len(heard)} phones; the rarest: {', '.join(f'{p} {n}' for p, n in rare)}")
    print(f"left out {len(refused)} utterances that were not said right")
    print(f"target speakers: {' '.join(s.name for s in speakers if s.is_target)}")
    print(f"{args.out}: done in {time.time() - start:.0f} s")


if __name__ == "__main__":
    main()
