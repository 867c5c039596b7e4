"""Align a data directory with a trained aligner, in several jobs whose results are then joined."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

from ctap.align.jobs import align_part
from ctap.align.jobs import combine as join
from ctap.bin.entry import command
from ctap.errors import UserError
from ctap.jobs import ALONE, Share
from ctap.threads import limit_threads


def align(
    data_dir: Path,
    out_dir: Path,
    model: Path | None = None,
    share: Share = ALONE,
    max_seconds: float = 60.0,
    combine: bool = False,
    drop_outliers: bool | Literal["doubtful", "all"] = False,
    textgrid_dir: Path | None = None,
) -> None:
    """Align a data directory with a trained aligner; --combine joins what several jobs wrote.

    The jobs write ``align.JOBofJOBS.jsonl`` into --out_dir. --combine then writes into the data directory:
    ``aligned_phones``, ``durations``, ``align_score`` (confidence of an utterance; 0 is best),
    ``align_confidence`` (of each of its aligned phones, in their order), ``align_failed`` (utterances without
    an alignment, and the reason) and ``align_outliers`` (utterances and phones to look at).

    Args:
        data_dir: Data directory with wav.scp, utt2spk and phones.
        out_dir: For what the jobs write.
        model: Folder that train_aligner wrote (not for --combine).
        share: This job's share of the recordings.
        max_seconds: Leave longer recordings out.
        combine: Join the jobs' results into the data directory.
        drop_outliers: With --combine: utterances whose text does not seem to match their audio go to
            align_failed; with "all", those with a single odd phone, too.
        textgrid_dir: With --combine: write TextGrids for Praat here too.
    """
    if combine:
        dropped = "doubtful" if drop_outliers is True else drop_outliers or None
        lines = join(data_dir, out_dir, share.num_jobs, drop_outliers=dropped, textgrid_dir=textgrid_dir)
        print("\n".join(lines))
        return
    if model is None:
        raise UserError("--model is missing: the folder that train_aligner wrote")
    limit_threads()
    started = time.perf_counter()
    done, failed, seconds = align_part(data_dir, model, out_dir, share, max_seconds=max_seconds)
    spent = time.perf_counter() - started
    print(
        f"job {share.job}/{share.num_jobs}: {done} utterances ({seconds / 60:.1f} minutes) aligned in "
        f"{spent:.1f} s, {seconds / max(spent, 1e-9):.0f} x real time; {failed} without an alignment"
    )


main = command(align)

if __name__ == "__main__":
    main()
