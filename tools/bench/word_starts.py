#!/usr/bin/env python3
"""Starts of words as the aligner places them beside those that a Whisper hears.

    python tools/bench/word_starts.py --data_dir data/train --whisper DIR

Needs a data directory whose words are those of its text (``--language english``), with durations, and a
Whisper as a transformers directory. Its word times come from its attention (``alignment_heads`` of its
generation_config.json or ct2_config.json) in steps of 20 ms and are no truth; what is printed says whether
two methods that share nothing agree. Words that it heard otherwise are not compared.
"""

from __future__ import annotations

import argparse
import difflib
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ctap.align.durations import read_durations
from ctap.audio.wave import load_wave
from ctap.errors import UserError, cli
from ctap.files.tables import read_table
from ctap.text.languages import language_in
from ctap.text.pauses import PAUSES
from ctap.upstream.pretrained import import_transformers

RATE = 16000
FRAME_SECONDS = 0.01
Starts = list[tuple[str, float]]


def aligned_words(data_dir: Path) -> dict[str, Starts]:
    """Words and their starts in seconds, of every utterance whose text has as many words as were read."""
    language, found = language_in(data_dir), {}
    texts, counts = read_table(data_dir / "text"), read_table(data_dir / "word_phones")
    for utt, (phones, frames) in read_durations(data_dir).items():
        begins = [0, *itertools.accumulate(frames)]
        starts = [start for phone, start in zip(phones, begins, strict=False) if phone not in PAUSES]
        firsts = [0, *itertools.accumulate(map(int, counts[utt].split()))][:-1]
        words = language.text_tokens(texts[utt].replace("-", " "))
        if len(words) == len(firsts):
            found[utt] = [(word, starts[i] * FRAME_SECONDS) for word, i in zip(words, firsts, strict=True)]
    return found


class Whisper:
    """Hears words with their starts."""

    def __init__(self, folder: Path, language: str) -> None:
        if not folder.is_dir():  # or transformers would look for a model of that name on the network
            raise UserError(f"{folder}: no such directory; expected a Whisper as transformers saves it")
        package = import_transformers()
        try:
            self._run: Any = package.pipeline(
                "automatic-speech-recognition", model=str(folder), trust_remote_code=False
            )
        except (OSError, ValueError) as error:
            raise UserError(f"{folder}: no Whisper that transformers can load: {error}") from None
        config = self._run.model.generation_config
        if not getattr(config, "alignment_heads", None):
            config.alignment_heads = json.loads((folder / "ct2_config.json").read_text())["alignment_heads"]
        self._told = {"language": language, "task": "transcribe"}

    def __call__(self, path: str) -> Starts:
        """Words and their starts in seconds."""
        wave = load_wave(path, RATE).astype(np.float32)
        heard = self._run(
            {"raw": wave, "sampling_rate": RATE}, return_timestamps="word", generate_kwargs=self._told
        )
        return [(chunk["text"], chunk["timestamp"][0]) for chunk in heard["chunks"]]


def pairs(ours: Starts, theirs: Starts) -> Iterator[tuple[float, float]]:
    """Starts of the words that both have, in order."""
    left, right = [word for word, _ in ours], [word for word, _ in theirs]
    for i, j, size in difflib.SequenceMatcher(None, left, right, autojunk=False).get_matching_blocks():
        for k in range(size):
            yield ours[i + k][1], theirs[j + k][1]


@cli
def main() -> None:
    """Print how far apart the two are."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data_dir", type=Path, required=True)
    parser.add_argument("--whisper", type=Path, required=True)
    args = parser.parse_args()
    language, waves = language_in(args.data_dir), read_table(args.data_dir / "wav.scp")
    ours = aligned_words(args.data_dir)
    if not ours:
        raise UserError(f"{args.data_dir}: no utterance has as many words in its text as in word_phones")
    whisper, found, inner = Whisper(args.whisper, language.code), [], []
    for utt, starts in ours.items():
        heard = [(w, start) for word, start in whisper(waves[utt]) for w in language.text_tokens(word)]
        own = list(pairs(starts, heard))
        found += own
        inner += [pair for pair in own if pair[0] != starts[0][1]]
    total = sum(map(len, ours.values()))
    print(f"{len(ours)} of {len(waves)} utterances, {total} words, {len(found)} heard alike")
    for name, some in (("all words", found), ("but the first of an utterance", inner)):
        gaps = 1000 * np.array([mine - heard for mine, heard in some])
        print(
            f"{name}: {len(gaps)} starts; apart {np.median(np.abs(gaps)):.0f} ms at the median, "
            f"{np.percentile(np.abs(gaps), 90):.0f} ms in nine of ten; ours later by {np.median(gaps):.0f} ms"
        )


if __name__ == "__main__":
    main()
