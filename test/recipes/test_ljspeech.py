"""The reader of LJSpeech on a corpus in its layout, sound and broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctap.files.tables import read_table
from ctap.text.rules import TextRules
from test.recipes.readers import fetched, local, noise, skipped, stage_0, write

ENGLISH = ("--language", "espeak:en-us")


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Twelve utterances."""
    root = tmp_path / "LJSpeech-1.1"
    lines = []
    for number in range(1, 13):
        noise(root / "wavs" / f"LJ001-{number:04d}.wav", 22050)
        lines.append(f"LJ001-{number:04d}|The {number}nd page.|The second page.")
    write(root / "metadata.csv", *lines)
    return root


def test_text_speaker_and_phones(corpus: Path, tmp_path: Path) -> None:
    out = stage_0("ljspeech", corpus.parent, tmp_path / "data", text=ENGLISH)
    assert skipped(out) == []
    texts = read_table(out / "local" / "all" / "text")
    assert len(texts) == 12 and texts["LJ001-0001"] == "The second page."
    assert read_table(out / "target_LJ_speech" / "spk2gender") == {"LJ": "f"}
    assert set(read_table(out / "train" / "word_phones").values()) == {"2 6 3"}
    assert TextRules.load(out / "train").language == "espeak:en-us"


def test_every_defect_is_named_and_the_rest_goes_on(corpus: Path, tmp_path: Path) -> None:
    (corpus / "wavs/LJ001-0001.wav").unlink()
    (corpus / "wavs/LJ001-0002.wav").write_bytes(b"")
    noise(corpus / "wavs/LJ001-0099.wav", 22050)
    noise(corpus / "wavs/LJ001-0003.wav", 22050).rename(corpus / "wavs/LJ001-0003.flac")
    table = corpus / "metadata.csv"
    lines = table.read_text().splitlines()
    lines[3] = "LJ001-0004|Printed alone.|"
    lines[4] = "LJ001-0005||"
    lines[5] = "LJ001-0006|...|..."
    write(table, *lines, lines[6])
    out = stage_0("ljspeech", corpus, tmp_path / "data", text=ENGLISH)
    assert skipped(out) == [
        ("LJ001-0001", "text without recording"),
        ("LJ001-0002", "recording empty"),
        ("LJ001-0005", "line without text"),
        ("LJ001-0005", "recording without text"),
        ("LJ001-0006", "unreadable text"),
        ("LJ001-0007", "duplicate utterance"),
        ("LJ001-0099", "recording without text"),
    ]
    assert read_table(out / "local" / "all" / "text")["LJ001-0004"] == "Printed alone."


def test_where_there_is_no_corpus(tmp_path: Path) -> None:
    done = local("ljspeech", "data.sh", "--corpus", tmp_path, tmp_path / "tables")
    assert done.returncode == 1 and "expected metadata.csv here or under LJSpeech-1.1/" in done.stderr


def test_download(tmp_path: Path) -> None:
    (archive,) = fetched("ljspeech", tmp_path, "--keep_archive", "false")
    assert archive["--name"] == "LJSpeech-1.1" and len(archive["--checksum"]) == 64
