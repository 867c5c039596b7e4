"""The utterances that an aligner reads, in parts, with named reasons for what is left out."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ctap.align.features import Features, Statistics, analyse, analysis_settings, spread
from ctap.align.topology import check_phones
from ctap.audio.frames import num_frames
from ctap.audio.settings import AudioSettings
from ctap.audio.wave import AudioError, load_wave, wave_info
from ctap.errors import UserError
from ctap.files.tables import read_table
from ctap.text.language import WORD_TABLE
from ctap.text.languages import language_in

SPEAKER_UTTERANCES = 30  # enough to know a speaker's mean spectrum


@dataclass
class AlignCorpus:
    """Audio and phones of a data directory.

    Attributes:
        data_dir: with ``wav.scp``, ``utt2spk`` and ``phones``, and ``word_phones`` if the language has words.
        settings: the audio settings whose frames the durations count.
        max_seconds: longer utterances are left out (the search takes memory of length times phones).
        left_out: utterance to reason, filled while the corpus is read.
    """

    data_dir: Path
    settings: AudioSettings = field(default_factory=AudioSettings)
    max_seconds: float = 60.0
    left_out: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.data_dir = Path(self.data_dir)
        self.analysis = analysis_settings(self.settings)
        self.waves = read_table(self.data_dir / "wav.scp")
        self.phones = {u: v.split() for u, v in read_table(self.data_dir / "phones").items()}
        self.speakers = read_table(self.data_dir / "utt2spk")
        self.language = language_in(self.data_dir)
        words = self.data_dir / WORD_TABLE
        self._words = read_table(words) if words.is_file() else {}
        for utterance in self.waves.keys() - self.phones.keys():
            self.left_out[utterance] = "no phones"
        for utterance in self.phones.keys() - self.waves.keys():
            self.left_out[utterance] = "not in wav.scp"
        self.utterances = sorted(self.waves.keys() & self.phones.keys())
        if not self.utterances:
            raise UserError(f"{self.data_dir}: no utterance is in both wav.scp and phones")
        lone = [u for u in self.utterances if u not in self.speakers]
        if lone:
            raise UserError(f"{self.data_dir / 'utt2spk'}: {lone[0]!r} is missing ({len(lone)} such in all)")

    def starts(self, utterance: str) -> list[bool]:
        """Before which phones of an utterance there may be a pause: its words', or what the phones tell.

        Raises:
            UserError: a phone can't be aligned, or the phones of its words do not sum to its phones.
        """
        phones = self.phones[utterance]
        check_phones(phones, self.language)
        if utterance not in self._words:
            return self.language.starts(phones)
        counts = self._words[utterance].split()
        if not all(map(str.isdecimal, counts)) or sum(map(int, counts)) != len(phones):
            raise UserError(
                f"{self.data_dir / WORD_TABLE}: {utterance}: expected numbers that sum to {len(phones)}, "
                f"the phones, found {' '.join(counts)}"
            )
        return [i == 0 for count in counts for i in range(int(count))]

    def of_speaker(self) -> dict[str, list[str]]:
        """Speaker to its utterances, both sorted."""
        result: dict[str, list[str]] = {}
        for utterance in self.utterances:
            result.setdefault(self.speakers[utterance], []).append(utterance)
        return dict(sorted(result.items()))

    def choose(self, seconds: float, rng: np.random.Generator) -> list[str]:
        """Utterances of about ``seconds`` in all that can be read, the speakers taking turns; sorted."""
        queues = [list(rng.permutation(names)) for names in self.of_speaker().values()]
        chosen, total = [], 0.0
        while queues and total < seconds:
            for queue in queues:
                utterance = str(queue.pop())
                try:
                    length = wave_info(self.waves[utterance]).seconds
                except AudioError as error:
                    self.left_out[utterance] = str(error)
                    continue
                if length > self.max_seconds:  # :meth:`load` would refuse it
                    self.left_out[utterance] = f"{length:.1f} s is longer than {self.max_seconds:g} s"
                    continue
                chosen.append(utterance)
                total += length
                if total >= seconds:
                    break
            queues = [queue for queue in queues if queue]
        return sorted(chosen)

    def load(self, utterance: str) -> tuple[Features, int] | None:
        """Features and the frame count of the durations; ``None``, with the reason noted, if it can't be had.

        Returns:
            Features that are not normalised, and the number of frames.
        """
        try:
            wave = load_wave(self.waves[utterance], self.settings.sample_rate, max_seconds=self.max_seconds)
        except AudioError as error:
            self.left_out[utterance] = str(error)
            return None
        return analyse(wave, self.analysis), num_frames(len(wave), self.settings)

    def by_speaker(self, utterances: Sequence[str], everybody: Statistics) -> Iterator[SpeakerPart]:
        """``utterances``, sorted by speaker, in portions of one speaker each.

        A speaker's statistics and examples are the same whatever part is asked for.

        Args:
            utterances: to read; those that can't be had are noted and passed over.
            everybody: statistics that a speaker with little speech falls back on.
        """
        of_speaker = self.of_speaker()
        for speaker, names in itertools.groupby(utterances, key=self.speakers.__getitem__):
            loaded = {u: self.load(u) for u in spread(of_speaker[speaker], SPEAKER_UTTERANCES)}
            kept = {u: pair for u, pair in loaded.items() if pair is not None}
            statistics = Statistics.of((f.cepstra for f, _ in kept.values()), prior=everybody)
            examples = {u: (statistics.normalise(f), frames) for u, (f, frames) in kept.items()}
            yield SpeakerPart(self, speaker, list(names), statistics, examples)


@dataclass
class SpeakerPart:
    """Utterances of one speaker.

    Attributes:
        corpus: where they are from.
        speaker: whose they are.
        utterances: their names.
        statistics: of the speaker's features.
        examples: some utterances of the speaker, not only of this part, as :meth:`read` gives them.
    """

    corpus: AlignCorpus
    speaker: str
    utterances: list[str]
    statistics: Statistics
    examples: dict[str, tuple[Features, int]]

    def read(self) -> Iterator[tuple[str, Features, int]]:
        """Utterance, normalised features, and frame count of the durations, one by one."""
        for utterance in self.utterances:
            pair = self.examples.get(utterance)
            if pair is None and utterance not in self.corpus.left_out:
                raw = self.corpus.load(utterance)
                pair = raw and (self.statistics.normalise(raw[0]), raw[1])
            if pair is not None:
                yield utterance, *pair
