#!/usr/bin/env python3
"""The embedded corpus in a language of eSpeak NG, as make_language_corpus.py leaves it, to a data directory.

content.tsv                     SSB70010001<TAB>train<TAB>text: the first seven characters are the speaker
wav/SSB7001/SSB70010001.wav
spk-info.txt                    SSB7001 female
"""

from __future__ import annotations

from ctap.errors import cli
from ctap.kaldi.corpus import Corpus, find_root, reader_parser

SPEAKER_LENGTH = 7


@cli
def main(argv: list[str] | None = None) -> None:
    """Write the data directory."""
    options = reader_parser(__doc__).parse_args(argv)
    root = find_root(options.corpus, "mini", ["content.tsv"])
    corpus, parts = Corpus(), {}
    for number, line in corpus.read_lines(root / "content.tsv"):
        utt, _, rest = line.partition("\t")
        parts[utt], _, text = rest.partition("\t")
        corpus.put("text", utt, text, f"content.tsv:{number}")
    for utt, path in corpus.recordings(root / "wav").items():
        corpus.add(utt, path, utt[:SPEAKER_LENGTH], parts.get(utt, ""))
    for number, line in corpus.read_lines(root / "spk-info.txt"):
        speaker, _, gender = line.partition(" ")
        corpus.gender(speaker, gender, f"spk-info.txt:{number}")
    corpus.write(options.out_dir)


if __name__ == "__main__":
    main()
