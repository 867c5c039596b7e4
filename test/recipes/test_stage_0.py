"""Stage 0 with a corpus's script of a few lines; the steps behind it are left out."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STAGES = ROOT / "egs/TEMPLATE/ctap1/stages"
SETUP = f"""set -euo pipefail
. {ROOT}/utils/run_step.sh
. {ROOT}/utils/words.sh
. {STAGES}/steps.sh
. {STAGES}/0_data.sh
current=0 datadir=data dumpdir=dump expdir=exp corpus=corpus downloaddir=downloads language=mandarin
phones_of="" phone_map="" join="" min_seconds=0 max_seconds=60 sandhi=false spell_latin=false
target_speakers=auto num_targets=1 labeled_minutes=1 dev_utts=auto test_share=0.1 targets_in_train=auto seed=1
data_options=()
module() {{ :; }}
all_sets() {{ :; }}
"""
DATA = """#!/usr/bin/env bash
out=${@: -1}
mkdir -p "$out"
echo "a b.wav" >"$out/wav.scp"
[[ ! -e corpus/genders ]] || cp corpus/genders "$out/spk2gender"
"""


def run(folder: Path, *lines: str) -> str:
    """What bash ``lines`` print in ``folder``, after what ctap.sh has set and sourced by then."""
    script = "\n".join((SETUP, *lines))
    done = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A recipe with a corpus."""
    (tmp_path / "corpus").mkdir()
    (tmp_path / "local").mkdir()
    (tmp_path / "local/data.sh").write_text(DATA)
    (tmp_path / "local/data.sh").chmod(0o755)
    return tmp_path


def test_tables_that_are_no_longer_written_are_gone(folder: Path) -> None:
    (folder / "corpus/genders").write_text("a f\n")
    run(folder, "stage_0")
    tables = folder / "data/local/corpus"
    assert {path.name for path in tables.iterdir()} == {"wav.scp", "spk2gender"}
    (tables / "own").touch()
    assert "already done" in run(folder, "stage_0") and (tables / "own").exists()
    (folder / "corpus/genders").unlink()
    run(folder, "stage_0")
    assert {path.name for path in tables.iterdir()} == {"wav.scp"}


@pytest.mark.parametrize("row", ["a {}", "a\t{}", "a   {} ", "a\t {}\t"])
def test_a_changed_recording_is_noticed_however_its_row_is_written(folder: Path, row: str) -> None:
    recording = folder / "a b.wav"
    (folder / "wav.scp").write_text(row.format(recording) + "\n")
    seen = set()
    for size in (1, 2):
        recording.write_text("x" * size)
        seen |= {run(folder, "recordings_of wav.scp") for _ in range(2)}
    assert len(seen) == 2


def test_a_corpus_that_the_recipe_makes_itself_is_made_again_once_it_is_gone(folder: Path) -> None:
    (folder / "local/data.sh").write_text(DATA + "echo says >b.wav\n")
    alone = ("corpus=''", "stage_0")
    assert "done in" in run(folder, *alone) and "already done" in run(folder, *alone)
    (folder / "b.wav").unlink()
    assert "done in" in run(folder, *alone) and (folder / "b.wav").exists()
