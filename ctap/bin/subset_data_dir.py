"""A data directory with a seeded choice of another one's utterances."""

from __future__ import annotations

import random
from pathlib import Path

from ctap.bin.entry import command
from ctap.errors import UserError
from ctap.files.atomic import keep_apart
from ctap.kaldi.datadir import DataDir


def subset_data_dir(data_dir: Path, out_dir: Path, utts: int, seed: int = 777) -> None:
    """Choose utterances of a data directory at random, equally many of each speaker as far as possible.

    Args:
        data_dir: Data or dump directory.
        out_dir: Data directory to write.
        utts: Most utterances to take.
        seed: Seed of the choice.
    """
    keep_apart(out_dir, data_dir)
    source = DataDir(data_dir)
    if not source.utterances():
        raise UserError(f"{data_dir}/utt2spk: no utterance in it")
    queues = []
    for speaker, own in sorted(source.spk2utt.items()):
        queue = sorted(own)
        random.Random(f"{seed} {speaker}").shuffle(queue)
        queues.append(queue)
    chosen: list[str] = []
    while len(chosen) < utts and any(queues):
        for queue in queues:
            if queue and len(chosen) < utts:
                chosen.append(queue.pop())
    source.subset(chosen, out_dir)
    print(f"{out_dir}: {len(chosen)} of {len(source.utterances())} utterances")


main = command(subset_data_dir)

if __name__ == "__main__":
    main()
