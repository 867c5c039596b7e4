"""A Kaldi data directory as an object."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ctap.errors import UserError
from ctap.files.atomic import atomic_dir
from ctap.files.columns import Names
from ctap.files.tables import read_table
from ctap.kaldi.subsets import Subset, write_subsets
from ctap.kaldi.tables import table_names


@dataclass
class DataDir:
    """The tables of a data directory, each read strictly when first asked for.

    Attributes:
        path: the directory.
    """

    path: Path
    _tables: dict[str, dict[str, str]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.path = Path(self.path)

    def has(self, name: str) -> bool:
        """Whether the table ``name`` (such as ``"text"``) exists."""
        return (self.path / name).is_file()

    def table(self, name: str) -> dict[str, str]:
        """The table ``name`` as key to the rest of the line.

        Raises:
            UserError: it does not exist or is malformed.
        """
        if name not in self._tables:
            if self.path.is_dir() and not self.has(name):
                by_utterance, by_speaker = table_names(self.path)
                there = ", ".join(by_utterance + by_speaker) or "no tables"
                raise UserError(f"{self.path / name}: no such file; the directory has {there}")
            self._tables[name] = read_table(self.path / name)
        return self._tables[name]

    @property
    def wav_scp(self) -> dict[str, str]:
        """Utterance to audio file."""
        return self.table("wav.scp")

    @property
    def utt2spk(self) -> dict[str, str]:
        """Utterance to speaker."""
        return self.table("utt2spk")

    @property
    def spk2utt(self) -> dict[str, list[str]]:
        """Speaker to utterances."""
        return {speaker: names.split() for speaker, names in self.table("spk2utt").items()}

    @property
    def utt2dur(self) -> dict[str, float]:
        """Utterance to length in seconds."""
        result = {}
        for utterance, value in self.table("utt2dur").items():
            try:
                result[utterance] = float(value)
            except ValueError:
                raise UserError(
                    f"{self.path / 'utt2dur'}: {utterance!r} has {value!r}, expected seconds"
                ) from None
        return result

    def utterances(self) -> list[str]:
        """All utterances, in the order of ``utt2spk``."""
        return list(self.utt2spk)

    def subset(self, utterances: Iterable[str], dest: str | os.PathLike[str]) -> DataDir:
        """Write the directory ``dest`` with these utterances and their speakers, whole or not at all.

        Every table keyed by utterance or speaker goes along, with the rows that there are, and so does what
        is said of the directory as a whole; an old ``dest`` is replaced. Other files are not copied.

        Raises:
            UserError: an utterance is not in this directory, or none is asked for.
        """
        wanted = Names(sorted(set(utterances)), self.path)
        if not wanted:
            raise UserError(f"{self.path}: a subset without utterances was asked for ({dest})")
        with atomic_dir(dest) as folder:
            self.write_subset(wanted, folder)
        return DataDir(Path(dest))

    def write_subset(self, wanted: Names, folder: Path) -> None:
        """The same into a directory that is there, reading row by row.

        Args:
            wanted: the utterances, rising.
            folder: where the tables go.
        """
        write_subsets(self.path, wanted, [Subset(folder, np.arange(len(wanted)))])
