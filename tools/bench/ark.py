#!/usr/bin/env python3
"""Reading feature matrices from Kaldi arks, in order and at random: the toolkit's reader against kaldiio's.

    python tools/bench/ark.py --utterances 5000

Mels of AISHELL-3's lengths are written once, compressed to one byte a value as stage 2 does. Both readers
then read all of them in order and in one random order, in turn, several times, from the page cache; what they
return is compared. kaldiio reads in order with ``load_ark`` and at random with ``load_scp``.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import kaldiio
import numpy as np

from ctap.errors import cli
from ctap.kaldi.ark import MatrixReader, MatrixWriter
from ctap.threads import limit_threads


def write(folder: Path, count: int, mels: int) -> list[str]:
    """Write ``count`` matrices of log-normal lengths; returns their names."""
    rng = np.random.default_rng(0)
    lengths = (316 * np.exp(0.45 * rng.normal(size=count))).round().clip(79, 1570).astype(int)
    names = [f"S{i:06d}" for i in range(count)]
    with MatrixWriter(folder / "feats.ark", folder / "feats.scp") as writer:
        for name, length in zip(names, lengths, strict=True):
            writer[name] = rng.normal(-3, 1, (length, mels)).astype(np.float32)
    return names


def readers(folder: Path, shuffled: list[str]) -> dict[str, dict[str, Callable[[], int]]]:
    """Order, then reader, to what reads everything and returns the number of frames."""

    def ours(names: list[str] | None) -> int:
        reader = MatrixReader(folder / "feats.scp")
        return sum(len(reader[name]) for name in names or reader)

    def kaldiio_at_random() -> int:
        found = kaldiio.load_scp(str(folder / "feats.scp"))
        return sum(len(found[name]) for name in shuffled)

    return {
        "in order": {
            "toolkit": lambda: ours(None),
            "kaldiio": lambda: sum(len(m) for _, m in kaldiio.load_ark(str(folder / "feats.ark"))),
        },
        "at random": {"toolkit": lambda: ours(shuffled), "kaldiio": kaldiio_at_random},
    }


@cli
def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--utterances", type=int, default=5000)
    parser.add_argument("--mels", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    limit_threads()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        names = write(folder, options.utterances, options.mels)
        shuffled = [names[i] for i in np.random.default_rng(1).permutation(len(names))]
        ours, theirs = MatrixReader(folder / "feats.scp"), kaldiio.load_scp(str(folder / "feats.scp"))
        gap = max(float(np.abs(ours[u] - theirs[u]).max()) for u in shuffled[:100])
        print(f"{len(names)} utterances, 100 of them compared: largest difference {gap:.1e}")
        print(f"{'':<12}{'toolkit, us each':>18}{'kaldiio, us each':>18}{'times faster':>14}")
        for order, ways in readers(folder, shuffled).items():
            times: dict[str, list[float]] = {reader: [] for reader in ways}
            for _ in range(options.repeats):
                frames = set()
                for reader, run in ways.items():
                    started = time.perf_counter()
                    frames.add(run())
                    times[reader].append(time.perf_counter() - started)
                assert len(frames) == 1, "the readers found different frames"
            each = [1e6 * statistics.median(times[reader]) / len(names) for reader in ("toolkit", "kaldiio")]
            pairs = zip(times["kaldiio"], times["toolkit"], strict=True)
            ratio = statistics.median(a / b for a, b in pairs)
            print(f"{order:<12}{each[0]:>18.0f}{each[1]:>18.0f}{ratio:>14.2f}")


if __name__ == "__main__":
    main()
