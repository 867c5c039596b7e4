"""The reader of Primewords on a corpus in its layout, sound and broken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ctap.files.tables import read_table
from test.recipes.readers import fetched, local, noise, skipped, stage_0, write

TEXT = "绿是阳春烟景"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Three speakers; recordings lie two levels down, by the first letters of their names."""
    root, entries = tmp_path / "primewords_md_2018_set1", []
    for i, user in enumerate(("2", "2", "2", "12", "12", "12", "103", "103", "103")):
        name = f"{i}a{i}f00d-1.wav"
        noise(root / "audio_files" / name[0] / name[:2] / name)
        entry = {"id": str(i), "file": name, "user_id": user, "length": "1.2", "text": TEXT}
        entries.append(entry)
    write(root / "set1_transcript.json", json.dumps(entries, ensure_ascii=False))
    return root


def test_speakers_and_text(corpus: Path, tmp_path: Path) -> None:
    out = stage_0(
        "primewords", corpus.parent, tmp_path / "data", "--target_speakers", "none", "--dev_utts", "1"
    )
    assert skipped(out) == []
    everything = out / "local" / "all"
    assert set(read_table(everything / "utt2spk").values()) == {"P0002", "P0012", "P0103"}
    assert read_table(everything / "text")["P0012-3a3f00d-1"] == TEXT


def test_every_defect_is_named_and_the_rest_goes_on(corpus: Path, tmp_path: Path) -> None:
    table = corpus / "set1_transcript.json"
    entries = json.loads(table.read_text())
    (corpus / "audio_files" / "0" / "0a" / "0a0f00d-1.wav").unlink()
    del entries[1]["text"]
    entries[3]["text"] = "hello"
    entries.append(3)
    write(table, json.dumps(entries[:-2] + entries[-1:]))
    out = stage_0("primewords", corpus, tmp_path / "data", "--target_speakers", "none", "--dev_utts", "1")
    assert skipped(out) == [
        ("1a1f00d-1", "entry without file, user_id or text"),
        ("1a1f00d-1", "recording without text"),
        ("8a8f00d-1", "recording without text"),
        ("P0002-0a0f00d-1", "text without recording"),
        ("P0012-3a3f00d-1", "unreadable text"),
        ("set1_transcript.json, entry 9", "entry without file, user_id or text"),
    ]
    assert len(read_table(out / "local" / "all" / "text")) == 5


def test_mistakes_are_explained_and_the_download_is_resumed(corpus: Path, tmp_path: Path) -> None:
    nowhere = tmp_path / "none"
    for option in ("--corpus", "--downloaddir"):
        done = local("primewords", "data.sh", option, nowhere, tmp_path / "tables")
        assert done.returncode == 1 and f"{nowhere}: expected set1_transcript.json here" in done.stderr
    write(corpus / "set1_transcript.json", "{}")
    done = local("primewords", "data.sh", "--corpus", corpus, tmp_path / "tables")
    assert done.returncode == 1 and "expected a list of transcripts, found dict" in done.stderr
    [archive] = fetched("primewords", tmp_path)
    assert archive["--name"] == "primewords_md_2018_set1" and archive["--size"] == "9057625192"
