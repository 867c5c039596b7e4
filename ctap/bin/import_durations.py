"""Take durations from elsewhere: from TextGrids (MFA, Praat), or from aligned_phones and durations."""

from __future__ import annotations

from pathlib import Path

from ctap.align import importing
from ctap.audio.settings import AudioSettings
from ctap.bin.entry import command
from ctap.text.labels import LabelTable
from ctap.text.languages import language_in


def import_durations(
    data_dir: Path, durations: Path, settings: Path | None = None, label_table: Path | None = None
) -> None:
    """Take durations from TextGrids (MFA, Praat), or from aligned_phones and durations.

    Everything is checked against the data directory: the same phones, and as many frames as the audio has.
    What does not fit is named in ``align_failed``; labels that can't be read are listed with their counts.

    Args:
        data_dir: Data directory with wav.scp and phones; written into.
        durations: Directory with <utterance>.TextGrid at any depth, or with aligned_phones and durations.
        settings: Audio settings; without, 24 kHz and 10 ms.
        label_table: More ways to write phones, in lines such as "er  e rr | e r" (docs/durations.md).
    """
    table = LabelTable.load(label_table, language_in(data_dir))
    lines = importing.import_durations(data_dir, durations, AudioSettings.load(settings), table)
    print("\n".join(lines))


main = command(import_durations)

if __name__ == "__main__":
    main()
