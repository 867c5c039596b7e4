"""What tests of the corpora's readers share: recordings of noise, and a recipe's stage 0 on them."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ctap.bin import prepare_text, split_targets
from ctap.kaldi.validate import validate

ROOT = Path(__file__).resolve().parents[2]
PYPATH = {"python": sys.executable, "PYTHONPATH": str(ROOT)}


def noise(path: Path, rate: int = 16000, seconds: float = 1.2) -> Path:
    """Write a recording whose samples differ from file to file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(list(path.name.encode()))
    soundfile.write(path, 0.1 * rng.standard_normal(int(seconds * rate)), rate, subtype="PCM_16")
    return path


def write(path: Path, *lines: str, end: str = "\n") -> Path:
    """Write lines of text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(line + end for line in lines).encode())
    return path


def local(recipe: str, script: str, *words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script of a recipe's ``local``."""
    command = ["bash", str(ROOT / "egs" / recipe / "ctap1" / "local" / script), *map(str, words)]
    return subprocess.run(
        command, env={**os.environ, **PYPATH, **environment}, capture_output=True, text=True, check=False
    )


def reader(recipe: str):
    """The module ``prepare_<recipe>`` of a recipe."""
    path = ROOT / "egs" / recipe / "ctap1" / "local" / f"prepare_{recipe}.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def prepare(recipe: str, corpus: Path, out: Path, *options: object) -> Path:
    """The corpus's own tables, in this process."""
    words = ["--corpus", corpus, "--out_dir", out / "local" / "corpus", *options]
    reader(recipe).main([str(word) for word in words])
    return out / "local" / "corpus"


def stage_0(recipe: str, corpus: Path, out: Path, *options: str, text: tuple[str, ...] = ()) -> Path:
    """Stage 0 of a recipe; every set that it makes is sound. ``text`` goes to ``prepare_text``."""
    tables = prepare(recipe, corpus, out)
    prepare_text.main(["--in_dir", str(tables), "--out_dir", str(out / "local" / "all"), *text])
    split_targets.main(["--data_dir", str(out / "local" / "all"), "--out_dir", str(out), *options])
    for path in sorted(out.glob("*/")):
        if path.is_dir() and path.name != "local":
            assert validate(path, text=not path.name.endswith("_speech"), audio=True) == []
    return out


def skipped(out: Path, table: str = "skipped.tsv") -> list[tuple[str, str]]:
    """Names and reasons of what stage 0 left out (or, of ``notices.tsv``, remarked on)."""
    lines = (out / "local" / table).read_text(encoding="utf-8").splitlines()[1:]
    return sorted((fields[0], fields[1]) for fields in (line.split("\t") for line in lines))


def fetched(recipe: str, tmp_path: Path, *words: str) -> list[dict[str, str]]:
    """Options of every archive that a recipe's ``download.sh`` asks for, none of which is fetched."""
    recorder = write(
        tmp_path / "recorder", "#!/bin/sh", 'printf "%s\\n" "$@" >>"$RECORD"', 'echo . >>"$RECORD"'
    )
    recorder.chmod(0o755)
    record = tmp_path / "record"
    done = local(recipe, "download.sh", tmp_path, *words, python=str(recorder), RECORD=str(record))
    assert done.returncode == 0, done.stderr
    calls = [call.split("\n") for call in record.read_text().strip("\n.").split("\n.\n")]
    assert all(call[:2] == ["-m", "ctap.bin.fetch_archive"] for call in calls)
    return [dict(zip(call[2::2], call[3::2], strict=True)) for call in calls]


__all__ = ["fetched", "local", "noise", "prepare", "pytest", "reader", "skipped", "stage_0", "write"]
