#!/usr/bin/env python3
"""LJSpeech as it is on disk to one data directory.

The corpus (Keith Ito and Linda Johnson, "The LJ Speech Dataset", 2017,
https://keithito.com/LJ-Speech-Dataset/): 13,100 utterances of one speaker, a woman, 24 hours, 22.05 kHz mono.

    metadata.csv            LJ001-0001|as printed|as read, numbers and abbreviations in words
    wavs/LJ001-0001.wav

under the corpus's root or under LJSpeech-1.1/ in it. Audio may be FLAC. The text as read is taken,
or, in a line without it, the text as printed.
"""

from __future__ import annotations

from ctap.errors import cli
from ctap.kaldi.corpus import Corpus, find_root, reader_parser

SPEAKER = "LJ"


@cli
def main(argv: list[str] | None = None) -> None:
    """Write the data directory."""
    options = reader_parser(__doc__).parse_args(argv)
    root = find_root(options.corpus, "LJSpeech-1.1", ["metadata.csv"])
    corpus = Corpus()
    for utt, path in corpus.recordings(root / "wavs").items():
        corpus.add(utt, path, SPEAKER)
    for number, line in corpus.read_lines(root / "metadata.csv"):
        utt, *texts = line.split("|")
        read = [text for text in reversed(texts) if text.strip()]
        corpus.put("text", utt, read[0] if read else "", f"metadata.csv:{number}")
    corpus.gender(SPEAKER, "female", "the corpus's page")
    corpus.write(options.out_dir)


if __name__ == "__main__":
    main()
