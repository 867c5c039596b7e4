"""Train an aligner on a data directory, from a flat start: no dictionary, no pretrained model."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from ctap.align.corpus import AlignCorpus
from ctap.align.registry import aligner_kind, aligner_kinds, save_aligner
from ctap.audio.settings import AudioSettings
from ctap.errors import UserError, cli
from ctap.text.rules import TextRules
from ctap.threads import limit_threads


def get_parser() -> argparse.ArgumentParser:
    """Options of the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--data_dir", type=Path, required=True, help="with wav.scp, utt2spk and phones")
    parser.add_argument("--out", type=Path, required=True, help="model folder to write")
    parser.add_argument("--aligner", default="gmm", help=f"which one: {', '.join(aligner_kinds())}")
    parser.add_argument("--settings", type=Path, help="audio settings (JSON, YAML); default: 24 kHz, 10 ms")
    parser.add_argument("--train_hours", type=float, default=0.75, help="read no more audio than this")
    parser.add_argument("--max_seconds", type=float, default=60.0, help="leave longer utterances out")
    parser.add_argument("--threads", type=int, default=min(8, len(os.sched_getaffinity(0))), help="to use")
    parser.add_argument("--seed", type=int, default=0, help="of the choice of utterances")
    return parser


@cli
def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    args = get_parser().parse_args(argv)
    if args.train_hours <= 0:
        raise UserError(f"--train_hours must be above 0, not {args.train_hours:g}")
    limit_threads()  # --threads are the aligner's own
    started = time.perf_counter()
    settings = AudioSettings.load(args.settings) if args.settings else AudioSettings()
    kind = aligner_kind(args.aligner)
    corpus = AlignCorpus(args.data_dir, settings, args.max_seconds)
    aligner = kind.train(corpus, hours=args.train_hours, seed=args.seed, threads=max(1, args.threads))
    save_aligner(args.aligner, aligner, settings, args.out, TextRules.load(args.data_dir))
    for utterance, reason in sorted(corpus.left_out.items()):
        print(f"left out of training: {utterance}: {reason}", file=sys.stderr)
    print(f"{args.out}: aligner {args.aligner!r} trained in {time.perf_counter() - started:.1f} s, "
          f"{len(corpus.left_out)} utterances left out")  # fmt: skip


if __name__ == "__main__":
    main()
