"""Features that several jobs made, as one set."""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ctap.files.columns import Names
from ctap.files.joins import merged
from ctap.kaldi.ark import MatrixReader


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
        readers = [MatrixReader(path) for path in paths]
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
