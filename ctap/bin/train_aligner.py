"""Train an aligner on a data directory: from a flat start, without dictionary or model, or from another."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from ctap.align.corpus import AlignCorpus
from ctap.align.registry import aligner_kind, load_aligner, save_aligner
from ctap.audio.settings import AudioSettings
from ctap.bin.entry import command
from ctap.errors import UserError
from ctap.text.rules import TextRules
from ctap.threads import limit_threads


def train_aligner(
    data_dir: Path,
    out: Path,
    aligner: str = "gmm",
    settings: Path | None = None,
    train_hours: float = 0.75,
    max_seconds: float = 60.0,
    threads: int = min(8, len(os.sched_getaffinity(0))),
    seed: int = 0,
    init: Path | None = None,
) -> None:
    """Train an aligner on a data directory: from a flat start, without dictionary or model, or from another.

    Args:
        data_dir: Data directory with wav.scp, utt2spk and phones.
        out: Model folder to write.
        aligner: Kind of aligner; the only one is gmm, hidden Markov models with Gaussian mixtures.
        settings: Audio settings (JSON, YAML); without, 24 kHz and 10 ms.
        train_hours: Read about this much audio, at most.
        max_seconds: Leave longer utterances out.
        threads: Number of threads.
        seed: Of the choice of utterances.
        init: Model folder of an aligner of the same language, with whose alignments training begins: for a
            few minutes of speech, where a flat start goes astray.
    """
    if not train_hours > 0:  # also true of NaN; infinity takes all
        raise UserError(f"--train_hours {train_hours:g}: expected more than 0")
    limit_threads()  # --threads are the aligner's own
    started = time.perf_counter()
    audio = AudioSettings.load(settings)
    corpus = AlignCorpus(data_dir, audio, max_seconds)
    rules = TextRules.load(data_dir)
    start = None
    if init is not None:
        start, its_audio = load_aligner(init, rules)
        audio.require_same(its_audio, str(init))
    kind = aligner_kind(aligner)
    trained = kind.train(corpus, hours=train_hours, seed=seed, threads=max(1, threads), start=start)
    save_aligner(aligner, trained, audio, out, rules)
    for utterance, reason in sorted(corpus.left_out.items()):
        print(f"left out of training: {utterance}: {reason}", file=sys.stderr)
    spent = time.perf_counter() - started
    print(f"{out}: aligner {aligner!r} trained in {spent:.1f} s, {len(corpus.left_out)} utterances left out")


main = command(train_aligner)

if __name__ == "__main__":
    main()
