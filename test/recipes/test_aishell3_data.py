"""Stage 0 of the AISHELL-3 recipe on corpora in its layout, sound and broken."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from ctap.bin import prepare_text, split_targets
from ctap.files.tables import read_table
from ctap.kaldi.validate import validate
from ctap.text.languages import older

LOCAL = Path(__file__).resolve().parents[2] / "egs" / "aishell3" / "ctap1" / "local"
LINE = "你 ni3 好 hao3 女 nv3 士 shi4"


def load(name):
    spec = importlib.util.spec_from_file_location(name, LOCAL / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def corpus(tmp_path):
    """Writers of recordings, content lines and speakers below ``root``."""
    root = tmp_path / "corpus"
    rng = np.random.default_rng(0)

    def wave(utt, part="train", seconds=0.5, rate=16000, channels=1, folder=None):
        path = root / part / "wav" / (folder or utt[:7]) / f"{utt}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        samples = 0.1 * rng.standard_normal((int(seconds * rate), channels))
        soundfile.write(path, samples, rate, subtype="PCM_16")
        return path

    def content(part, lines, head=b"", end=b"\n"):
        (root / part).mkdir(parents=True, exist_ok=True)
        rows = [line if isinstance(line, bytes) else line.encode() for line in lines]
        (root / part / "content.txt").write_bytes(head + b"".join(row + end for row in rows))

    def speakers(*rows):
        head = "# speaker\tage\tgender\taccent\n"
        (root / "spk-info.txt").write_text(head + "".join("\t".join(row) + "\n" for row in rows))

    return SimpleNamespace(root=root, wave=wave, content=content, speakers=speakers)


def data_sh(*options):
    environment = {**os.environ, "python": sys.executable}
    command = ["bash", str(LOCAL / "data.sh"), *map(str, options)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def stage_0(corpus, out, *options):
    """What the recipe's stage 0 does; returns standard output of the corpus's own part."""
    done = data_sh("--corpus", corpus, out / "local" / "corpus")
    assert done.returncode == 0, done.stderr
    prepare_text.main(["--in_dir", str(out / "local" / "corpus"), "--out_dir", str(out / "local" / "all")])
    split_targets.main(["--data_dir", str(out / "local" / "all"), "--out_dir", str(out), *options])
    for path in sorted(out.glob("*/")):
        if path.is_dir() and path.name != "local":
            text = not path.name.endswith("_speech")
            assert validate(path, phones=older().phone_tables, text=text, audio=True) == []
    return done.stdout


def rows(path):
    return [tuple(line.split("\t")) for line in path.read_text(encoding="utf-8").splitlines()[1:]]


def test_every_defect_is_named_and_the_rest_goes_on(corpus, tmp_path, capsys):
    good = [f"SSB{spk:04d}{i:04d}" for spk in (1, 2, 3, 4) for i in range(10)]
    tests = [f"SSB{spk:04d}{i:04d}" for spk in (1, 2, 3) for i in range(20, 24)]
    for utt in good:
        corpus.wave(utt)
    for utt in [*tests, "SSB00010000"]:  # the last is in train too
        corpus.wave(utt, "test")
    corpus.wave("SSB00080001")  # a speaker with one utterance
    corpus.wave("SSB00020098", rate=8000, channels=2)
    corpus.wave("SSB00020099", seconds=20 * 60, rate=8000)
    corpus.wave("SSB00030091", seconds=0.05)
    corpus.wave("SSB00030092").write_bytes(b"")
    corpus.wave("SSB00030093").write_bytes(b"RIFF, but nothing more")
    cut = corpus.wave("SSB00030094")
    cut.write_bytes(cut.read_bytes()[:9000])
    corpus.wave("SSB00030095")  # has no line
    corpus.wave("SSB00030096")  # an unknown pinyin
    corpus.wave("SSB00030097")  # a pinyin too few
    corpus.wave("SSB00030098", folder="SSB0001")
    corpus.wave("SSB00030099")  # a line without text
    corpus.wave("SSB00030089")  # a line that isn't UTF-8
    corpus.wave("SSB00030088", seconds=0.11)  # the text can't be said in it
    corpus.wave("SSB09990001")  # an unknown speaker
    lines = [
        f"{utt}.wav\t{LINE}" for utt in [*good, "SSB00080001", "SSB00020098", "SSB00020099", "SSB00030091"]
    ]
    lines += [f"SSB000300{number}.wav\t{LINE}" for number in (90, 92, 93, 94, 98)]  # 90 has no recording
    lines += [f"{good[5]}.wav\t三 san1", f"SSB09990001.wav\t{LINE}"]
    lines += ["SSB00030096.wav\t你 ni3 好 haw3", "SSB00030097.wav\t你 ni3 好 女 nv3", "SSB00030099.wav"]
    lines += ["SSB00030089.wav\t你 ni3".encode("gb18030"), "SSB00030088.wav\t" + " ".join([LINE] * 2)]
    corpus.content("train", lines, head=b"\xef\xbb\xbf", end=b"\r\n")
    corpus.content("test", [f"{utt}.wav\t{LINE}" for utt in [*tests, "SSB00010000"]])
    corpus.speakers(
        *((f"SSB{spk:04d}", "B", "male" if spk == 2 else "female", "north") for spk in (1, 2, 3, 4, 8))
    )

    out = tmp_path / "data"
    stage_0(corpus.root, out, "--target_speakers", "SSB0002", "--labeled_minutes", "0.05")
    found = sorted((utt, reason) for utt, reason, _ in rows(out / "local" / "skipped.tsv"))
    assert found == [
        ("SSB00010000", "duplicate utterance"),
        ("SSB00010005", "duplicate utterance"),
        ("SSB00020099", "recording too long"),
        ("SSB00030088", "recording too short for its text"),
        ("SSB00030089", "line is not UTF-8"),
        ("SSB00030089", "recording without text"),
        ("SSB00030090", "text without recording"),
        ("SSB00030091", "recording too short"),
        ("SSB00030092", "recording empty"),
        ("SSB00030093", "recording unreadable"),
        ("SSB00030094", "recording truncated"),
        ("SSB00030095", "recording without text"),
        ("SSB00030096", "unknown pinyin"),
        ("SSB00030097", "wrong number of pinyin"),
        ("SSB00030098", "recording in another speaker's folder"),
        ("SSB00030099", "line without text"),
        ("SSB09990001", "speaker not in spk-info.txt"),
    ]
    assert sorted((what, remark) for what, remark, _ in rows(out / "local" / "notices.tsv")) == [
        ("SSB00020098", "sample rate below 16000 Hz"),
        ("SSB00020098", "several channels, averaged"),
        ("train/content.txt", "CR line ends read as LF"),
        ("train/content.txt", "byte-order mark (BOM) dropped"),
    ]
    printed = capsys.readouterr().out
    for _, reason in found:
        assert reason in printed
    assert "left out: 17" in printed and "2  duplicate utterance: SSB00010000, SSB00010005" in printed
    assert "1 speaker(s) with 1 utterance, train only: SSB0008" in printed
    # Of a duplicate the first is kept, and nothing that was sound is missing.
    assert read_table(out / "local" / "all" / "text")["SSB00010005"] == "你好女士"
    kept = {utt for path in out.glob("*/utt2spk") for utt in read_table(path)}
    assert kept == {*good, *tests, "SSB00080001", "SSB00020098"}
    assert "SSB00080001" in read_table(out / "train" / "text")
    assert set(read_table(out / "target_SSB0002_test" / "text")) == {u for u in tests if "SSB0002" in u}


@pytest.mark.parametrize("nested", [True, False])
def test_both_layouts(corpus, tmp_path, nested):
    utts = [f"SSB0001000{i}" for i in range(3)]
    for utt in utts:
        corpus.wave(utt)
    corpus.content("train", [f"{utt}.wav\t{LINE}" for utt in utts])
    corpus.speakers(("SSB0001", "B", "female", "north"))
    labels = "说明 | 标注\n" + "".join(f"{u}|ni3 hao3 % nv3 shi4 $|你好%女士$\n" for u in utts[:2])
    (corpus.root / "train" / "label_train-set.txt").write_text(labels, encoding="utf-8")
    place = corpus.root
    if nested:
        place = tmp_path / "unpacked"
        place.mkdir()
        corpus.root.rename(place / "data_aishell3")
    done = data_sh("--corpus", place, tmp_path / "tables")
    assert done.returncode == 0, done.stderr
    assert list(read_table(tmp_path / "tables" / "wav.scp")) == utts
    assert read_table(tmp_path / "tables" / "prosody") == dict.fromkeys(utts[:2], "ni3 hao3 % nv3 shi4 $")
    assert read_table(tmp_path / "tables" / "spk2gender") == {"SSB0001": "f"}
    assert set(read_table(tmp_path / "tables" / "utt2part").values()) == {"train"}


def test_recordings_of_any_ending_in_any_directory_are_found(corpus, tmp_path):
    utts = [f"SSB0001000{i}" for i in range(5)]
    paths = [corpus.wave(utt) for utt in utts]
    wavs = corpus.root / "train" / "wav"
    upper, deep, flat = (
        paths[0].with_suffix(".WAV"),
        wavs / "1" / "SSB0001" / paths[1].name,
        wavs / paths[2].name,
    )
    deep.parent.mkdir(parents=True)
    for old, new in zip(paths, (upper, deep, flat), strict=False):
        old.rename(new)
    flac = paths[3].with_suffix(".Flac")
    soundfile.write(flac, soundfile.read(paths[3])[0], 16000, format="FLAC")
    paths[3].unlink()
    endings = (".WAV", ".wav", ".wav", ".Flac", ".WAV")
    corpus.content("train", [f"{utt}{ending}\t{LINE}" for utt, ending in zip(utts, endings, strict=True)])
    corpus.speakers(("SSB0001", "B", "female", "north"))
    stage_0(corpus.root, tmp_path / "data")
    assert rows(tmp_path / "data/local/skipped.tsv") == rows(tmp_path / "data/local/notices.tsv") == []
    found = read_table(tmp_path / "data/local/all/wav.scp")
    assert found == dict(zip(utts, map(str, (upper, deep, flat, flac, paths[4])), strict=True))


@pytest.mark.parametrize(
    ("tokens", "reading"),
    [
        ("广 guang3 州 zhou1", ("广州", "guang3 zhou1")),
        ("广州 guang3 zhou1", ("广州", "guang3 zhou1")),
        ("一 yi4 点儿 dianr3", ("一点儿", "yi4 dianr3")),
        ("一 yi4 点 dianr3 儿", ("一点儿", "yi4 dianr3")),
        ("一 yi4 点 dianr3 儿 水 shui3", ("一点儿水", "yi4 dianr3 shui3")),
        ("一 yi4 点 dianr3", ("一点", "yi4 dianr3")),
        ("女 nv3 儿 er2", ("女儿", "nv3 er2")),
        ("玩 wanr2 儿 er5", ("玩儿", "wanr2 er5")),
        ("广 州 zhou1", None),
        ("广 guang3 zhou1", None),
        ("guang3 广", None),
        ("点 dian3 儿", None),
    ],
)
def test_content_lines(tokens, reading):
    assert load("prepare_aishell3").split_tokens(tokens.split()) == reading


def test_mistakes_are_explained(corpus, tmp_path):
    done = data_sh(tmp_path / "tables")
    assert done.returncode == 1 and "downloads: expected train/content.txt" in done.stderr
    done = data_sh("--corpus", tmp_path, tmp_path / "tables")
    assert done.returncode == 1 and "expected train/content.txt" in done.stderr
    corpus.content("train", [f"SSB00010000.wav\t{LINE}"])
    (corpus.root / "train" / "wav").mkdir()
    done = data_sh("--corpus", corpus.root, tmp_path / "tables")
    assert done.returncode == 1 and "spk-info.txt: cannot be read" in done.stderr
    corpus.speakers(("SSB0001", "B", "female", "north"))
    done = data_sh("--corpus", corpus.root, tmp_path / "tables")
    assert done.returncode == 1 and "no utterance has both a recording and a text" in done.stderr
    assert "text without recording: SSB00010000" in done.stdout
    assert not (tmp_path / "tables").exists() and "Traceback" not in done.stderr


def test_real_speech(tmp_path):
    source = os.environ.get("CTAP_HUMAN_CORPUS")
    if not source:
        pytest.skip("set CTAP_HUMAN_CORPUS to a corpus in AISHELL-3's layout to run stage 0 on it")
    out = tmp_path / "data"
    stage_0(source, out)
    in_content = sum(
        len((Path(source) / part / "content.txt").read_text().splitlines()) for part in ("train", "test")
    )
    skipped = rows(out / "local" / "skipped.tsv")
    assert len(read_table(out / "local" / "all" / "phones")) + len(skipped) == in_content
