#!/usr/bin/env python3
"""AISHELL-3 as it is on disk to one data directory.

The corpus (OpenSLR 93; Shi, Bu, Xu, Zhang, Li, "AISHELL-3: A multi-speaker Mandarin TTS corpus and the
baselines", Interspeech 2021): 88,035 utterances of 218 speakers, 85.6 hours, 44.1 kHz mono.

    {train,test}/wav/SSB0005/SSB00050001.wav   the first 7 characters are the speaker
    {train,test}/content.txt                   SSB00050001.wav<TAB>character pinyin character pinyin ...
    train/label_train-set.txt                  SSB00050001|pinyin with % and $|characters with % and $
    spk-info.txt                               speaker<TAB>age group<TAB>gender<TAB>accent; # starts a comment

under the corpus's root or under data_aishell3/ in it. Copies differ: recordings may be .WAV or .flac, and lie
deeper or in no speaker's directory; lines without a recording and recordings without a line are named and
counted, and the rest goes on. Written are wav.scp, text, pinyin, utt2spk,
spk2gender, utt2part (train or test, the corpus's own parts), prosody, skipped.tsv and notices.tsv; checking
recordings and syllables is the work of ctap.bin.prepare_text.
"""

from __future__ import annotations

from pathlib import Path

from ctap.errors import cli
from ctap.kaldi.corpus import GENDERS, Corpus, find_root, reader_parser, without_ending
from ctap.text.normalize import is_hanzi
from ctap.text.pinyin import count_fits, is_erhua

PARTS = ("train", "test")
SPEAKER_LENGTH = 7


@cli
def main(argv: list[str] | None = None) -> None:
    """Write the data directory; what was left out is reported when its recordings are checked."""
    options = reader_parser(__doc__).parse_args(argv)
    root = find_root(options.corpus, "data_aishell3", [f"{part}/content.txt" for part in PARTS])
    corpus = Corpus()
    genders = read_speakers(root / "spk-info.txt", corpus)
    for part in PARTS:
        if (root / part).is_dir():
            add_part(root / part, corpus, genders)
    labels = root / "train" / "label_train-set.txt"
    prosody = read_prosody(labels, corpus) if labels.is_file() else {}
    corpus.tables["prosody"] = {utt: prosody[utt] for utt in corpus.tables["wav.scp"] if utt in prosody}
    corpus.tables["spk2gender"] = {spk: genders[spk] for spk in corpus.tables["utt2spk"].values()}
    corpus.write(options.out_dir)


def read_speakers(path: Path, corpus: Corpus) -> dict[str, str]:
    """Speaker to ``m`` or ``f``. (The genders counted here and in the corpus's ReadMe.txt differ by one.)"""
    genders: dict[str, str] = {}
    for number, line in corpus.read_lines(path):
        if line.startswith("#"):
            continue
        fields = line.split()
        if len(fields) < 3 or fields[2].lower() not in GENDERS:
            corpus.skipped.add(fields[0], "line of spk-info.txt without gender", f"{path}:{number}: {line}")
            continue
        genders[fields[0]] = GENDERS[fields[2].lower()]
    return genders


def add_part(folder: Path, corpus: Corpus, genders: dict[str, str]) -> None:
    """Add the utterances of ``train`` or ``test``."""
    recordings = corpus.recordings(folder / "wav")
    tables, skipped = corpus.tables, corpus.skipped
    lines: dict[str, int] = {}
    content = folder / "content.txt"
    for number, line in corpus.read_lines(content):
        name, *tokens = line.split()
        utt = without_ending(name)
        where = f"{content}:{number}"
        if utt in lines:
            skipped.add(utt, "duplicate utterance", f"{where}: line {lines[utt]} is kept")
            continue
        lines[utt] = number
        if utt in tables["wav.scp"]:
            kept = tables["utt2part"][utt]
            skipped.add(utt, "duplicate utterance", f"{where}: the one in {kept} is kept")
            continue
        speaker = utt[:SPEAKER_LENGTH]
        path = recordings.get(utt)
        if path is None:
            skipped.add(utt, "text without recording", where)
        elif (parents := path.relative_to(folder / "wav").parts[:-1]) and speaker not in parents:
            skipped.add(utt, "recording in another speaker's folder", path)
        elif speaker not in genders:
            skipped.add(utt, "speaker not in spk-info.txt", f"{speaker}: {where}")
        elif not tokens:
            skipped.add(utt, "line without text", where)
        elif (reading := split_tokens(tokens)) is None:
            skipped.add(utt, "wrong number of pinyin", f"{where}: {' '.join(tokens)}")
        else:
            corpus.add(utt, path, speaker, folder.name)
            corpus.put("text", utt, reading[0], where)
            corpus.put("pinyin", utt, reading[1], where)
    for utt in recordings.keys() - lines.keys():
        skipped.add(utt, "recording without text", recordings[utt])


def split_tokens(tokens: list[str]) -> tuple[str, str] | None:
    """Hanzi (run together) and pinyin of a content line's tokens; ``None`` if they don't go together.

    They alternate, usually one by one. An erhua syllable may stand for a character and its 儿, be that one
    token (点儿 dianr3) or two (点 dianr3 儿). Whether a syllable is one is not asked here.
    """
    hanzi: list[str] = []
    pinyin: list[list[str]] = []
    for token, following in zip(tokens, [*tokens[1:], "儿"], strict=True):
        if not all(map(is_hanzi, token)):
            if not hanzi:
                return None
            pinyin[-1].append(token)
        elif hanzi and (
            not pinyin[-1] or (token == "儿" and is_erhua(pinyin[-1][-1]) and all(map(is_hanzi, following)))
        ):
            hanzi[-1] += token
        else:
            hanzi.append(token)
            pinyin.append([])
    if not all(map(count_fits, hanzi, pinyin)):
        return None
    return "".join(hanzi), " ".join(word for group in pinyin for word in group)


def read_prosody(path: Path, corpus: Corpus) -> dict[str, str]:
    """Utterance to its pinyin with prosody marks; lines of another form are noted."""
    prosody: dict[str, str] = {}
    for number, line in corpus.read_lines(path):
        if line.startswith("#"):
            continue
        fields = [field.strip() for field in line.split("|")]
        if len(fields) != 3 or not all(fields):
            if "|" in line:  # what comes before the labels is prose
                what = f"{path}:{number}: expected utt|pinyin|hanzi"
                corpus.notices.add(fields[0], "prosody label ignored", what)
            continue
        prosody.setdefault(without_ending(fields[0]), fields[1])
    return prosody


if __name__ == "__main__":
    main()
