"""What an aligner is, whatever its kind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from ctap.align.alignment import Alignment
from ctap.align.corpus import AlignCorpus
from ctap.align.features import Features, Statistics
from ctap.audio.settings import AudioSettings
from ctap.text.language import Language


class Aligner(Protocol):
    """A trained aligner. Features are those of :mod:`ctap.align.features`, normalised per speaker."""

    everybody: Statistics

    def align(
        self, features: Features, phones: list[str], total_frames: int, starts: Sequence[bool] | None = None
    ) -> Alignment:
        """Align features with phones (no pauses); a pause may come before those that ``starts`` says.

        Raises:
            CannotAlign: they do not fit.
        """
        ...

    def adapt(self, examples: Iterable[tuple[Features, list[str], Sequence[bool]]]) -> Aligner:
        """This aligner, adapted to one speaker by features, phones and starts of some utterances."""
        ...

    def save(self, folder: Path) -> None:
        """Write the model into an existing folder."""
        ...


class AlignerKind(Protocol):
    """How aligners of one kind are made."""

    def train(
        self, corpus: AlignCorpus, *, hours: float, seed: int, threads: int, start: Aligner | None = None
    ) -> Aligner:
        """Train on at most ``hours`` of the corpus, from a flat start or the alignments of ``start``."""
        ...

    def load(self, folder: Path, settings: AudioSettings, language: Language) -> Aligner:
        """Read what :meth:`Aligner.save` wrote, to align phones of ``language``."""
        ...
