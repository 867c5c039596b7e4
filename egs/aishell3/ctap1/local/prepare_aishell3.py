#!/usr/bin/env python3
"""AISHELL-3 as it is on disk to one data directory.

The corpus (OpenSLR 93; Shi, Bu, Xu, Zhang, Li, "AISHELL-3: A multi-speaker Mandarin TTS corpus and the
baselines", Interspeech 2021): 88,035 utterances of 218 speakers, 85.6 hours, 44.1 kHz mono.

    {train,test}/wav/SSB0005/SSB00050001.wav   the first 7 characters are the speaker
    {train,test}/content.txt                   SSB00050001.wav<TAB>character pinyin character pinyin ...
    train/label_train-set.txt                  SSB00050001|pinyin with % and $|characters with % and $
    spk-info.txt                               speaker<TAB>age group<TAB>gender<TAB>accent; # starts a comment

under the corpus's root or under data_aishell3/ in it. Copies differ: lines without a recording and recordings
without a line are named and counted, and the rest goes on. Written are wav.scp, text, pinyin, utt2spk,
spk2gender, utt2part (train or test, the corpus's own parts), prosody, skipped.tsv and notices.tsv; checking
recordings and syllables is the work of ctap.bin.prepare_text.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from ctap.errors import UserError, cli
from ctap.files.atomic import atomic_dir
from ctap.files.skips import SkipList
from ctap.files.tables import BOM, write_table
from ctap.kaldi.prepare import Tables
from ctap.text.normalize import is_hanzi
from ctap.text.pinyin import count_fits, is_erhua

PARTS = ("train", "test")
SPEAKER_LENGTH = 7
GENDERS = {"female": "f", "male": "m"}


@cli
def main(argv: list[str] | None = None) -> None:
    """Write the data directory; what was left out is reported when its recordings are checked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, required=True, help="AISHELL-3, or the directory it lies in")
    parser.add_argument("--out_dir", type=Path, required=True, help="data directory to write")
    options = parser.parse_args(argv)
    root = find_root(options.corpus)
    skipped, notices = SkipList(), SkipList()
    genders = read_speakers(root / "spk-info.txt", skipped, notices)
    tables: Tables = {name: {} for name in ("wav.scp", "text", "pinyin", "utt2spk", "spk2gender", "utt2part")}
    for part in PARTS:
        if (root / part).is_dir():
            add_part(root / part, tables, genders, skipped, notices)
    labels = root / "train" / "label_train-set.txt"
    prosody = read_prosody(labels, skipped, notices) if labels.is_file() else {}
    tables["prosody"] = {utt: prosody[utt] for utt in tables["wav.scp"] if utt in prosody}
    if not tables["wav.scp"]:
        skipped.report("left out", "no file, since nothing is left")
        raise UserError(f"{root}: no utterance has both a recording and a line in content.txt")
    tables["spk2gender"] = {spk: genders[spk] for spk in tables["utt2spk"].values()}
    with atomic_dir(options.out_dir) as directory:
        for name, rows in tables.items():
            if rows:
                write_table(directory / name, rows)
        skipped.write(directory / "skipped.tsv")
        notices.write(directory / "notices.tsv")
    print(f"{root}: {len(tables['wav.scp'])} utterances with a recording and a text")
    skipped.report("left out", options.out_dir / "skipped.tsv")
    notices.report("kept, with a remark", options.out_dir / "notices.tsv")


def find_root(corpus: Path) -> Path:
    """The directory that holds train/ and test/.

    Raises:
        UserError: neither ``corpus`` nor ``corpus/data_aishell3`` is such a directory.
    """
    for root in (corpus, corpus / "data_aishell3"):
        if any((root / part / "content.txt").is_file() for part in PARTS):
            return root.absolute()
    there = sorted(p.name for p in corpus.iterdir())[:8] if corpus.is_dir() else "no such directory"
    raise UserError(
        f"{corpus}: expected train/content.txt or test/content.txt here or under data_aishell3/, found "
        f"{there}; give the directory that data_aishell3.tgz was unpacked in"
    )


def read_lines(path: Path, skipped: SkipList, notices: SkipList) -> Iterator[tuple[int, str]]:
    """Number and text of each line that isn't empty; BOM and CR are dropped and noted, bad UTF-8 skipped."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    name = "/".join(path.parts[-2:])
    if data.startswith(BOM):
        notices.add(name, "byte-order mark (BOM) dropped", path)
        data = data[len(BOM) :]
    if b"\r" in data:
        count = data.count(b"\r")
        notices.add(name, "CR line ends read as LF", f"{count} in {path}")
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    for number, raw in enumerate(data.split(b"\n"), 1):
        try:
            line = raw.decode("utf-8").strip()
        except UnicodeDecodeError:
            key = raw.split()[0].decode("ascii", "replace").removesuffix(".wav")
            skipped.add(key, "line is not UTF-8", f"{path}:{number}")
            continue
        if line:
            yield number, line


def read_speakers(path: Path, skipped: SkipList, notices: SkipList) -> dict[str, str]:
    """Speaker to ``m`` or ``f``. (The genders counted here and in the corpus's ReadMe.txt differ by one.)"""
    genders: dict[str, str] = {}
    for number, line in read_lines(path, skipped, notices):
        if line.startswith("#"):
            continue
        fields = line.split()
        if len(fields) < 3 or fields[2].lower() not in GENDERS:
            skipped.add(fields[0], "line of spk-info.txt without gender", f"{path}:{number}: {line}")
            continue
        genders[fields[0]] = GENDERS[fields[2].lower()]
    return genders


def add_part(
    folder: Path, tables: Tables, genders: dict[str, str], skipped: SkipList, notices: SkipList
) -> None:
    """Add the utterances of ``train`` or ``test`` to ``tables``."""
    recordings = find_recordings(folder / "wav")
    lines: dict[str, int] = {}
    content = folder / "content.txt"
    for number, line in read_lines(content, skipped, notices):
        name, *tokens = line.split()
        utt = name.removesuffix(".wav")
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
        elif path.parent.name != speaker:
            skipped.add(utt, "recording in another speaker's folder", path)
        elif speaker not in genders:
            skipped.add(utt, "speaker not in spk-info.txt", f"{speaker}: {where}")
        elif not tokens:
            skipped.add(utt, "line without text", where)
        elif (reading := split_tokens(tokens)) is None:
            skipped.add(utt, "wrong number of pinyin", f"{where}: {' '.join(tokens)}")
        else:
            tables["wav.scp"][utt] = str(path)
            tables["text"][utt], tables["pinyin"][utt] = reading
            tables["utt2spk"][utt] = speaker
            tables["utt2part"][utt] = folder.name
    for utt in recordings.keys() - lines.keys():
        skipped.add(utt, "recording without text", recordings[utt])


def find_recordings(folder: Path) -> dict[str, Path]:
    """Utterance to its wav file, from two levels of directories."""
    if not folder.is_dir():
        raise UserError(f"{folder}: no such directory; expected wav/SSB0005/SSB00050001.wav and so on")
    found: dict[str, Path] = {}
    for speaker in sorted(entry.path for entry in os.scandir(folder) if entry.is_dir()):
        for entry in os.scandir(speaker):
            if entry.name.endswith(".wav") and not entry.name.startswith("."):
                found.setdefault(entry.name.removesuffix(".wav"), Path(entry.path))
    return found


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


def read_prosody(path: Path, skipped: SkipList, notices: SkipList) -> dict[str, str]:
    """Utterance to its pinyin with prosody marks; lines of another form are noted."""
    prosody: dict[str, str] = {}
    for number, line in read_lines(path, skipped, notices):
        if line.startswith("#"):
            continue
        fields = [field.strip() for field in line.split("|")]
        if len(fields) != 3 or not all(fields):
            if "|" in line:  # what comes before the labels is prose
                notices.add(fields[0], "prosody label ignored", f"{path}:{number}: expected utt|pinyin|hanzi")
            continue
        prosody.setdefault(fields[0].removesuffix(".wav"), fields[1])
    return prosody


if __name__ == "__main__":
    main()
