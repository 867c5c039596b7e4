"""The reader of THCHS-30 on a corpus in its layout, sound and broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctap.files.tables import read_table
from test.recipes.readers import fetched, local, noise, skipped, stage_0, write

HANZI = "绿 是 阳春 烟 景"
PINYIN = "lv4 shi4 yang2 chun1 yan1 jing3"
PHONES = "l v4 sh ix4 ii iang2 ch un1 ii ian1 j ing3"
PARTS = {"A2": "train", "A11": "train", "B22": "dev", "D4": "test"}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Four speakers; the parts hold links to data/, and the paths of transcripts."""
    root = tmp_path / "data_thchs30"
    for speaker, part in PARTS.items():
        (root / part).mkdir(parents=True, exist_ok=True)
        for number in (0, 3, 21, 107):
            name = f"{speaker}_{number}.wav"
            noise(root / "data" / name)
            write(root / "data" / f"{name}.trn", HANZI, PINYIN, PHONES)
            (root / part / name).symlink_to(f"../data/{name}")
            write(root / part / f"{name}.trn", f"../data/{name}.trn")
    for name in ("A2_3.wav", "A2_3.wav.trn"):  # nearly all speakers of the corpus's dev are in train, too
        (root / "train" / name).rename(root / "dev" / name)
    return root


def test_parts_speakers_and_text(corpus: Path, tmp_path: Path) -> None:
    out = stage_0("thchs30", corpus.parent, tmp_path / "data", "--target_speakers", "none")
    assert skipped(out) == []
    assert read_table(out / "train" / "text")["A2-107"] == "绿是阳春烟景"
    assert read_table(out / "train" / "pinyin")["A11-0"] == PINYIN
    assert set(read_table(out / "train" / "utt2spk").values()) == {"A2", "A11"}
    assert list(read_table(out / "dev" / "utt2spk")) == ["A2-3", "B22-0", "B22-107", "B22-21", "B22-3"]
    assert "A2-3" not in read_table(out / "train" / "utt2spk")
    assert set(read_table(out / "test" / "utt2spk").values()) == {"D4"}


def test_every_defect_is_named_and_the_rest_goes_on(corpus: Path, tmp_path: Path) -> None:
    data = corpus / "data"
    (data / "A2_0.wav").unlink()  # its link leads nowhere
    (data / "A2_3.wav.trn").unlink()
    (corpus / "train" / "A2_21.wav.trn").unlink()
    write(data / "A11_0.wav.trn", HANZI, "lv4 shi4", PHONES)
    write(data / "A11_3.wav.trn", HANZI, PINYIN.replace("lv4", "lw4"), PHONES)
    write(data / "A11_21.wav.trn", HANZI.replace("阳春", "T恤"), PINYIN, PHONES)
    write(
        data / "A11_107.wav.trn", HANZI.replace("烟", "l = 烟"), PINYIN, PHONES
    )  # so in B11_374 and 11 more
    write(data / "B22_0.wav.trn", HANZI, PINYIN, PHONES, end="\r\n")
    write(data / "B22_3.wav.trn", HANZI)
    (data / "D4_0.wav.trn").write_bytes(HANZI.encode("gb18030"))
    (corpus / "test" / "D4_3.wav.trn").write_bytes((data / "D4_3.wav.trn").read_bytes())  # not a path
    out = stage_0("thchs30", corpus, tmp_path / "data", "--target_speakers", "none")
    assert skipped(out) == [
        ("A11-0", "wrong number of pinyin"),
        ("A11-21", "unreadable text"),
        ("A11-3", "unknown pinyin"),
        ("A2-0", "recording missing"),
        ("A2-21", "recording without text"),
        ("A2-3", "recording without text"),
        ("A2-3", "transcript missing"),
        ("D4-0", "line is not UTF-8"),
        ("D4-0", "line without text"),
        ("D4-0", "recording without text"),
    ]
    assert skipped(out, "notices.tsv") == [("data/B22_0.wav.trn", "CR line ends read as LF")]
    assert read_table(out / "local" / "all" / "text")["A11-107"] == "绿是阳春烟景"
    everything = read_table(out / "local" / "all" / "pinyin")
    assert everything["B22-3"].startswith("lv4 shi4")  # read from the hanzi
    assert everything["D4-3"] == PINYIN and len(everything) == 16 - 7


def test_mistakes_are_explained_and_the_download_is_checked(tmp_path: Path) -> None:
    done = local("thchs30", "data.sh", "--corpus", tmp_path, tmp_path / "tables")
    assert done.returncode == 1 and "expected train or dev or test here or under data_thchs30/" in done.stderr
    [archive] = fetched("thchs30", tmp_path)
    assert archive["--name"] == "data_thchs30" and len(archive["--checksum"]) == 32
