"""The reader of AISHELL-1 on a corpus in its layout, sound and broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctap.files.tables import read_table
from test.recipes.readers import fetched, local, noise, skipped, stage_0, write

TEXT = "而 对 楼市 成交 抑制 作用"
PARTS = {"S0002": "train", "S0003": "train", "S0724": "dev", "S0764": "test"}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Four speakers in three parts, with resources beside it."""
    root = tmp_path / "data_aishell"
    lines = []
    for speaker, part in PARTS.items():
        for number in range(121, 127):
            utt = f"BAC009{speaker}W0{number}"
            noise(root / "wav" / part / speaker / f"{utt}.wav")
            lines.append(f"{utt} {TEXT}")
    write(root / "transcript" / "aishell_transcript_v0.8.txt", *lines)
    write(tmp_path / "resource_aishell" / "speaker.info", "0002 F", "0003 M", "0724 F", "0764 M")
    return root


def test_parts_speakers_and_text(corpus: Path, tmp_path: Path) -> None:
    out = stage_0(
        "aishell1", corpus.parent, tmp_path / "data", "--target_speakers", "BAC009S0003", "--dev_utts", "4"
    )
    assert skipped(out) == []
    texts = read_table(out / "train" / "text")
    assert texts == {f"BAC009S0002W0{number}": "而对楼市成交抑制作用" for number in range(121, 127)}
    assert read_table(out / "train" / "pinyin")["BAC009S0002W0121"].startswith("er2 dui4 lou2 shi4")
    assert set(read_table(out / "dev" / "utt2spk").values()) == {"BAC009S0724"}
    assert len(read_table(out / "dev" / "utt2spk")) == 4  # of six; the others are not trained on
    assert set(read_table(out / "test" / "utt2spk").values()) == {"BAC009S0764"}
    assert read_table(out / "target_BAC009S0003_speech" / "spk2gender") == {"BAC009S0003": "m"}


def test_every_defect_is_named_and_the_rest_goes_on(corpus: Path, tmp_path: Path) -> None:
    (corpus / "wav/train/S0002/BAC009S0002W0121.wav").unlink()
    (corpus / "wav/train/S0002/BAC009S0002W0122.wav").write_bytes(b"")
    noise(corpus / "wav/train/S0003/BAC009S0002W0123.wav")
    noise(corpus / "wav/train/S0002/BAC009S0002W0999.wav")
    noise(corpus / "wav/train/S0002/._BAC009S0002W0124.wav")
    table = corpus / "transcript/aishell_transcript_v0.8.txt"
    lines = table.read_text().splitlines()
    lines += [f"BAC009S0003W0121 {TEXT}", "BAC009S0003W0122", "BAC009S0764W0121 hello"]
    lines.remove(f"BAC009S0003W0122 {TEXT}")
    lines.remove(f"BAC009S0764W0121 {TEXT}")
    write(table, "\ufeff" + lines[0], *lines[1:], end="\r\n")
    (tmp_path / "resource_aishell/speaker.info").unlink()
    out = stage_0("aishell1", corpus, tmp_path / "data", "--target_speakers", "none")
    assert skipped(out) == [
        ("BAC009S0002W0121", "text without recording"),
        ("BAC009S0002W0122", "recording empty"),
        ("BAC009S0002W0123", "second recording of one name"),
        ("BAC009S0002W0999", "recording without text"),
        ("BAC009S0003W0121", "duplicate utterance"),
        ("BAC009S0003W0122", "line without text"),
        ("BAC009S0003W0122", "recording without text"),
        ("BAC009S0764W0121", "unreadable text"),
    ]
    name = "transcript/aishell_transcript_v0.8.txt"
    assert skipped(out, "notices.tsv") == [
        (name, "CR line ends read as LF"),
        (name, "byte-order mark (BOM) dropped"),
    ]
    assert len(read_table(out / "local" / "all" / "text")) == 24 - 4


def test_what_is_not_unpacked_is_refused(corpus: Path, tmp_path: Path) -> None:
    (corpus / "wav" / "S0002.tar.gz").touch()  # unpacked, and kept
    done = local("aishell1", "data.sh", "--corpus", corpus, tmp_path / "tables")
    assert done.returncode == 0, done.stderr
    (corpus / "wav" / "S0005.tar.gz").touch()
    done = local("aishell1", "data.sh", "--corpus", corpus, tmp_path / "tables")
    assert done.returncode == 1 and "1 speakers are not unpacked, the first: S0005.tar.gz" in done.stderr
    done = local("aishell1", "data.sh", "--corpus", tmp_path / "nowhere", tmp_path / "tables")
    assert done.returncode == 1 and "expected transcript/aishell_transcript_v0.8.txt here" in done.stderr


def test_download(tmp_path: Path) -> None:
    data, resources = fetched("aishell1", tmp_path, "--keep_archive", "false")
    assert resources["--name"] == "resource_aishell"
    assert data["--nested"] == "wav/*.tar.gz" and data["--keep_archive"] == "false"
    assert data["--size"] == "15582913665" and len(data["--checksum"]) == 32


def test_options_of_the_corpus_are_not_those_of_its_resources(tmp_path: Path) -> None:
    data, resources = fetched("aishell1", tmp_path, "--url", "https://a/b.tgz", "--checksum", "f" * 32)
    assert data["--url"] == "https://a/b.tgz" and data["--checksum"] == "f" * 32
    assert resources["--url"] == "33/resource_aishell.tgz" and resources["--checksum"] != "f" * 32


def test_the_corpus_is_whole_without_its_resources(tmp_path: Path) -> None:
    refuse = write(tmp_path / "python", "#!/bin/sh", 'echo "$@"', 'case "$*" in *resource_*) exit 1 ;; esac')
    refuse.chmod(0o755)
    done = local("aishell1", "download.sh", tmp_path, python=str(refuse))
    assert done.returncode == 0 and "--name data_aishell" in done.stdout
    assert "warning: no resource_aishell: target speakers are chosen without" in done.stderr
