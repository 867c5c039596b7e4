"""Align a data directory with a trained aligner: one job of several, or, with --combine, what they wrote.

The jobs write ``align.JOB.jsonl`` into --out_dir. --combine then writes into the data directory:
``aligned_phones``, ``durations``, ``align_score`` (confidence of an utterance; 0 is best),
``align_confidence`` (of each of its aligned phones, in their order), ``align_failed`` (utterances without an
alignment, and the reason) and ``align_outliers`` (utterances and phones to look at).
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from ctap.align.jobs import align_part, combine
from ctap.errors import UserError, cli
from ctap.threads import limit_threads


def get_parser() -> argparse.ArgumentParser:
    """Options of the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data_dir", type=Path, required=True, help="with wav.scp, utt2spk and phones")
    parser.add_argument("--model", type=Path, help="folder that train_aligner wrote (not for --combine)")
    parser.add_argument("--out_dir", type=Path, required=True, help="for what the jobs write")
    parser.add_argument("--job", type=int, default=1, help="which job this is, from 1 (default 1)")
    parser.add_argument("--num_jobs", type=int, default=1, help="how many there are (default 1)")
    parser.add_argument(
        "--combine", action="store_true", help="join the jobs' results into the data directory"
    )
    parser.add_argument("--max_seconds", type=float, default=60.0, help="leave longer ones out (default 60)")
    parser.add_argument(
        "--drop_outliers",
        nargs="?",
        const="doubtful",
        choices=("doubtful", "all"),
        help="with --combine: utterances whose text does not seem to match their audio go to align_failed; "
        "with 'all', those with a single odd phone, too",
    )
    parser.add_argument(
        "--textgrid_dir", type=Path, help="with --combine: write TextGrids for Praat here too"
    )
    return parser


@cli
def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    args = get_parser().parse_args(argv)
    if args.combine:
        report = combine(args.data_dir, args.out_dir, args.num_jobs, drop_outliers=args.drop_outliers,
                         textgrid_dir=args.textgrid_dir)  # fmt: skip
        print("\n".join(report))
        return
    if args.model is None:
        raise UserError("--model is missing: the folder that train_aligner wrote")
    limit_threads()
    started = time.perf_counter()
    done, failed, seconds = align_part(
        args.data_dir, args.model, args.out_dir, args.job, args.num_jobs, max_seconds=args.max_seconds
    )
    spent = time.perf_counter() - started
    print(
        f"job {args.job}/{args.num_jobs}: {done} utterances ({seconds / 60:.1f} minutes) aligned in "
        f"{spent:.1f} s, {seconds / max(spent, 1e-9):.0f} x real time; {failed} without an alignment"
    )


if __name__ == "__main__":
    main()
