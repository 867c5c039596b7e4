"""Choose the recording that stands for a speaker's voice at inference."""

from __future__ import annotations

from pathlib import Path

from ctap.bin.entry import command
from ctap.errors import UserError
from ctap.files.atomic import atomic_write
from ctap.files.tables import read_table


def choose_prompt(data_dir: Path, out: Path, seconds: float = 4.0) -> None:
    """Write the path of the recording whose length is nearest to a wanted one.

    Args:
        data_dir: Data directory of the speaker.
        out: File to write the path to, one line.
        seconds: Wanted length; the prompt encoder hears the middle 3 s.
    """
    lengths = {u: float(s) for u, s in read_table(data_dir / "utt2dur").items()}
    if not lengths:
        raise UserError(f"{data_dir}/utt2dur: no utterance to take a prompt from")
    chosen = min(sorted(lengths), key=lambda u: abs(lengths[u] - seconds))
    with atomic_write(out) as file:
        file.write(read_table(data_dir / "wav.scp")[chosen] + "\n")


main = command(choose_prompt)

if __name__ == "__main__":
    main()
