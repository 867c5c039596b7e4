"""The worked example of egs/own_corpus.md, followed word for word with a corpus in LJSpeech's layout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ctap.files.tables import read_table

ROOT = Path(__file__).parents[2]
HANZI = ["今天天气很好", "我们去看大海", "他说明天下雨"]
PINYIN = ["jin1 tian1 tian1 qi4 hen3 hao3", "wo3 men5 qu4 kan4 da4 hai3", "ta1 shuo1 ming2 tian1 xia4 yu3"]


def listing(name: str) -> str:
    """The code block that follows the file's name in egs/own_corpus.md."""
    text = (ROOT / "egs/own_corpus.md").read_text(encoding="utf-8")
    match = re.search(rf"`egs/ljstyle/ctap1/{re.escape(name)}`:\n\n```\w+\n(.*?)```", text, re.DOTALL)
    assert match, f"egs/own_corpus.md no longer shows {name}"
    return match[1]


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """The recipe that setup.sh makes, with the two files of the page in it."""
    (tmp_path / "egs").mkdir()
    for name in ("ctap", "utils"):
        (tmp_path / name).symlink_to(ROOT / name)
    subprocess.run(["cp", "-r", ROOT / "egs/TEMPLATE", tmp_path / "egs/TEMPLATE"], check=True)
    subprocess.run([tmp_path / "egs/TEMPLATE/ctap1/setup.sh", "ljstyle"], check=True, capture_output=True)
    path = tmp_path / "egs/ljstyle/ctap1"
    for name in ("local/data.sh", "local/prepare_ljspeech.py"):
        (path / name).write_text(listing(name), encoding="utf-8")
    return path


def test_stage_0_of_the_worked_example(recipe: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    (corpus / "wavs").mkdir(parents=True)
    lines = []
    for i in range(24):
        wave = np.random.default_rng(i).normal(size=33075) * 0.1
        soundfile.write(corpus / "wavs" / f"utt{i:02d}.wav", wave, 22050)
        lines.append(f"utt{i:02d}|{(HANZI if i % 2 else PINYIN)[i % 3]}")
    lines[3] = "utt03|hello world"
    lines.append("utt04|你好")
    (corpus / "wavs" / "utt05.wav").unlink()
    (corpus / "metadata.csv").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode() + b"\r\n")

    environment = {**os.environ, "python": sys.executable}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    environment["VIRTUAL_ENV"] = str(Path(sys.executable).parent.parent)
    command = ["./run.sh", "--stage", "0", "--stop_stage", "0", "--corpus", str(corpus)]
    done = subprocess.run(command, cwd=recipe, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr

    everything = read_table(recipe / "data/local/all/phones")
    assert len(everything) == 22
    # what a reader of the two scripts knows: hanzi read, pinyin taken as it is
    assert everything["spk1-utt00"] == "j in1 t ian1 t ian1 q i4 h en3 h ao3"
    assert everything["spk1-utt07"] == "uo3 m en5 q v4 k an4 d a4 h ai3"
    skipped = (recipe / "data/local/skipped.tsv").read_text(encoding="utf-8").splitlines()[1:]
    reasons = sorted(tuple(line.split("\t")[:2]) for line in skipped)
    assert reasons == [
        ("spk1-utt03", "unknown pinyin"),
        ("spk1-utt04", "second line of one id"),
        ("spk1-utt05", "text without recording"),
    ]
    assert (recipe / "data/target_speakers").read_text() == "spk1\n"


def test_the_worked_example_is_clean_shell() -> None:
    checker = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if checker is None:
        pytest.skip("shellcheck is not installed")
    shell = [checker, "--exclude=SC1091", "-"]  # what it sources is not beside it here
    done = subprocess.run(shell, input=listing("local/data.sh"), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
