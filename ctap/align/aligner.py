"""What an aligner is, whatever its kind."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from ctap.align.alignment import Alignment
from ctap.align.corpus import AlignCorpus
from ctap.align.features import Features, Statistics
from ctap.audio.settings import AudioSettings


class Aligner(Protocol):
    """A trained aligner. Features are those of :mod:`ctap.align.features`, normalised per speaker."""

    everybody: Statistics

    def align(self, features: Features, phones: list[str], total_frames: int) -> Alignment:
        """Align features with phones (no pauses); raises :class:`~ctap.align.alignment.CannotAlign`."""
        ...

    def adapt(self, examples: Iterable[tuple[Features, list[str]]]) -> Aligner:
        """This aligner, made to suit one speaker by features and phones of some utterances."""
        ...

    def save(self, folder: Path) -> None:
        """Write the model into an existing folder."""
        ...


class AlignerKind(Protocol):
    """How aligners of one kind are made."""

    def train(self, corpus: AlignCorpus, *, hours: float, seed: int, threads: int) -> Aligner:
        """Train from a flat start on at most ``hours`` of the corpus."""
        ...

    def load(self, folder: Path, settings: AudioSettings) -> Aligner:
        """Read what :meth:`Aligner.save` wrote."""
        ...
