#!/usr/bin/env python3
"""AISHELL-1 as it is on disk to one data directory.

The corpus (OpenSLR 33; Bu, Du, Na, Wu, Zheng, "AISHELL-1: An open-source Mandarin speech corpus and a speech
recognition baseline", O-COCOSDA 2017, arXiv:1709.05522): 400 speakers, 178 hours, 16 kHz mono, transcripts of
141,600 utterances. No speaker is in two of its parts (train 340, dev 40, test 20).

    wav/{train,dev,test}/S0002/BAC009S0002W0122.wav   the first 11 characters are the speaker
    wav/S0002.tar.gz                                  as it comes: an archive a speaker, in it {part}/S0002/
    transcript/aishell_transcript_v0.8.txt            BAC009S0002W0122 word word ...
    ../resource_aishell/speaker.info                  0002 F    (an archive of its own, may be absent)

under the corpus's root or under data_aishell/ in it. Some recordings have no transcript; they are named.
"""

from __future__ import annotations

from pathlib import Path

from ctap.errors import UserError, cli
from ctap.kaldi.corpus import Corpus, find_root, reader_parser

TRANSCRIPT = "transcript/aishell_transcript_v0.8.txt"
PARTS = ("train", "dev", "test")
PREFIX = "BAC009"
SPEAKER_LENGTH = 11


@cli
def main(argv: list[str] | None = None) -> None:
    """Write the data directory."""
    options = reader_parser(__doc__).parse_args(argv)
    root = find_root(options.corpus, "data_aishell", [TRANSCRIPT])
    check_unpacked(root / "wav")
    corpus = Corpus()
    for part in PARTS:
        if (root / "wav" / part).is_dir():
            for utt, path in corpus.recordings(root / "wav" / part).items():
                corpus.add(utt, path, utt[:SPEAKER_LENGTH], part)
    for number, line in corpus.read_lines(root / TRANSCRIPT):
        utt, *words = line.split()
        corpus.put("text", utt, "".join(words), f"{TRANSCRIPT}:{number}")
    read_genders(root, corpus)
    corpus.write(options.out_dir)


def check_unpacked(folder: Path) -> None:
    """Refuse a corpus of which some speakers are still archives."""
    archives = sorted(folder.glob("*.tar.gz"))
    missing = [path for path in archives if not any(folder.glob(f"*/{path.name.removesuffix('.tar.gz')}"))]
    if missing:
        raise UserError(
            f"{folder}: {len(missing)} speakers are not unpacked, the first: {missing[0].name}; "
            "do so in that directory: for speaker in *.tar.gz; do tar -xzf $speaker; done"
        )


def read_genders(root: Path, corpus: Corpus) -> None:
    """Genders from the corpus's resources, if they are there."""
    for path in (
        root.parent / "resource_aishell" / "speaker.info",
        root / "resource_aishell" / "speaker.info",
    ):
        if path.is_file():
            for number, line in corpus.read_lines(path):
                speaker, *rest = line.split()
                name = f"{PREFIX}S{speaker.removeprefix('S')}"
                corpus.gender(name, rest[0] if rest else "", f"{path}:{number}")
            return


if __name__ == "__main__":
    main()
