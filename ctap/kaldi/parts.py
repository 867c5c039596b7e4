"""Features that several jobs made, as one set."""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ctap.errors import UserError
from ctap.files.columns import Names
from ctap.files.joins import merged, values_of
from ctap.files.skips import SkipList
from ctap.kaldi.ark import MOST_OPEN, MatrixReader
from ctap.kaldi.datadir import DataDir
from ctap.kaldi.durations import misfit, whole_numbers

NO_DURATIONS = "no durations"


@dataclass(frozen=True)
class Parts:
    """The features that the jobs made.

    Attributes:
        readers: a reader of each part.
        utts: the utterances, rising.
        part: in which part each is ``[N]``.
        frames: how many frames each has ``[N]``.
    """

    readers: list[MatrixReader]
    utts: Names
    part: np.ndarray
    frames: np.ndarray

    @classmethod
    def open(cls, paths: Sequence[Path]) -> Parts:
        """Read the lists of features at ``paths``, and the lengths from the arks.

        Raises:
            UserError: an utterance is in two parts.
        """
        most_open = max(1, MOST_OPEN // len(paths))
        readers = [MatrixReader(path, most_open=most_open) for path in paths]
        part, frames = array("i"), array("i")

        def utts() -> Iterator[str]:
            for utt, number in merged(*readers):
                part.append(number)
                frames.append(readers[number].shape(utt)[0])
                yield utt

        names = Names(utts(), paths[0].parent)
        return cls(readers, names, np.array(part, np.int32), np.array(frames, np.int32))

    def only(self, keep: np.ndarray) -> Parts:
        """Those where ``keep`` ``[N]`` is true."""
        names = Names(itertools.compress(self.utts, keep), "features")
        return Parts(self.readers, names, self.part[keep], self.frames[keep])

    def read_by(self) -> Iterator[tuple[str, MatrixReader]]:
        """Each utterance with its reader."""
        for utt, number in zip(self.utts, self.part, strict=True):
            yield utt, self.readers[number]

    def matrices(self) -> Iterator[np.ndarray]:
        """The features of each utterance ``[T, D]``."""
        return (reader[utt] for utt, reader in self.read_by())


def fitting_durations(data: DataDir, parts: Parts, skipped: SkipList) -> np.ndarray:
    """Check durations against frames.

    Returns:
        Which utterances have durations ``[N]``; those that have none are noted.

    Raises:
        UserError: the durations of an utterance do not sum to its frames, are not one for each aligned
            phone, or are not whole numbers of at least 1.
    """
    path = data.path / "durations"
    tables = (values_of(parts.utts, file) for file in (path, data.path / "aligned_phones"))
    there = np.ones(len(parts.utts), bool)
    for place, (frames, (utt, durations), (_, phones)) in enumerate(zip(parts.frames, *tables, strict=True)):
        if durations is None or phones is None:
            skipped.add(utt, NO_DURATIONS, f"not in {path if durations is None else path.parent}")
            there[place] = False
            continue
        try:
            if problem := misfit(phones.split(), whole_numbers(durations), frames):
                raise UserError(problem)
        except UserError as error:
            raise UserError(
                f"{path}: {utt}: {error}. Were they made with another frame shift, or from other recordings "
                "than the features? Repeat stage 1."
            ) from None
    return there
