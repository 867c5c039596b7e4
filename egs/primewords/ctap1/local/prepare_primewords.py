#!/usr/bin/env python3
"""Primewords Chinese Corpus Set 1 as it is on disk to one data directory.

The corpus (OpenSLR 47, Shanghai Primewords Information Technology, 2018): some 50,000 utterances of 296
native speakers, 100 hours, recorded by smart phones, 16 kHz mono.

    audio_files/0/00/0000a0fa-....wav   recordings, two levels down
    set1_transcript.json                a list of {"file": "0000a0fa-....wav", "user_id": "12", "text": ...}

under the corpus's root or under primewords_md_2018_set1/ in it. Speakers are called P0012 here, utterances
P0012-0000a0fa-..., so that tables sorted by utterance are sorted by speaker, too. The corpus is not divided
and says nothing of the speakers' genders.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ctap.errors import UserError, cli
from ctap.kaldi.corpus import Corpus, find_root, reader_parser

TRANSCRIPT = "set1_transcript.json"


@cli
def main(argv: list[str] | None = None) -> None:
    """Write the data directory."""
    options = reader_parser(__doc__).parse_args(argv)
    root = find_root(options.corpus, "primewords_md_2018_set1", [TRANSCRIPT])
    corpus = Corpus()
    recordings = corpus.recordings(root / "audio_files")
    for number, entry in enumerate(read_entries(root / TRANSCRIPT), 1):
        where = f"{TRANSCRIPT}, entry {number}"
        if not isinstance(entry, dict) or not all(entry.get(key) for key in ("file", "user_id", "text")):
            corpus.skipped.add(name_of(entry) or where, "entry without file, user_id or text", where)
            continue
        name = name_of(entry)
        speaker = f"P{entry['user_id']:0>4}"
        utt = f"{speaker}-{name}"
        corpus.put("text", utt, str(entry["text"]), where)
        if name in recordings:
            corpus.add(utt, recordings.pop(name), speaker)
    for name, path in recordings.items():
        corpus.skipped.add(name, "recording without text", path)
    corpus.write(options.out_dir)


def read_entries(path: Path) -> list[Any]:
    """The list of transcripts.

    Raises:
        UserError: the file is not such a list.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: can't be read as JSON: {error}") from None
    if not isinstance(entries, list):
        raise UserError(f"{path}: expected a list of transcripts, found {type(entries).__name__}")
    return entries


def name_of(entry: Any) -> str:
    """Name of the recording of an entry, without ``.wav``; "" if there is none."""
    return Path(str(entry.get("file") or "")).stem if isinstance(entry, dict) else ""


if __name__ == "__main__":
    main()
