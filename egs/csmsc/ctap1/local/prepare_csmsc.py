#!/usr/bin/env python3
"""CSMSC (the Chinese Standard Mandarin Speech Corpus, BZNSYP) as it is on disk to one data directory.

The corpus (Data-Baker, https://www.data-baker.com/data/index/TNtts, for non-commercial use): 10,000
utterances of one speaker, a woman, 12 hours, 48 kHz mono.

    Wave/000001.wav
    ProsodyLabeling/000001-010000.txt    000001<TAB>hanzi with prosody marks #1 to #4
                                         <TAB>pinyin with tone digits, in a line of its own
    PhoneLabeling/000001.interval        times of phones (see prepare_intervals.py)

under the corpus's root or under BZNSYP/ in it. Hanzi and pinyin are written; Latin letters among hanzi have
pinyin of their own kind, and such utterances are left out, and named, by what reads the text.
"""

from __future__ import annotations

from ctap.errors import cli
from ctap.kaldi.corpus import Corpus, find_root, reader_parser

LABELS = "ProsodyLabeling/000001-010000.txt"
SPEAKER = "BZN"


@cli
def main(argv: list[str] | None = None) -> None:
    """Write the data directory."""
    options = reader_parser(__doc__).parse_args(argv)
    root = find_root(options.corpus, "BZNSYP", [LABELS])
    corpus = Corpus()
    for name, path in corpus.recordings(root / "Wave").items():
        corpus.add(f"{SPEAKER}-{name}", path, SPEAKER)
    utt, complete = "", True
    for number, line in corpus.read_lines(root / LABELS):
        where = f"{LABELS}:{number}"
        first, _, rest = line.partition("\t")
        if first.isdecimal():
            if not complete:
                corpus.skipped.add(utt, "no line of pinyin", where)
            utt, complete = f"{SPEAKER}-{first}", False
            corpus.put("text", utt, rest, where)
        elif complete:
            corpus.skipped.add(utt or first, "pinyin of no utterance", where)
        else:
            corpus.put("pinyin", utt, line, where)
            complete = True
    corpus.gender(SPEAKER, "female", "the corpus's page")
    corpus.write(options.out_dir)


if __name__ == "__main__":
    main()
