"""Several data or dump directories as one."""

from __future__ import annotations

from pathlib import Path

from ctap.bin.entry import command
from ctap.errors import UserError
from ctap.files.atomic import atomic_dir, keep_apart
from ctap.files.tables import write_table
from ctap.kaldi.datadir import DataDir
from ctap.kaldi.tables import TEXT_TABLES, speakers_to_utterances, table_names
from ctap.text.rules import common_rules


def merge_data_dirs(inputs: list[Path], out_dir: Path, own_speakers: bool = False) -> None:
    """Join data or dump directories.

    A table is joined if all of them have it. Their texts must have been read in the same way.

    Args:
        inputs: Data or dump directories, without an utterance in common.
        out_dir: Directory to write.
        own_speakers: Refuse a speaker that two of them have: two corpora may name two people alike.
    """
    keep_apart(out_dir, *inputs)
    sources = [DataDir(path) for path in inputs]
    seen: dict[str, Path] = {}
    whose: dict[str, Path] = {}
    for source in sources:
        for utt, speaker in source.utt2spk.items():
            if utt in seen:
                raise UserError(f"{source.path}: {utt} is in {seen[utt]}, too; each utterance may come once")
            seen[utt] = source.path
            if whose.setdefault(speaker, source.path) != source.path and own_speakers:
                raise UserError(
                    f"{source.path}/utt2spk: speaker {speaker} is in {whose[speaker]}, too; give it another "
                    "name in one of them"
                )
    names = [[*by_utt, *by_spk] for by_utt, by_spk in (table_names(s.path) for s in sources)]
    common = [name for name in names[0] if all(name in own for own in names) and name != "spk2utt"]
    with atomic_dir(out_dir) as folder:
        for name in common:
            rows: dict[str, str] = {}
            for source in sources:
                rows |= source.table(name)
            write_table(folder / name, rows)
        speakers = {utt: spk for source in sources for utt, spk in source.utt2spk.items()}
        write_table(folder / "spk2utt", speakers_to_utterances(speakers))
        if not set(common).isdisjoint(TEXT_TABLES):
            common_rules(inputs).save(folder)
    print(f"{out_dir}: {len(seen)} utterances of {', '.join(map(str, inputs))}")


main = command(merge_data_dirs)

if __name__ == "__main__":
    main()
