"""Train the sentencepiece units that the CTC head spells with."""

from __future__ import annotations

from pathlib import Path

from ctap.bin.entry import command
from ctap.files.tables import read_table
from ctap.text import units


def train_units(text: Path, out: Path, size: int = 5000, kind: str = "char") -> None:
    """Train units on the texts of a data directory.

    Args:
        text: Kaldi text file.
        out: Model file to write.
        size: Most units, blank and unknown included.
        kind: char, unigram or bpe.
    """
    units.train_units(read_table(text).values(), out, vocab_size=size, model_type=kind)
    print(f"{out}: {len(units.Units(out))} units")


main = command(train_units)

if __name__ == "__main__":
    main()
