#!/usr/bin/env python3
"""Speak a small corpus in a language of eSpeak NG; nothing is downloaded.

The speakers of the Mandarin corpus (voices.py) say names in the language (language_plan.py). Written are
``wav/SPEAKER/UTTERANCE.wav``, ``content.tsv`` (utterance, part, text), ``spk-info.txt`` (speaker, gender) and
``phoneme_events.tsv``: utterance, phone, its index in the utterance (pauses count), mnemonic, start and end
in seconds: the exact truth to score an aligner with, which no trainer may read.

The same options give the same bytes, however many processes work.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import random
import time
from pathlib import Path

import numpy as np
import saying
from language_plan import Planner, sayable
from pinyin_events import LONGEST_GAP, SHORTEST_CLOSURE, NotSaid, Span, trailing_silence
from voices import ORDINARY, TARGETS, Speaker

from ctap.errors import UserError, cli
from ctap.files.atomic import atomic_dir
from ctap.text.espeak import Espeak, Phoneme, without_stress
from ctap.text.forms import usual_form
from ctap.text.languages import language_of, rules_for
from ctap.text.spoken import Spoken


def speak(name: str, job: saying.Job[str]) -> tuple[list[saying.Said[str]], list[str]]:
    """Say a speaker's texts in the language ``name`` until each part is long enough.

    Returns:
        What was said, and the reasons for what was not.
    """
    language = voice_of(name)
    espeak = Espeak(language.voice)

    def say(text: str, rng: np.random.Generator) -> tuple[np.ndarray, list[Span]]:
        return render(espeak, language, job.speaker, text, rng)

    return saying.say_parts(job, say, espeak.sample_rate)


def voice_of(name: str) -> Spoken:
    """The language, which must be a voice of eSpeak NG's.

    Raises:
        UserError: it is not.
    """
    language = language_of(rules_for(name))
    if not isinstance(language, Spoken):
        raise UserError(f"--language {name}: eSpeak NG speaks this corpus: espeak:VOICE, or mandarin")
    return language


def render(
    espeak: Espeak, language: Spoken, speaker: Speaker, text: str, rng: np.random.Generator
) -> tuple[np.ndarray, list[Span]]:
    """Say one text with its own slight change of rate and pitch, silence around it and faint noise.

    Returns:
        ``[N]`` int16 samples and the spans of the phones in them.

    Raises:
        NotSaid: the library says something else than it reads.
    """
    words = [word for clause in language.reads(text) for word in clause]
    saying.take_voice(espeak, speaker, rng)
    wave, events = espeak.say(usual_form(text))
    expected = [(read.mnemonic, "".join(language.phones_of([read]))) for word in words for read in word]
    spans = locate(expected, language, wave, events, espeak.sample_rate)
    return saying.vary(wave, spans, speaker.scale, espeak.sample_rate, rng)


def locate(
    expected: list[tuple[str, str]],
    language: Spoken,
    wave: np.ndarray,
    events: list[Phoneme],
    sample_rate: int,
) -> list[Span]:
    """Where the phones of an utterance lie, by the conventions of :func:`pinyin_events.locate`.

    Args:
        expected: mnemonics as they are read, and their phones; "" of what has no sound of its own.
        language: of the phones.
        wave: ``[N]`` the samples.
        events: the library's phonemes and pauses.
        sample_rate: Hz.

    Raises:
        NotSaid: the library said something else.
    """
    sounds = [event for event in events if not event.is_pause]
    if len(sounds) != len(expected):
        raise NotSaid(f"{len(sounds)} phonemes are said, {len(expected)} read")
    for event, (mnemonic, _) in zip(sounds, expected, strict=True):
        if not without_stress(mnemonic).startswith(event.mnemonic):
            raise NotSaid(f"{mnemonic} is said as {event.mnemonic}")
    spans: list[Span] = []
    index, end = 0, 0
    for event, (_, phone) in zip(sounds, expected, strict=True):
        start, gap = event.start, event.start - end
        if not spans:
            spans.append(Span("sil", 0, "_", 0, start))
        elif not phone:  # it only shapes the sound before it
            spans[-1].end = end = event.end
            continue
        elif gap > LONGEST_GAP * sample_rate:
            index += 1
            spans.append(Span("sp", index, "_", end, start))
        else:
            closes = language.class_of(phone) in ("stop", "affricate") and spans[-1].phone not in (
                "sil",
                "sp",
            )
            silent = trailing_silence(wave[spans[-1].start : start]) if closes else 0
            start -= silent if silent >= SHORTEST_CLOSURE * sample_rate else gap
            start = max(start, spans[-1].start + 1)
            spans[-1].end = start
        index += 1
        if event.end <= start or not phone:
            raise NotSaid(f"{event.mnemonic} takes no time")
        spans.append(Span(phone, index, event.mnemonic, start, event.end))
        end = event.end
    spans.append(Span("sil", index + 1, "_", end, len(wave)))
    for left, right in itertools.pairwise(spans):
        if left.end != right.start or left.end < left.start:
            raise NotSaid(f"events do not adjoin at sample {left.end}")
    return spans


def write(out: Path, said: list[saying.Said[str]], speakers: list[Speaker]) -> None:
    """The tables of the corpus."""
    ordered = sorted(said, key=lambda item: item.name)
    saying.write_lines(out / "content.tsv", [f"{item.name}\t{item.part}\t{item.text}" for item in ordered])
    saying.write_lines(out / "spk-info.txt", [f"{s.name} {s.gender}" for s in speakers])
    events = [line for item in said for line in item.events]
    saying.write_lines(out / "phoneme_events.tsv", [saying.EVENTS_HEADER, *events])


@cli
def main() -> None:
    """Make the corpus."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--language", required=True, help="espeak:VOICE")
    args = saying.read_arguments(parser)
    start, language = time.time(), voice_of(args.language)
    phrases = sayable(language)
    print(f"{args.language}: {len(phrases)} phrases")
    pick = random.Random(args.seed)
    pick.shuffle(phrases)
    cut = len(phrases) // 10
    planners = {
        "train": Planner(phrases[cut:], pick),
        "test": Planner(phrases[:cut], pick),
    }
    speakers = [*ORDINARY[: args.speakers], *TARGETS]
    with atomic_dir(args.out) as out:
        jobs = []
        for speaker in speakers:
            train = args.target_minutes if speaker.is_target else args.minutes
            seconds = {"train": 60 * train, "test": 60 * args.test_minutes}
            texts = {part: planners[part].utterances(seconds[part]) for part in planners}
            jobs.append(saying.Job(speaker, texts, seconds, out, args.seed))
        said, refused = saying.speak_all(functools.partial(speak, args.language), jobs, args.jobs)
        write(out, said, speakers)
    minutes = sum(item.seconds for item in said) / 60
    print(f"left out {len(refused)} utterances that were not said as they are read")
    print(f"{args.out}: {len(said)} utterances, {minutes:.1f} minutes, done in {time.time() - start:.0f} s")


if __name__ == "__main__":
    main()
