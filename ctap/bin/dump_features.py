"""Compute the log-mel features of one job's share of a data directory (stage 2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from ctap.audio.settings import AudioSettings
from ctap.audio.wave import AudioError
from ctap.bin.entry import command
from ctap.errors import UserError
from ctap.files.skips import SkipList
from ctap.files.tables import write_table
from ctap.jobs import ALONE, Share
from ctap.kaldi.ark import MatrixWriter
from ctap.threads import limit_threads

FAILURE = "recording failed"


@dataclass(frozen=True)
class Dump:
    """The part of a data directory that becomes features.

    Args:
        data_dir: Data directory with wav.scp.
        parts_dir: Where the parts of all jobs go.
        max_seconds: Refuse longer recordings.
        max_failures: Fail if more than this share fails.
        settings: JSON or YAML of audio settings; without, the paper's.
        shard_hours: An ark holds so much speech at most, as feats.J.1.ark, feats.J.2.ark, ...; without, a job
            writes one ark.
    """

    data_dir: Path
    parts_dir: Path
    max_seconds: float = 60.0
    max_failures: float = 0.05
    settings: Path | None = None
    shard_hours: float | None = None

    def __post_init__(self) -> None:
        if self.shard_hours is not None and not self.shard_hours > 0:
            raise UserError(f"--shard_hours {self.shard_hours:g}: expected more than 0")

    def shard_frames(self, audio: AudioSettings) -> int | None:
        """What an ark holds at most, in frames."""
        return self.shard_hours and max(1, int(self.shard_hours * 3600 / audio.frame_shift))


def check_failures(failed: int, total: int, most: float, where: object) -> None:
    """Refuse to go on when more than the share ``most`` of ``total`` failed."""
    if failed > most * total:
        raise UserError(
            f"{failed} of {total} recordings failed, more than --max_failures {most:g} allows; "
            f"each is named in {where}"
        )


def write_part(
    dump: Dump,
    share: Share,
    compression: int,
    audio: AudioSettings,
    extract: Callable[[np.ndarray], np.ndarray],
) -> None:
    """Write one job's part: the features of its share of the recordings, and what failed.

    Args:
        dump: Which recordings, and where to.
        share: This job's share of the recordings.
        compression: Kaldi compression method, 0 for none.
        audio: Settings of the waves that ``extract`` gets, and of the frames it returns.
        extract: A wave ``[N]`` float32 to its features ``[T, D]``.

    Raises:
        UserError: More recordings failed than ``dump`` allows; the part is there all the same.
    """
    from tqdm import tqdm

    from ctap.audio.wave import load_wave

    limit_threads()
    mine = share.of_lines(dump.data_dir / "wav.scp")
    failed = SkipList()
    parts, job = dump.parts_dir, share.job
    parts.mkdir(parents=True, exist_ok=True)
    title = f"{dump.data_dir.name} {job}/{share.num_jobs}"
    with MatrixWriter(
        parts / f"feats.{job}.ark",
        parts / f"feats.{job}.scp",
        compression or None,
        shard_frames=dump.shard_frames(audio),
    ) as writer:
        for utt, path in tqdm(mine.items(), desc=title, mininterval=2.0):
            try:
                wave = load_wave(path, audio.sample_rate, max_seconds=dump.max_seconds)
            except AudioError as error:
                failed.add(utt, FAILURE, error)
                print(f"{utt}: left out: {error}", flush=True)
                continue
            writer[utt] = extract(wave)
    failed.write(parts / f"failed.{job}.tsv")
    audio.save(parts / f"audio.{job}.json")
    write_table(parts / f"count.{job}", {"asked": len(mine), "failed": len(failed)})
    print(f"{len(mine) - len(failed)} of {len(mine)} utterances written, {len(failed)} failed")
    check_failures(len(failed), len(mine), dump.max_failures, parts / f"failed.{job}.tsv")


def dump_features(dump: Dump, share: Share = ALONE, compression: Literal[0, 1, 2, 3, 5] = 5) -> None:
    """Compute the log-mel features of one job's share of a data directory.

    Job J of N writes feats.J.ark (or its shards), feats.J.scp, failed.J.tsv and audio.J.json into
    --parts_dir, each whole or not at all; combine_features joins the parts. Recordings that can't be read are
    named and counted.

    Args:
        dump: Which recordings, and where to.
        share: This job's share of the recordings.
        compression: Kaldi compression method, 0 for none.
    """
    import torch

    from ctap.audio.logmel import log_mel

    audio = AudioSettings.load(dump.settings)
    write_part(dump, share, compression, audio, lambda wave: log_mel(torch.from_numpy(wave), audio).numpy())


main = command(dump_features)

if __name__ == "__main__":
    main()
