#!/usr/bin/env python3
"""Arks, checkpoints and model directories, cut at every sixteenth and with flipped bytes: named and refused.

    python tools/campaigns/corruption.py --flips 200

Each file that a recipe keeps features or weights in is cut at 0/16 to 15/16 of its length, and so many times
a byte at a random place is flipped; then it is read as the stages read it. It counts as refused if the error
names it, as harmless if what is read is what was written: nobody reads the keys before an ark's matrices.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from harness import add_results, report

from ctap.errors import UserError
from ctap.kaldi.ark import MatrixReader, MatrixWriter
from ctap.models.judge import JudgeParts
from ctap.tasks.checkpoints import WholeCheckpoints, read_checkpoint

Read = Callable[[], object]
MISSED = "NOT NOTICED"


def main() -> int:
    """Run the campaign; 0 if all damage was noticed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--flips", type=int, default=200, metavar="N", help="of each file")
    add_results(parser)
    options = parser.parse_args()
    flips = options.flips
    rng, lines, missed = random.Random(0), [], 0
    with tempfile.TemporaryDirectory() as place:
        for name, (path, read) in make(Path(place)).items():
            counts: Counter[str] = Counter()
            whole, intact = path.read_bytes(), flat(read())
            for kind, content in damage(whole, flips, rng):
                path.write_bytes(content)
                counts[f"{kind}: {outcome(path, read, intact)}"] += 1
            path.write_bytes(whole)
            assert flat(read()) == intact
            missed += sum(n for what, n in counts.items() if MISSED in what)
            told = ", ".join(f"{what} {n}" for what, n in sorted(counts.items()))
            lines.append(f"{name} ({len(whole)} bytes): {told}")
    lines.append(f"{missed} damaged files were read as good, or refused without their name")
    report("corruption", lines, options.results)
    return 1 if missed else 0


def make(place: Path) -> dict[str, tuple[Path, Read]]:
    """One file of each kind, by name, with what reads it."""
    rng = np.random.default_rng(0)
    files: dict[str, tuple[Path, Read]] = {}
    for method in (5, 2, None):
        ark, scp = place / f"feats.{method}.ark", place / f"feats.{method}.scp"
        with MatrixWriter(ark, scp, method) as writer:
            for number in range(20):
                writer[f"utt{number:02d}"] = rng.normal(size=(int(rng.integers(5, 60)), 40))
        kind = f"ark, compression {method}"
        files[kind] = (ark, lambda scp=scp: dict(MatrixReader(scp)))
        files[f"checksums of the {kind}"] = (Path(f"{ark}.crc32"), files[kind][1])
    checkpoint = place / "last.ckpt"
    state = {"state_dict": {"weight": torch.randn(100, 40)}, "loops": {"step": 4}, "epoch": 3}
    WholeCheckpoints().save_checkpoint(state, checkpoint)
    files["checkpoint"] = (checkpoint, lambda: read_checkpoint(checkpoint))
    return files | models(place)


def models(place: Path) -> dict[str, tuple[Path, Read]]:
    """The files of a model directory."""
    from ctap.audio.settings import AudioSettings
    from ctap.nn.judge import Judge
    from ctap.nn.transformer import StackConfig
    from ctap.text.languages import language_of
    from ctap.text.rules import TextRules

    tokens, audio = language_of(TextRules()).tokens, AudioSettings()
    sizes = StackConfig(layers=1, dim=16, heads=2, ffn=32)
    judge = Judge(len(tokens), audio.n_mels, sizes, [0.0] * audio.n_mels, [1.0] * audio.n_mels)
    folder = place / "model"
    JudgeParts(tokens, audio, judge, 100).save(folder)

    def read() -> object:
        parts = JudgeParts.load(folder)
        others = {"tokens": parts.tokens.decode([1, 2, 3]), "audio": parts.audio.as_dict()}
        return {**parts.judge.state_dict(), **others}

    return {f"model directory, {path.name}": (path, read) for path in sorted(folder.iterdir())}


def damage(whole: bytes, flips: int, rng: random.Random) -> list[tuple[str, bytes]]:
    """Damaged contents and what was done."""
    found = [("cut", whole[: len(whole) * part // 16]) for part in range(16)]
    for _ in range(flips):
        at, bits = rng.randrange(len(whole)), rng.randrange(1, 256)
        found.append(("flipped", whole[:at] + bytes([whole[at] ^ bits]) + whole[at + 1 :]))
    return found


def outcome(path: Path, read: Read, intact: list) -> str:
    """What came of reading the damaged file."""
    try:
        return "harmless" if flat(read()) == intact else MISSED
    except UserError as error:
        named = path.name.removesuffix(".crc32") in str(error)
        return "refused by name" if named else f"{MISSED} by its name"


def flat(value: object) -> list:
    """Nested values as a list that can be compared."""
    if isinstance(value, dict):
        return [item for key in sorted(value) for item in (key, *flat(value[key]))]
    if isinstance(value, (torch.Tensor, np.ndarray)):
        return [np.asarray(value).tobytes()]
    return [value]


if __name__ == "__main__":
    sys.exit(main())
