"""The reader of CSMSC on a corpus in its layout, sound and broken."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ctap.align.importing import import_durations
from ctap.audio.settings import AudioSettings
from ctap.files.tables import read_table
from test.recipes.readers import PYPATH, ROOT, local, noise, skipped, stage_0, write


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Twelve utterances."""
    root = tmp_path / "BZNSYP"
    lines = []
    for number in range(1, 13):
        noise(root / "Wave" / f"{number:06d}.wav", 48000)
        lines += [f"{number:06d}\t卡尔普#2陪外孙#1玩滑梯#4。", "\tka2 er2 pu3 pei2 wai4 sun1 wan2 hua2 ti1"]
    write(root / "ProsodyLabeling" / "000001-010000.txt", *lines)
    return root


def test_hanzi_pinyin_and_speaker(corpus: Path, tmp_path: Path) -> None:
    out = stage_0("csmsc", corpus.parent, tmp_path / "data")
    assert skipped(out) == []
    whole = out / "local" / "all"
    assert read_table(whole / "text")["BZN-000001"] == "卡尔普陪外孙玩滑梯"
    assert read_table(whole / "pinyin")["BZN-000001"].startswith("ka2 er2 pu3 pei2")
    assert read_table(whole / "spk2gender") == {"BZN": "f"}


def test_every_defect_is_named_and_the_rest_goes_on(corpus: Path, tmp_path: Path) -> None:
    table = corpus / "ProsodyLabeling" / "000001-010000.txt"
    lines = table.read_text().splitlines()
    del lines[3]  # pinyin of 000002
    lines.append("\tni3 hao3")
    lines += ["000013\tOK#4。", "\tOW1_K EY1"]
    noise(corpus / "Wave" / "000013.wav", 48000)
    (corpus / "Wave" / "000003.wav").unlink()
    write(table, *lines)
    out = stage_0("csmsc", corpus, tmp_path / "data")
    assert skipped(out) == [
        ("BZN-000002", "no line of pinyin"),
        ("BZN-000003", "text without recording"),
        ("BZN-000012", "pinyin of no utterance"),
        ("BZN-000013", "unreadable text"),
    ]
    assert "BZN-000002" in read_table(out / "local" / "all" / "text")  # its hanzi are read by the dictionary


def test_there_is_nothing_to_fetch(tmp_path: Path) -> None:
    done = local("csmsc", "download.sh", tmp_path)
    assert done.returncode == 1 and "CSMSC can't be fetched" in done.stderr


def test_its_own_times_become_durations(corpus: Path, tmp_path: Path) -> None:
    labels = "sil k a2 er2 p u3 p ei2 uai4 s uen1 uan2 h ua2 t i1 sil".split()  # noqa: SIM905
    step = 1.2 / len(labels)
    for number in range(1, 11):  # two have none
        tier = [f'{i * step:.4f}\n{(i + 1) * step:.4f}\n"{label}"' for i, label in enumerate(labels)]
        head = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "0", "1.2", "<exists>", "1"]
        head += ['"IntervalTier"', '"CN"', "0", "1.2", str(len(labels))]
        write(corpus / "PhoneLabeling" / f"{number:06d}.interval", *head, *tier)
    out = stage_0("csmsc", corpus, tmp_path / "data")
    links = tmp_path / "intervals"
    words = ["--corpus", str(corpus), "--datadir", str(out), "--out_dir", str(links)]
    script = ROOT / "egs/csmsc/ctap1/local/prepare_intervals.py"
    done = subprocess.run(
        [sys.executable, str(script), *words], env={**os.environ, **PYPATH}, capture_output=True, text=True
    )
    assert done.returncode == 0 and "utterances have phone times" in done.stdout, done.stderr
    import_durations(out / "train", links / "train", AudioSettings())
    phones = read_table(out / "train" / "aligned_phones")
    assert len(phones) >= len(read_table(out / "train" / "phones")) - 2
    assert next(iter(phones.values())).startswith("sil k a2 er2 p u3 p ei2 uai4 s uen1")
