"""How long stage 0 takes of a corpus of 10,000 utterances, here and at an earlier commit, in one run.

    python tools/bench/stage_0.py --than 7e15a00

Both read the same data directory with hanzi only, so that every text is read: four words, in one of five
a number, too. Recordings last half a second and are links to a hundred files. The two take turns; the
figure is the ratio of the least processor times that they took.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import resource
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from ctap.errors import UserError, cli

ROOT = Path(__file__).resolve().parents[2]
HANZI = "今天我们银行重庆音乐长城觉得北京天气经济发展公司市场中国世界工作生活朋友时间问题"
WORDS = [HANZI[i : i + 2] for i in range(0, len(HANZI), 2)]
NUMBERS = ("2020年3月5日", "上午8点30分", "3.5%", "1200元", "第3届", "5个")
DISTINCT = 100


def make_corpus(folder: Path, utterances: int) -> None:
    """A data directory as a recipe's own program writes it."""
    choose, rng = random.Random(0), np.random.default_rng(0)
    rows: dict[str, list[str]] = {"wav.scp": [], "text": [], "utt2spk": []}
    folder.mkdir()
    for i in range(utterances):
        speaker = f"S{i % 50:03d}"
        utterance, wave = f"{speaker}-{i:05d}", folder / f"{i:05d}.wav"
        if i < DISTINCT:
            soundfile.write(wave, 0.1 * rng.standard_normal(8000), 16000, subtype="PCM_16")
        else:
            os.link(folder / f"{i % DISTINCT:05d}.wav", wave)
        words = choose.choices(WORDS, k=4) + ([choose.choice(NUMBERS)] if i % 5 == 0 else [])
        for name, value in (("wav.scp", wave), ("text", "".join(words)), ("utt2spk", speaker)):
            rows[name].append(f"{utterance} {value}\n")
    for name, lines in rows.items():
        (folder / name).write_text("".join(sorted(lines)), encoding="utf-8")


def checkout(commit: str, folder: Path) -> None:
    """The package as it was at ``commit``."""
    archive = subprocess.run(["git", "archive", commit, "ctap"], cwd=ROOT, capture_output=True)
    if archive.returncode:
        raise UserError(f"git has no {commit!r}: {archive.stderr.decode().strip()}")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        tar.extractall(folder, filter="data")


def stage_0(package: Path, corpus: Path, out: Path) -> float:
    """Seconds of processors that stage 0 takes."""
    environment = {**os.environ, "PYTHONPATH": str(package)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for command in (
        ["ctap.bin.prepare_text", "--in_dir", corpus, "--out_dir", out / "local/all"],
        ["ctap.bin.split_targets", "--data_dir", out / "local/all", "--out_dir", out],
    ):
        words = [sys.executable, "-m", *map(str, command)]
        subprocess.run(words, cwd=out, env=environment, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@cli
def main() -> None:
    """Print the times and their ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--than", default="7e15a00", help="commit to compare with (default: 7e15a00)")
    parser.add_argument("--utterances", type=int, default=10000)
    parser.add_argument("--repeat", type=int, default=3, help="times that each is run (default: 3)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        checkout(options.than, work / "then")
        make_corpus(work / "corpus", options.utterances)
        packages = {options.than: work / "then", "here": ROOT}
        times: dict[str, list[float]] = {label: [] for label in packages}
        for turn in range(options.repeat):
            for label, package in packages.items():
                out = work / f"{label}-{turn}"
                out.mkdir()
                times[label].append(stage_0(package, work / "corpus", out))
    for label, seconds in times.items():
        print(f"{label}: {min(seconds):.1f} s ({', '.join(f'{s:.1f}' for s in seconds)})")
    print(f"ratio: {min(times['here']) / min(times[options.than]):.2f}")


if __name__ == "__main__":
    main()
