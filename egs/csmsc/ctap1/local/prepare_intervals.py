#!/usr/bin/env python3
"""CSMSC's own times of phones, as `--durations` of the recipe takes them: a directory for each data set.

PhoneLabeling/000001.interval of the corpus is a TextGrid in Praat's short form with one tier, whose labels
are initials, finals with tone, and pauses (sil, sp1). For every utterance of a set a link to it is made,
OUT_DIR/SET/UTTERANCE.TextGrid. Labels that stage 1 does not know are named there; `--label_table` says how
they are to be read.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ctap.errors import UserError, cli
from ctap.files.atomic import atomic_dir
from ctap.files.tables import read_table
from ctap.kaldi.corpus import find_root

FOLDER = "PhoneLabeling"


@cli
def main(argv: list[str] | None = None) -> None:
    """Make the links."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, required=True, help="root of the corpus")
    parser.add_argument("--datadir", type=Path, required=True, help="where stage 0 put the sets")
    parser.add_argument("--out_dir", type=Path, required=True, help="made anew")
    options = parser.parse_args(argv)
    folder = find_root(options.corpus, "BZNSYP", [FOLDER]) / FOLDER
    sets = sorted(path.parent for path in options.datadir.glob("*/phones"))
    if not sets:
        raise UserError(f"{options.datadir}: holds no set with phones; run stage 0 first")
    with atomic_dir(options.out_dir) as out:
        for data in sets:
            (out / data.name).mkdir()
            wanted = {
                utt: folder / f"{utt.partition('-')[2]}.interval" for utt in read_table(data / "phones")
            }
            found = {utt: path for utt, path in wanted.items() if path.is_file()}
            for utt, path in found.items():
                (out / data.name / f"{utt}.TextGrid").symlink_to(path)
            print(f"{options.out_dir / data.name}: {len(found)} of {len(wanted)} utterances have phone times")


if __name__ == "__main__":
    main()
