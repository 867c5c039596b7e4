#!/usr/bin/env python3
"""LibriTTS as it is on disk to one data directory.

The corpus (OpenSLR 60; Zen et al., "LibriTTS: A corpus derived from LibriSpeech for text-to-speech",
Interspeech 2019, arXiv:1904.02882): 2,456 speakers, 585 hours, 24 kHz mono, in seven parts of different
speakers.

    train-clean-100/103/1241/103_1241_000000_000001.wav              speaker, chapter, paragraph, sentence
    train-clean-100/103/1241/103_1241_000000_000001.normalized.txt   its text, numbers in words
    speakers.tsv or SPEAKERS.txt                                     103  F ...   or   103 | F | ...

under the corpus's root or under LibriTTS/ in it, or LibriTTS_R/, which is the same speech restored (OpenSLR
141); any of the parts may be missing. Speakers are called by five digits (00103), utterances
00103_1241_000000_000001, so that tables sort by speaker.
"""

from __future__ import annotations

from pathlib import Path

from ctap.errors import cli
from ctap.kaldi.corpus import Corpus, find_root, reader_parser

PARTS = {
    "train-clean-100": "train",
    "train-clean-360": "train",
    "train-other-500": "train",
    "dev-clean": "dev",
    "dev-other": "dev",
    "test-clean": "test",
    "test-other": "test",
}
TEXT = ".normalized.txt"


@cli
def main(argv: list[str] | None = None) -> None:
    """Write the data directory."""
    parser = reader_parser(__doc__)
    parser.add_argument(
        "--parts", nargs="+", choices=PARTS, default=list(PARTS), help="default: all there are"
    )
    options = parser.parse_args(argv)
    root = find_root(options.corpus, ["LibriTTS", "LibriTTS_R"], list(PARTS))
    corpus = Corpus()
    for part in options.parts:
        if (root / part).is_dir():
            for name, path in corpus.recordings(root / part).items():
                add(corpus, name, path, PARTS[part])
    read_genders(root, corpus)
    corpus.write(options.out_dir)


def speaker_name(number: str) -> str:
    """Five digits, so that names sort as numbers."""
    return number.zfill(5)


def add(corpus: Corpus, name: str, path: Path, part: str) -> None:
    """A recording and its text."""
    number, _, rest = name.partition("_")
    if not number.isdecimal() or not rest:
        corpus.skipped.add(name, "name that can't be used", f"{path}: expected SPEAKER_CHAPTER_...")
        return
    utt = f"{speaker_name(number)}_{rest}"
    corpus.add(utt, path, speaker_name(number), part)
    corpus.put_file("text", utt, path.with_name(f"{name}{TEXT}"))


def read_genders(root: Path, corpus: Corpus) -> None:
    """Genders of the speakers that are there, from either list."""
    known = set(corpus.tables["utt2spk"].values())
    for path in (root / "speakers.tsv", root / "SPEAKERS.txt"):
        if path.is_file():
            for number, line in corpus.read_lines(path):
                fields = line.replace("|", " ").split()
                if len(fields) > 1 and fields[0].isdecimal() and speaker_name(fields[0]) in known:
                    corpus.gender(speaker_name(fields[0]), fields[1], f"{path.name}:{number}")
            return


if __name__ == "__main__":
    main()
