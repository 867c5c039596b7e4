#!/usr/bin/env python3
"""Data directories of one set of speakers in several languages to one: join_languages.py OUT LANGUAGE=DIR...

Utterances become SPEAKER-LANGUAGE-NAME, and utt2lang says which language each is in. Of tables that not every
part has, only pinyin is kept.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ctap.errors import UserError, cli
from ctap.files.skips import SkipList
from ctap.kaldi.prepare import Tables, read_tables, write_tables
from ctap.text.rules import short_name


def renamed(tables: Tables, language: str) -> Tables:
    """``tables`` with utterances that are named by their language, too."""
    names = {
        utt: f"{speaker}-{language}-{utt.removeprefix(speaker).lstrip('-')}"
        for utt, speaker in tables["utt2spk"].items()
    }
    keyed = (item for item in tables.items() if item[0] != "spk2utt")
    return {
        table: rows if table.startswith("spk2") else {names[utt]: row for utt, row in rows.items()}
        for table, rows in keyed
    }


@cli
def main() -> None:
    """Write the data directory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out_dir", type=Path)
    parser.add_argument("parts", nargs="+", help="LANGUAGE=DIR")
    options = parser.parse_args()
    joined: Tables = {"utt2lang": {}}
    lists = {"skipped.tsv": SkipList(), "notices.tsv": SkipList()}
    parts: dict[str, Tables] = {}
    for part in options.parts:
        language, _, folder = part.partition("=")
        if not folder:
            raise UserError(f"{part}: expected LANGUAGE=DIR")
        label = short_name(language)
        parts[label] = renamed(read_tables(folder), label)
        joined["utt2lang"] |= dict.fromkeys(parts[label]["utt2spk"], label)
        for name, entries in lists.items():
            entries.extend(Path(folder) / name)
    kept = set.intersection(*map(set, parts.values())) | {"pinyin"}
    for tables in parts.values():
        for table in tables.keys() & kept:
            joined.setdefault(table, {}).update(tables[table])
    write_tables(options.out_dir, joined)
    for name, entries in lists.items():
        entries.write(options.out_dir / name)


if __name__ == "__main__":
    main()
