#!/usr/bin/env python3
"""THCHS-30 as it is on disk to one data directory.

The corpus (OpenSLR 18; Wang, Zhang, "THCHS-30: A free Chinese speech corpus", arXiv:1512.01882): 13,388
utterances of 1,000 sentences from the news, 33 hours, 16 kHz mono, recorded at Tsinghua University.

    data/A2_0.wav, data/A2_0.wav.trn     speaker A2, utterance 0
    {train,dev,test}/A2_0.wav            links to data/
    {train,dev,test}/A2_0.wav.trn        ../data/A2_0.wav.trn, the path of the transcript

under the corpus's root or under data_thchs30/ in it. A transcript has three lines: words in hanzi, their
pinyin, their phones; the first two are taken. Utterances are called A2-0 here, so that tables sorted by
utterance are sorted by speaker, too. The corpus says nothing of the speakers' genders.
"""

from __future__ import annotations

from pathlib import Path

from ctap.errors import cli
from ctap.kaldi.corpus import Corpus, find_root, reader_parser

PARTS = ("train", "dev", "test")


@cli
def main(argv: list[str] | None = None) -> None:
    """Write the data directory."""
    options = reader_parser(__doc__).parse_args(argv)
    root = find_root(options.corpus, "data_thchs30", PARTS)
    corpus = Corpus()
    for part in PARTS:
        if not (root / part).is_dir():
            continue
        for name, path in corpus.recordings(root / part).items():
            utt = name.replace("_", "-")
            corpus.add(utt, path, name.partition("_")[0], part)
            add_text(utt, path, corpus)
    corpus.write(options.out_dir)


def add_text(utt: str, recording: Path, corpus: Corpus) -> None:
    """Hanzi and pinyin of an utterance: of the transcript beside its recording, or the one named there."""
    transcript = recording.with_name(f"{recording.name}.trn")
    if not transcript.is_file():
        return  # named later, as a recording without text
    lines = [line for _, line in corpus.read_lines(transcript, utt)]
    if len(lines) == 1 and lines[0].endswith(".trn"):
        transcript = transcript.parent / lines[0]
        if not transcript.is_file():
            corpus.skipped.add(utt, "transcript missing", transcript)
            return
        lines = [line for _, line in corpus.read_lines(transcript, utt)]
    text = "".join(lines[:1]).replace(" l =", "")  # in all readings of one sentence, and not said
    corpus.put("text", utt, "".join(text.split()), transcript)
    if len(lines) > 1:
        corpus.put("pinyin", utt, lines[1], transcript)


if __name__ == "__main__":
    main()
