"""Take durations from elsewhere: from TextGrids (MFA, Praat), or from ``aligned_phones`` and ``durations``.

Everything is checked against the data directory: the same phones, and as many frames as the audio has. What
does not fit is named in ``align_failed``; labels that can't be read are listed with their counts.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ctap.align.importing import import_durations
from ctap.audio.settings import AudioSettings
from ctap.errors import cli
from ctap.text.labels import BUILT_IN, LabelTable


def get_parser() -> argparse.ArgumentParser:
    """Options of the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data_dir", type=Path, required=True, help="with wav.scp and phones; written into")
    parser.add_argument(
        "--durations",
        type=Path,
        required=True,
        help="directory with <utterance>.TextGrid at any depth, or with aligned_phones and durations",
    )
    parser.add_argument("--settings", type=Path, help="audio settings; default: 24 kHz, 10 ms")
    parser.add_argument(
        "--label_table",
        type=Path,
        help="more ways to write phones, in lines such as 'er  e rr | e r' (docs/durations.md)",
    )
    return parser


@cli
def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    args = get_parser().parse_args(argv)
    settings = AudioSettings.load(args.settings) if args.settings else AudioSettings()
    table = LabelTable.load(args.label_table) if args.label_table else BUILT_IN
    print("\n".join(import_durations(args.data_dir, args.durations, settings, table)))


if __name__ == "__main__":
    main()
