"""The utterances that an aligner reads, in parts, with named reasons for what is left out."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ctap.align.features import Features, Statistics, analyse, analysis_settings
from ctap.align.topology import check_phones
from ctap.audio.frames import num_frames
from ctap.audio.settings import AudioSettings
from ctap.audio.wave import AudioError, load_wave, wave_info
from ctap.errors import UserError
from ctap.files.columns import Names, Rows, in_order, places_of
from ctap.files.joins import numbered_values, side_by_side
from ctap.files.lists import spread
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
        utterances: those that have a recording and phones, sorted.
        left_out: utterance to reason, filled while the corpus is read.
    """

    data_dir: Path
    settings: AudioSettings = field(default_factory=AudioSettings)
    max_seconds: float = 60.0
    left_out: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.data_dir = Path(self.data_dir)
        self.analysis = analysis_settings(self.settings)
        self.waves = Rows(self.data_dir / "wav.scp")
        self._phones = Rows(self.data_dir / "phones")
        self.language = language_in(self.data_dir)
        words = self.data_dir / WORD_TABLE
        self._words = Rows(words) if words.is_file() else {}
        self.utterances = Names(self._in_both(), self.data_dir)
        if not self.utterances:
            raise UserError(f"{self.data_dir}: no utterance is in both wav.scp and phones")
        path = self.data_dir / "utt2spk"
        _, self._speaker, lone = numbered_values(self.utterances, path)
        if lone:
            raise UserError(f"{path}: {lone[0]!r} is missing ({len(lone)} such in all)")
        self._of_speaker = places_of(self._speaker)

    def _in_both(self) -> Iterator[str]:
        """The utterances of both tables; those of one alone are noted."""
        waves, phones = (in_order(rows.names, self.data_dir) for rows in (self.waves, self._phones))
        for utterance, (heard, written) in side_by_side(waves, phones):
            if heard and written:
                yield utterance
            else:
                self.left_out[utterance] = "no phones" if heard else "not in wav.scp"

    def phones(self, utterance: str) -> list[str]:
        """The phones of an utterance, without pauses."""
        return self._phones[utterance].split()

    def speaker(self, utterance: str) -> int:
        """The number of an utterance's speaker."""
        return int(self._speaker[self.utterances.find(utterance)])

    def starts(self, utterance: str) -> list[bool]:
        """Before which phones of an utterance there may be a pause: its words', or what the phones tell.

        Raises:
            UserError: a phone can't be aligned, or the phones of its words do not sum to its phones.
        """
        phones = self.phones(utterance)
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

    def choose(self, seconds: float, rng: np.random.Generator) -> list[str]:
        """Utterances of about ``seconds`` in all that can be read, the speakers taking turns; sorted."""
        shuffled = [rng.permutation(places)[::-1] for places in self._of_speaker]
        chosen: list[str] = []
        total = 0.0
        for place in itertools.chain.from_iterable(itertools.zip_longest(*shuffled)):
            if total >= seconds:
                break
            if place is None:  # this speaker has no more
                continue
            utterance = self.utterances[place]
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
        return sorted(chosen)

    def load(self, utterance: str) -> tuple[Features, int] | None:
        """Features and the frame count of the durations; ``None``, with the reason noted, if there are none.

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
            utterances: to read; those that can't be read are noted and left out.
            everybody: statistics that a speaker with little speech falls back on.
        """
        for speaker, names in itertools.groupby(utterances, key=self.speaker):
            own = spread(self._of_speaker[speaker].tolist(), SPEAKER_UTTERANCES)
            loaded = {u: self.load(u) for u in map(self.utterances.__getitem__, own)}
            kept = {u: pair for u, pair in loaded.items() if pair is not None}
            statistics = Statistics.of((f.cepstra for f, _ in kept.values()), prior=everybody)
            examples = {u: (statistics.normalise(f), frames) for u, (f, frames) in kept.items()}
            yield SpeakerPart(self, list(names), statistics, examples)


@dataclass
class SpeakerPart:
    """Utterances of one speaker.

    Attributes:
        corpus: where they are from.
        utterances: their names.
        statistics: of the speaker's features.
        examples: some utterances of the speaker, not only of this part, as :meth:`read` gives them.
    """

    corpus: AlignCorpus
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
