"""Compute the log-mel features of one job's share of a data directory (stage 2).

Job J of N writes feats.J.ark, feats.J.scp, failed.J.tsv and audio.J.json into --parts_dir, each whole or not
at all; ``ctap.bin.combine_features`` joins the parts. Recordings that can't be read are named and counted.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from ctap.audio.settings import AudioSettings
from ctap.audio.wave import AudioError
from ctap.errors import UserError, cli
from ctap.files.skips import SkipList
from ctap.files.tables import write_table
from ctap.kaldi.ark import MatrixWriter
from ctap.kaldi.datadir import DataDir
from ctap.threads import limit_threads

FAILURE = "recording failed"


@dataclass(frozen=True)
class PartOptions:
    """Which part of a data directory's features to write, and how; the command's options of these names."""

    data_dir: Path
    parts_dir: Path
    job: int = 1
    num_jobs: int = 1
    max_seconds: float = 60.0
    max_failures: float = 0.05
    compression: int | None = 5


def get_parser() -> argparse.ArgumentParser:
    """The command's options."""
    parser = argparse.ArgumentParser(
        prog="dump_features", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data_dir", type=Path, required=True, help="data directory with wav.scp")
    add("--parts_dir", type=Path, required=True, help="where the parts of all jobs go")
    add("--job", type=int, default=1, help="this job, from 1 (default: 1)")
    add("--num_jobs", type=int, default=1, help="jobs in all (default: 1)")
    add("--settings", type=Path, help="JSON or YAML of audio settings (default: ctap.audio.settings)")
    add("--max_seconds", type=float, default=60.0, help="refuse longer recordings (default: 60)")
    add("--max_failures", type=float, default=0.05, help="fail if more than this share fails (default: 0.05)")
    add(
        "--compression",
        type=compression,
        default=5,
        help="Kaldi compression method 2, 3 or 5, 0 for none (default: 5)",
    )
    return parser


def compression(word: str) -> int | None:
    """A compression method; ``0`` is none."""
    if word not in ("0", "1", "2", "3", "5"):
        raise argparse.ArgumentTypeError(f"expected 0, 1, 2, 3 or 5, not {word!r}")
    return int(word) or None


def my_share(utterances: list[str], job: int, num_jobs: int) -> list[str]:
    """The utterances of job ``job`` of ``num_jobs``: runs of neighbours of nearly equal size."""
    if not 1 <= job <= num_jobs:
        raise UserError(f"--job {job}: expected 1 to --num_jobs {num_jobs}")
    count = len(utterances)
    return utterances[count * (job - 1) // num_jobs : count * job // num_jobs]


def check_failures(failed: int, total: int, most: float, where: object) -> None:
    """Refuse to go on when more than the share ``most`` of ``total`` failed."""
    if failed > most * total:
        raise UserError(
            f"{failed} of {total} recordings failed, more than --max_failures {most:g} allows; "
            f"each is named in {where}"
        )


def write_part(
    options: PartOptions, settings: AudioSettings, extract: Callable[[np.ndarray], np.ndarray]
) -> None:
    """Write one job's part: the features of its share of the recordings, and what failed.

    Args:
        options: Which recordings, and where to.
        settings: Audio settings of the waves that ``extract`` gets, and of the frames it returns.
        extract: A wave ``[N]`` float32 to its features ``[T, D]``.

    Raises:
        UserError: More recordings failed than ``options`` allow; the part is there all the same.
    """
    from tqdm import tqdm

    from ctap.audio.wave import load_wave

    limit_threads()
    wav_scp = DataDir(options.data_dir).wav_scp
    mine = my_share(list(wav_scp), options.job, options.num_jobs)
    failed = SkipList()
    parts, job = options.parts_dir, options.job
    parts.mkdir(parents=True, exist_ok=True)
    with MatrixWriter(parts / f"feats.{job}.ark", parts / f"feats.{job}.scp", options.compression) as writer:
        for utt in tqdm(mine, desc=f"{options.data_dir.name} {job}/{options.num_jobs}", mininterval=2.0):
            try:
                wave = load_wave(wav_scp[utt], settings.sample_rate, max_seconds=options.max_seconds)
            except AudioError as error:
                failed.add(utt, FAILURE, error)
                print(f"{utt}: left out: {error}", flush=True)
                continue
            writer[utt] = extract(wave)
    failed.write(parts / f"failed.{job}.tsv")
    settings.save(parts / f"audio.{job}.json")
    write_table(parts / f"count.{job}", {"asked": len(mine), "failed": len(failed)})
    print(f"{len(mine) - len(failed)} of {len(mine)} utterances written, {len(failed)} failed")
    check_failures(len(failed), len(mine), options.max_failures, parts / f"failed.{job}.tsv")


@cli
def main(argv: list[str] | None = None) -> None:
    """Write one job's features."""
    import torch

    from ctap.audio.logmel import log_mel

    options = get_parser().parse_args(argv)
    settings = AudioSettings.load(options.settings) if options.settings else AudioSettings()
    part = PartOptions(**{field.name: getattr(options, field.name) for field in fields(PartOptions)})
    write_part(part, settings, lambda wave: log_mel(torch.from_numpy(wave), settings).numpy())


if __name__ == "__main__":
    main()
