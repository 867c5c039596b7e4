"""The readers of VCTK and LibriTTS on corpora in their layout, sound and broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctap.files.tables import read_table
from test.recipes.readers import fetched, local, noise, skipped, stage_0, write

ENGLISH = ("--language", "english")


@pytest.fixture
def vctk(tmp_path: Path) -> Path:
    """Three speakers, one without text."""
    root = tmp_path / "VCTK-Corpus-0.92"
    for speaker in ("p225", "p226", "p315"):
        for number in range(1, 5):
            for microphone in ("mic1", "mic2"):
                noise(
                    root / f"wav48_silence_trimmed/{speaker}/{speaker}_{number:03d}_{microphone}.flac", 48000
                )
            if speaker != "p315":
                write(root / f"txt/{speaker}/{speaker}_{number:03d}.txt", "Please call Stella.")
    header = "ID  AGE  GENDER  ACCENTS  REGION COMMENTS"
    write(root / "speaker-info.txt", header, "p225  23  F    English", "p226  22  M    English")
    return root


def test_vctk(vctk: Path, tmp_path: Path) -> None:
    (vctk / "wav48_silence_trimmed/p226/p226_004_mic1.flac").unlink()
    noise(vctk / "wav48_silence_trimmed/p225/p225_005.flac", 48000)
    write(vctk / "wav48_silence_trimmed/log.txt", "a file of another kind")
    out = stage_0("vctk", vctk.parent, tmp_path / "data", "--target_speakers", "none", text=ENGLISH)
    assert skipped(out) == [
        ("p225_005", "name that can't be used"),
        *((f"p315_{number:03d}", "recording without text") for number in range(1, 5)),
    ]
    whole = out / "local" / "all"
    assert set(read_table(whole / "utt2spk").values()) == {"p225", "p226"}
    assert len(read_table(whole / "text")) == 7
    assert all(path.endswith("_mic1.flac") for path in read_table(whole / "wav.scp").values())
    assert read_table(whole / "spk2gender") == {"p225": "f", "p226": "m"}
    assert read_table(whole / "phones")["p225_001"].startswith("P L IY1 Z K AO1 L")


def test_vctk_other_microphone(vctk: Path, tmp_path: Path) -> None:
    out = tmp_path / "tables"
    for path in vctk.glob("wav48_silence_trimmed/p226/*_mic2.flac"):
        path.unlink()
    done = local("vctk", "data.sh", "--corpus", vctk, "--microphone", "mic2", out)
    assert done.returncode == 0, done.stderr
    paths = read_table(out / "wav.scp")
    assert len(paths) == 12
    for utt, path in paths.items():
        assert Path(path).name == f"{utt}_{'mic1' if utt.startswith('p226') else 'mic2'}.flac"
    notices = (out / "notices.tsv").read_text().splitlines()[1:]
    assert [line.split("\t") for line in notices] == [
        [utt, "not recorded by mic2: mic1", path] for utt, path in paths.items() if utt.startswith("p226")
    ]


@pytest.mark.parametrize("root", ["VCTK-Corpus", "VCTK-Corpus-0.80"])
def test_vctk_080(root: str, tmp_path: Path) -> None:
    corpus = tmp_path / root
    for speaker in ("p225", "p226"):
        for number in range(1, 5):
            noise(corpus / f"wav48/{speaker}/{speaker}_{number:03d}.wav", 48000)
            write(corpus / f"txt/{speaker}/{speaker}_{number:03d}.txt", "Please call Stella.")
    info = ("225  23  F    English    Southern  England", "226  22  male    English    Surrey")
    write(corpus / "speaker-info.txt", "ID  AGE  GENDER  ACCENTS  REGION", *info)
    out = stage_0("vctk", tmp_path, tmp_path / "data", "--target_speakers", "none", text=ENGLISH)
    assert skipped(out) == [] and skipped(out, "notices.tsv") == []
    whole = out / "local" / "all"
    assert set(read_table(whole / "utt2spk").values()) == {"p225", "p226"}
    assert len(read_table(whole / "text")) == 8
    assert read_table(whole / "wav.scp")["p225_001"] == str(corpus / "wav48/p225/p225_001.wav")
    assert read_table(whole / "spk2gender") == {"p225": "f", "p226": "m"}
    done = local("vctk", "data.sh", "--corpus", corpus, "--microphone", "mic2", tmp_path / "none")
    assert done.returncode == 1 and "is of version 0.80, which has only one" in done.stderr


@pytest.fixture
def libritts(tmp_path: Path) -> Path:
    """A speaker in each of three parts."""
    root = tmp_path / "LibriTTS"
    for part, speaker in (("train-clean-100", 103), ("dev-clean", 84), ("test-clean", 1089)):
        for number in range(4):
            stem = root / part / str(speaker) / "1241" / f"{speaker}_1241_000000_00000{number}"
            noise(stem.with_name(f"{stem.name}.wav"), 24000)
            write(stem.with_name(f"{stem.name}.normalized.txt"), "Chapter two.")
            write(stem.with_name(f"{stem.name}.original.txt"), "CHAPTER 2.")
    write(root / "SPEAKERS.txt", ";ID | SEX | SUBSET", "103 | F | train-clean-100", "84 | M | dev-clean")
    return root


def test_libritts(libritts: Path, tmp_path: Path) -> None:
    folder = libritts / "train-clean-100/103/1241"
    (folder / "103_1241_000000_000000.normalized.txt").unlink()
    write(folder / "103_1241_000000_000001.normalized.txt", "")
    out = stage_0("libritts", libritts, tmp_path / "data", "--target_speakers", "none", text=ENGLISH)
    assert {reason for _, reason in skipped(out)} == {"recording without text", "line without text"}
    assert set(read_table(out / "train" / "utt2spk").values()) == {"00103"}
    assert set(read_table(out / "dev" / "utt2spk").values()) == {"00084"}
    assert set(read_table(out / "test" / "utt2spk").values()) == {"01089"}
    assert read_table(out / "local" / "all" / "text")["00084_1241_000000_000000"] == "Chapter two."


def test_libritts_restored(libritts: Path, tmp_path: Path) -> None:
    restored = libritts.rename(tmp_path / "LibriTTS_R")
    done = local("libritts", "data.sh", "--corpus", tmp_path, tmp_path / "tables")
    assert done.returncode == 0, done.stderr
    paths = read_table(tmp_path / "tables" / "wav.scp").values()
    assert len(paths) == 12 and all(path.startswith(f"{restored}/") for path in paths)
    done = local("libritts", "data.sh", "--corpus", restored / "dev-clean", tmp_path / "none")
    assert done.returncode == 1 and "here or under LibriTTS/ or LibriTTS_R/, found 84; give" in done.stderr


def test_libritts_parts_and_downloads(libritts: Path, tmp_path: Path) -> None:
    out = tmp_path / "tables"
    done = local("libritts", "data.sh", "--corpus", libritts, "--parts", "dev-clean test-clean", out)
    assert done.returncode == 0, done.stderr
    assert set(read_table(out / "utt2part").values()) == {"dev", "test"}
    archives = fetched("libritts", tmp_path, "--keep_archive", "false")
    assert [archive["--part"] for archive in archives] == ["dev-clean", "test-clean", "train-clean-100"]
    assert all(len(archive["--checksum"]) == 64 for archive in archives)
    done = local("libritts", "download.sh", tmp_path, "train-dirty")
    assert done.returncode == 1 and "train-dirty: no part of LibriTTS" in done.stderr


def test_vctk_download(tmp_path: Path) -> None:
    (archive,) = fetched("vctk", tmp_path)
    assert archive["--name"] == "VCTK-Corpus-0.92" and len(archive["--checksum"]) == 64
