#!/usr/bin/env python3
"""VCTK 0.92 or 0.80 as it is on disk to one data directory.

The corpus (Yamagishi, Veaux, MacDonald, "CSTR VCTK Corpus: English Multi-speaker Corpus for CSTR Voice
Cloning Toolkit (version 0.92)", 2019, https://doi.org/10.7488/ds/2645): 110 speakers, 44 hours, 48 kHz mono.
Every utterance was recorded by two microphones; one of them is taken.

    wav48_silence_trimmed/p225/p225_001_mic1.flac
    txt/p225/p225_001.txt                            its text
    speaker-info.txt                                 p225  23  F    English    Southern  England

under the corpus's root or under VCTK-Corpus-0.92/ in it. The texts of p315 were lost: its recordings are
named. mic1 stands in for mic2 where that did not record (all of p280 and p315); what mic1 did not record is
passed over.

Version 0.80 has one recording of each utterance, and speakers without p in the list:

    wav48/p225/p225_001.wav
    speaker-info.txt                                 225  23  F    English    Southern  England

under the corpus's root or under VCTK-Corpus/ or VCTK-Corpus-0.80/ in it.
"""

from __future__ import annotations

from pathlib import Path

from ctap.errors import UserError, cli
from ctap.kaldi.corpus import Corpus, find_root, reader_parser

ROOTS = ("VCTK-Corpus-0.92", "VCTK-Corpus", "VCTK-Corpus-0.80")
AUDIO = "wav48_silence_trimmed"
AUDIO_080 = "wav48"
MICROPHONES = ("mic1", "mic2")


@cli
def main(argv: list[str] | None = None) -> None:
    """Write the data directory."""
    parser = reader_parser(__doc__)
    parser.add_argument("--microphone", choices=MICROPHONES, default="mic1", help="default: mic1")
    options = parser.parse_args(argv)
    root = find_root(options.corpus, ROOTS, [AUDIO, AUDIO_080])
    corpus = Corpus()
    if (root / AUDIO).exists():
        add_chosen(corpus, root / AUDIO, options.microphone)
    elif options.microphone != MICROPHONES[0]:
        raise UserError(
            f"--microphone {options.microphone}: {root / AUDIO_080} is of version 0.80, which has only one"
        )
    else:
        for utt, path in corpus.recordings(root / AUDIO_080).items():
            corpus.add(utt, path, path.parent.name)
    for utt in sorted(corpus.tables["wav.scp"]):
        corpus.put_file("text", utt, root / "txt" / corpus.tables["utt2spk"][utt] / f"{utt}.txt")
    read_genders(root / "speaker-info.txt", corpus)
    corpus.write(options.out_dir)


def add_chosen(corpus: Corpus, folder: Path, chosen: str) -> None:
    """Of each utterance, what the chosen microphone recorded; else, with a notice, what mic1 did."""
    first: dict[str, Path] = {}
    for name, path in corpus.recordings(folder).items():
        utt, _, microphone = name.rpartition("_")
        if microphone not in MICROPHONES:
            corpus.skipped.add(
                name, "name that can't be used", f"{path}: expected SPEAKER_NUMBER_mic1 or _mic2"
            )
        elif microphone == chosen:
            corpus.add(utt, path, path.parent.name)
        elif microphone == MICROPHONES[0]:
            first[utt] = path
    for utt in sorted(first.keys() - corpus.tables["wav.scp"].keys()):
        corpus.add(utt, first[utt], first[utt].parent.name)
        corpus.notices.add(utt, f"not recorded by {chosen}: mic1", first[utt])


def read_genders(path: Path, corpus: Corpus) -> None:
    """Genders, if the list of speakers is there; its first line names the columns."""
    if path.is_file():
        for number, line in corpus.read_lines(path):
            speaker, *rest = line.split()
            if len(rest) > 1 and speaker != "ID":
                speaker = f"p{speaker}" if speaker.isdecimal() else speaker
                corpus.gender(speaker, rest[1], f"{path.name}:{number}")


if __name__ == "__main__":
    main()
