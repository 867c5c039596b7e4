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
import random
import time
from pathlib import Path

import numpy as np
from espeak import Espeak
from pinyin_events import NotSaid, Span, locate, match
from saying import (
    EVENTS_HEADER,
    Job,
    Said,
    read_arguments,
    say_parts,
    speak_all,
    take_voice,
    vary,
    write_lines,
)
from text_plan import Phrase, Utterance, plan_utterances, read_phrases
from voices import ORDINARY, TARGETS, Speaker

from ctap.errors import cli
from ctap.files.atomic import atomic_dir
from ctap.text.pinyin import pinyin_to_phones


def speak(job: Job[Utterance]) -> tuple[list[Said[Utterance]], list[str]]:
    """Say a speaker's utterances until each part is long enough.

    Returns:
        What was said, and the reasons for what was not.
    """
    espeak = Espeak()

    def say(text: Utterance, rng: np.random.Generator) -> tuple[np.ndarray, list[Span]]:
        return render(espeak, job.speaker, text, rng)

    return say_parts(job, say, espeak.sample_rate, "{part}/wav")


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


def write_tables(out: Path, said: list[Said[Utterance]], speakers: list[Speaker]) -> None:
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
        said, refused = speak_all(speak, jobs, args.jobs)
        said.sort(key=lambda item: item.name)
        write_tables(out, said, speakers)
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
