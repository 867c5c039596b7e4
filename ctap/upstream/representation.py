"""What a representation is: where it comes from, how large it is, how many bits a second it takes."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass, field
from pathlib import Path

from ctap.errors import UserError
from ctap.files.atomic import write_json

FLOAT_BITS = 32


def bits_per_second(dim: int, rate: float, *, codebooks: int = 0, codebook_size: int = 0) -> float:
    """Bits that a second of a representation takes, without any coding beyond its own.

    Args:
        dim: Dimension of a frame.
        rate: Frames per second as the model makes them, before any repetition.
        codebooks: Codes per frame; 0 for a continuous representation.
        codebook_size: Entries of each codebook.

    Returns:
        ``codebooks * log2(codebook_size) * rate`` for codes, ``dim * 32 * rate`` for floats.
    """
    if codebooks:
        return codebooks * math.log2(codebook_size) * rate
    return dim * FLOAT_BITS * rate


@dataclass(frozen=True)
class Representation:
    """What made a set of features; written beside them, so that later stages can compare.

    Attributes:
        kind: Name in the registry, such as ``hubert``.
        model: Path or model name, as given.
        revision: Revision of a model name, as given; empty for its newest.
        weights: Digest of the weights that are used.
        sample_rate: Rate of the model's input, Hz.
        stride: Samples of the model's input from frame to frame.
        dim: Dimension of a frame.
        codebooks: Codes per frame; 0 if continuous.
        codebook_size: Entries of each codebook; 0 if continuous.
        options: The kind's own options, and what else decides the values.
    """

    kind: str
    model: str
    revision: str
    weights: str
    sample_rate: int
    stride: int
    dim: int
    codebooks: int = 0
    codebook_size: int = 0
    options: dict[str, str | int | float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Frames per second as the model makes them."""
        return self.sample_rate / self.stride

    @property
    def bits_per_second(self) -> float:
        """See :func:`bits_per_second`."""
        return bits_per_second(
            self.dim, self.rate, codebooks=self.codebooks, codebook_size=self.codebook_size
        )

    def __str__(self) -> str:
        kind = (
            f"{self.codebooks} codebook(s) of {self.codebook_size}, replaced by their embeddings"
            if self.codebooks
            else f"continuous, {FLOAT_BITS}-bit floats"
        )
        options = "".join(f", {key} {value}" for key, value in self.options.items())
        return (
            f"{self.kind}: {self.model}{options}: {self.dim} dimensions, {self.rate:g} frames/s, {kind}, "
            f"{self.bits_per_second:.0f} bit/s"
        )

    def save(self, path: str | Path) -> None:
        """Write as JSON, whole or not at all, with ``bits_per_second`` for whoever reads it."""
        write_json(path, {**dataclasses.asdict(self), "bits_per_second": self.bits_per_second})

    @classmethod
    def load(cls, path: str | Path) -> Representation:
        """Read what :meth:`save` wrote.

        Raises:
            UserError: The file is missing or something else.
        """
        try:
            values = json.loads(Path(path).read_text(encoding="utf-8"))
            values.pop("bits_per_second")
            return cls(**values)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise UserError(f"{path}: not a description of a representation: {error}") from None

    def require_same(self, other: Representation, where: str) -> None:
        """Check that ``other`` was made alike; the model's path may differ where the weights do not.

        Raises:
            UserError: Naming each field that differs, with both values.
        """
        mine, theirs = dataclasses.asdict(self), dataclasses.asdict(other)
        different = [
            f"{key} is {theirs[key]!r}, expected {mine[key]!r}"
            for key in mine
            if key not in ("model", "revision") and mine[key] != theirs[key]
        ]
        if different:
            raise UserError(
                f"{where}: another representation: {'; '.join(different)}. "
                "Make the features again with one model and one set of options."
            )
