"""Where matrices are: the lines of an scp, utterances with an ark and the byte at which each begins."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ctap.errors import UserError
from ctap.files.columns import Names


@dataclass(frozen=True)
class Places:
    """The lines of an scp as columns: of ten million, objects would take gigabytes in every process.

    Attributes:
        names: the utterances.
        arks: the different arks, as the scp names them.
        ark: which of them each utterance is in ``[N]``.
        offset: at which byte of it each begins ``[N]``.
    """

    names: Names
    arks: list[str]
    ark: Sequence[int] | np.ndarray
    offset: Sequence[int] | np.ndarray

    @classmethod
    def of(cls, rows: Iterable[tuple[str, str]], scp: Path) -> Places:
        """Of the ``rows`` of ``scp``.

        Raises:
            UserError: an utterance comes twice, or an entry is a command (``|``) or a range.
        """
        arks: dict[str, int] = {}
        numbers, offsets = array("i"), array("q")

        def names() -> Iterator[str]:
            for utterance, spec in rows:
                ark, offset = parse_entry(spec, f"{scp}: {utterance}")
                numbers.append(arks.setdefault(ark, len(arks)))
                offsets.append(offset)
                yield utterance

        return cls(Names(names(), scp), list(arks), numbers, offsets)


def parse_entry(spec: str, where: str) -> tuple[str, int]:
    """Ark and offset of ``path.ark:offset``, or of ``path``, a file of one matrix.

    Raises:
        UserError: it is a command (``|``) or a range.
    """
    refuse_command(spec, where)
    if re.search(r"\[[\d:, ]*\]$", spec):
        raise UserError(f"{where}: {spec!r} asks for a range, which is not supported; give whole matrices")
    ark, colon, offset = spec.rpartition(":")
    if colon and offset.isdecimal():
        if int(offset[:20]) >= 2**63:
            raise UserError(f"{where}: {spec!r}: no file is that long")
        return ark, int(offset)
    return spec, 0


def refuse_command(spec: str, where: str) -> None:
    """Refuse a path that Kaldi would run."""
    if "|" in spec:
        raise UserError(f"{where}: {spec!r} holds '|', which would run a command; expected a plain file name")
