"""Data directories: object, validator, fixer."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ctap.bin.fix_data_dir import fix_data_dir
from ctap.bin.validate_data_dir import validate_data_dir
from ctap.errors import UserError
from ctap.files.tables import read_table, write_table
from ctap.kaldi.datadir import DataDir
from ctap.kaldi.fix import fix
from ctap.kaldi.validate import validate
from ctap.text.languages import older
from ctap.text.rules import TextRules

ROOT = Path(__file__).resolve().parents[2]
PHONE_TABLES = older().phone_tables


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A sound directory: four utterances of two speakers, with audio."""
    path = tmp_path / "data"
    names = ["S1-a", "S1-b", "S2-a", "S2-b"]
    for name in names:
        soundfile.write(tmp_path / f"{name}.wav", np.zeros(1600), 16000)
    tables = {
        "wav.scp": {name: str(tmp_path / f"{name}.wav") for name in names},
        "utt2spk": {name: name[:2] for name in names},
        "spk2utt": {"S1": names[:2], "S2": names[2:]},
        "text": dict.fromkeys(names, "你好"),
        "pinyin": dict.fromkeys(names, "ni3 hao3"),
        "phones": dict.fromkeys(names, "n i3 h ao3"),
        "utt2dur": dict.fromkeys(names, 0.1),
        "spk2gender": {"S1": "m", "S2": "f"},
    }
    for table, rows in tables.items():
        write_table(path / table, rows)
    return path


def kinds(path: Path, **options: bool) -> set[tuple[str, str]]:
    return {(problem.file.name, problem.kind) for problem in validate(path, phones=PHONE_TABLES, **options)}


def edit(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes() if path.exists() else b""))


def test_tables_are_read_with_their_types(data: Path) -> None:
    there = DataDir(data)
    assert there.utterances() == ["S1-a", "S1-b", "S2-a", "S2-b"]
    assert there.spk2utt == {"S1": ["S1-a", "S1-b"], "S2": ["S2-a", "S2-b"]}
    assert there.utt2dur["S1-a"] == 0.1
    with pytest.raises(UserError, match=r"durations: no such file; the directory has wav\.scp, utt2spk"):
        there.table("durations")


def test_subset_takes_every_table_and_only_its_speakers(data: Path, tmp_path: Path) -> None:
    (data / "utt2lang").write_text("S1-a zh\nS1-b zh\n")
    small = DataDir(data).subset(["S1-b", "S1-b"], tmp_path / "small")
    assert small.spk2utt == {"S1": ["S1-b"]} and small.table("spk2gender") == {"S1": "m"}
    assert {p.name for p in small.path.iterdir()} == {p.name for p in data.iterdir()}
    assert small.table("utt2lang") == {"S1-b": "zh"}
    assert validate(small.path, phones=PHONE_TABLES) == []
    with pytest.raises(UserError, match="'nobody'"):
        DataDir(data).subset(["nobody"], tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_sound_directory_has_no_problems(data: Path) -> None:
    assert validate(data, phones=PHONE_TABLES, audio=True) == []
    report = fix(data, phones=PHONE_TABLES, audio=True)
    assert not report.dropped and not report.mended and not (data / ".backup").exists()
    assert "nothing to fix" in str(report)


FAULTS = {
    "order": ("text", lambda b: b"".join(reversed(b.splitlines(keepends=True))), "order"),
    "duplicate": ("text", lambda b: b + "S2-b 又\n".encode(), "duplicate"),
    "second after none": ("text", lambda b: b.replace(b"S1-b ", b"S1-b\nS1-b "), "duplicate"),
    "missing line": ("text", lambda b: b[b.index(b"\n") + 1 :], "set difference"),
    "extra line": ("pinyin", lambda b: b + b"S3-x ni3\n", "set difference"),
    "CR": ("text", lambda b: b.replace(b"\n", b"\r\n"), "CR"),
    "BOM": ("wav.scp", lambda b: b"\xef\xbb\xbf" + b, "BOM"),
    "UTF-8": ("text", lambda b: b.replace("S1-b 你好".encode(), "S1-b 你好".encode("gb18030")), "bad UTF-8"),
    "empty value": ("text", lambda b: b.replace("S1-b 你好".encode(), b"S1-b"), "empty value"),
    "empty line": ("utt2spk", lambda b: b.replace(b"\n", b"\n\n", 1), "empty line"),
    "blanks": ("utt2spk", lambda b: b.replace(b" ", b"\t", 1), "blanks"),
    "phone": ("phones", lambda b: b.replace(b"ao3", b"qq3", 1), "unknown phone"),
    "pause": ("phones", lambda b: b.replace(b" n", b" sil n", 1), "unknown phone"),
    "prefix": ("utt2spk", lambda b: b.replace(b"S1-b S1", b"S1-b X1"), "speaker prefix"),
    "two speakers": ("utt2spk", lambda b: b.replace(b"S1-b S1", b"S1-b S1 S2"), "bad speaker"),
    "speaker's name": ("utt2spk", lambda b: b.replace(b"S1-b S1", b"S1-b ../S1"), "bad speaker"),
    "utterance's name": ("text", lambda b: b.replace(b"S1-b", b"S1-/../b"), "bad key"),
    "spk2utt lacks": ("spk2utt", lambda b: b.replace(b" S1-b", b""), "spk2utt and utt2spk"),
    "spk2utt wrong": ("spk2utt", lambda b: b.replace(b"S1-b", b"S2-a"), "spk2utt and utt2spk"),
    "gender": ("spk2gender", lambda b: b.replace(b"S1 m", b"S1 male"), "bad gender"),
    "stray gender": ("spk2gender", lambda b: b + b"S3 m\n", "set difference"),
    "stray part": ("utt2part", lambda b: b"S1-a test\nS3-x test\n", "set difference"),
    "stray prosody": ("prosody", lambda b: "S1-a 你好#4\nS3-x 你#4\n".encode(), "set difference"),
    "part without a value": ("utt2part", lambda b: b"S1-a\n", "empty value"),
    "command": ("wav.scp", lambda b: b.replace(b".wav\n", b".wav |\n", 1), "command"),
    "no duration": ("utt2dur", lambda b: b.replace(b"0.1", b"0.0", 1), "bad duration"),
    "odd duration": ("utt2dur", lambda b: b.replace(b"0.1", b"nan", 1), "bad duration"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_found_and_mended(data: Path, name: str) -> None:
    file, change, kind = FAULTS[name]
    edit(data / file, change)
    assert (file, kind) in kinds(data)
    if name == "gender":  # only a person can tell
        return
    report = fix(data, phones=PHONE_TABLES)
    assert validate(data, phones=PHONE_TABLES) == []
    assert report.utterances == len(DataDir(data).utterances()) >= 2
    assert report.mended or report.dropped
    assert any((data / ".backup").iterdir())


def test_tables_that_need_not_be_filled_cost_no_utterance(data: Path) -> None:
    partial = {
        "spk2gender": "S1 m\n",
        "utt2part": "S2-a test\n",
        "utt2lang": "S1-b zh\n",
        "prosody": "S1-a 你好#4\n",
        "spk2age": "S2 30\n",
    }
    for name, content in partial.items():
        (data / name).write_text(content)
    assert validate(data, phones=PHONE_TABLES) == []
    assert "nothing to fix" in str(fix(data, phones=PHONE_TABLES))
    for name, row in (("spk2gender", "S3 f"), ("utt2part", "S3-x dev"), ("prosody", "S3-x 你#4")):
        edit(data / name, lambda b, row=row: b + f"{row}\n".encode())
    edit(data / "utt2lang", lambda b: b + b"S2-a\n")
    report = fix(data, phones=PHONE_TABLES)
    assert report.utterances == 4 and report.dropped == {
        "speaker without utterances in spk2gender (line)": 1,
        "no such utterance in utt2part (line)": 1,
        "no such utterance in prosody (line)": 1,
        "empty value in utt2lang (line)": 1,
    }
    assert {name: (data / name).read_text() for name in partial} == partial


def test_unsorted_speakers_are_found(tmp_path: Path) -> None:
    names = {"S1_a": "S1", "S10_a": "S10"}
    for table in ("wav.scp", "utt2spk", "text"):
        write_table(tmp_path / table, names)
    write_table(tmp_path / "spk2utt", {"S1": ["S1_a"], "S10": ["S10_a"]})
    assert kinds(tmp_path) == {("utt2spk", "speaker order")}


def test_an_utterance_begins_with_its_speaker(tmp_path: Path) -> None:
    for table in ("wav.scp", "utt2spk", "text"):
        write_table(tmp_path / table, {"S1_a": "X1"})
    write_table(tmp_path / "spk2utt", {"X1": ["S1_a"]})
    assert kinds(tmp_path) == {("utt2spk", "speaker prefix")}


def test_order_is_one_problem_of_a_table(data: Path) -> None:
    edit(data / "text", FAULTS["order"][1])
    assert [problem.kind for problem in validate(data, phones=PHONE_TABLES)] == ["order"]


def test_missing_tables_are_found(data: Path) -> None:
    for name in ("text", "spk2utt"):
        (data / name).unlink()
    assert kinds(data) >= {("text", "missing file"), ("spk2utt", "missing file")}
    assert kinds(data, text=False) == {("spk2utt", "missing file")}
    with pytest.raises(UserError, match="no such directory"):
        validate(data / "nowhere", phones=PHONE_TABLES)


def test_bad_audio_is_found_and_removed(data: Path, tmp_path: Path) -> None:
    (tmp_path / "S1-a.wav").unlink()
    (tmp_path / "S1-b.wav").write_bytes(b"")
    soundfile.write(tmp_path / "S2-a.wav", np.zeros(0), 16000)
    assert validate(data, phones=PHONE_TABLES) == []
    found = [str(problem) for problem in validate(data, phones=PHONE_TABLES, audio=True)]
    assert len(found) == 3
    for problem, word in zip(found, ("no such audio file", "0 bytes", "no samples"), strict=True):
        assert word in problem
    report = fix(data, phones=PHONE_TABLES, audio=True)
    assert report.dropped.pop("speaker without utterances in spk2gender (line)") == 1
    assert report.dropped == {"audio missing, empty or unreadable": 3} and report.utterances == 1


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_cut_short_audio_is_found(data: Path, tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"long.{suffix}"
    soundfile.write(file, np.random.default_rng(0).normal(0, 0.1, 32000), 16000)
    edit(data / "wav.scp", lambda b: b.replace(b"S1-a.wav", f"long.{suffix}".encode()))
    (data / "utt2dur").unlink()
    assert validate(data, phones=PHONE_TABLES, audio=True) == []
    edit(file, lambda b: b[: len(b) // 2])
    assert kinds(data, audio=True) == {("wav.scp", "audio")}


@pytest.mark.parametrize("stated", [b"0.2", b"0.05"])
def test_duration_that_is_not_the_audios_is_found(data: Path, stated: bytes) -> None:
    edit(data / "utt2dur", lambda b: b.replace(b"0.1", stated, 1))
    assert kinds(data, audio=True) == {("utt2dur", "bad duration")}


def test_fix_counts_each_utterance_once_and_keeps_what_it_removed(data: Path) -> None:
    edit(data / "text", lambda b: b"\xef\xbb\xbf" + b.replace(b"\n", b"\r\n") + "S1-a 再\r\n".encode())
    edit(data / "phones", lambda b: b.replace(b"S1-b n i3 h ao3", b"S1-b"))
    edit(data / "wav.scp", lambda b: b.replace(b"S2-b.wav", b"S2-b.wav |"))
    before = (data / "text").read_bytes()
    report = fix(data, phones=PHONE_TABLES)
    assert report.dropped == {
        "duplicate in text (line)": 1,
        "empty value in phones": 1,
        "wav.scp holds a command ('|')": 1,
    }
    assert report.mended["BOM in text"] == 1 and report.mended["CR in text"] == 5
    assert read_table(data / "text") == {"S1-a": "你好", "S2-a": "你好"}
    assert (data / ".backup" / "text").read_bytes() == before
    kept = (data / ".backup" / "removed.tsv").read_bytes()
    with (data / "text").open("a") as file:
        file.write("zzz lost\n")
    assert ".backup.2/removed.tsv" in str(fix(data))
    assert (data / ".backup" / "removed.tsv").read_bytes() == kept
    assert b"zzz" in (data / ".backup.2" / "text").read_bytes()
    removed = (data / ".backup" / "removed.tsv").read_text().splitlines()
    assert "text\t5\tduplicate in text\tS1-a 再" in removed
    assert any(line.startswith("text\t4\twav.scp holds a command") for line in removed)


def test_fix_that_would_leave_nothing_touches_nothing(data: Path) -> None:
    (data / "text").write_text("X-1 你\n")
    before = {file.name: file.read_bytes() for file in data.iterdir()}
    with pytest.raises(UserError, match="no utterance would be left"):
        fix(data, phones=PHONE_TABLES)
    assert {file.name: file.read_bytes() for file in data.iterdir()} == before


def test_fix_makes_the_speaker_tables_from_each_other(data: Path) -> None:
    original = (data / "utt2spk").read_bytes()
    (data / "utt2spk").unlink()
    fix(data, phones=PHONE_TABLES)
    assert (data / "utt2spk").read_bytes() == original
    (data / "spk2utt").unlink()
    fix(data, phones=PHONE_TABLES)
    assert validate(data, phones=PHONE_TABLES) == []
    (data / "wav.scp").unlink()
    with pytest.raises(UserError, match=r"wav\.scp: missing"):
        fix(data, phones=PHONE_TABLES)


def test_commands(data: Path) -> None:
    def call(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
        command = [ROOT / "utils" / name, *arguments]
        return subprocess.run(command, capture_output=True, text=True, env={"PATH": path}, cwd="/")

    done = call("validate_data_dir", str(data))
    assert done.returncode == 0 and "sound, 4 utterances of 2 speakers" in done.stdout
    edit(data / "text", lambda b: b.replace(b"\n", b"\r\n"))
    done = call("validate_data_dir", "--max_lines", "2", str(data))
    assert done.returncode == 1 and done.stdout.count("carriage return") == 2
    assert f"{data}/text:1: CR: holds" in done.stdout and "4 x CR" in done.stdout
    assert done.stderr.startswith("error: problems in") and "`ctap data fix`" in done.stderr
    assert "Traceback" not in done.stderr
    assert call("validate_data_dir", "--no_text", str(data)).returncode == 0
    assert "CR in text" in call("fix_data_dir", str(data)).stdout
    assert call("validate_data_dir", str(data)).returncode == 0
    assert call("fix_data_dir", "/nowhere").stderr.startswith("error: /nowhere: no such directory")


def test_phones_are_those_of_the_language_where_one_is_recorded(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(data / "phones", lambda b: b.replace(b"n i3 h ao3", b"HH AY1"))
    fix_data_dir([data])
    validate_data_dir([data])
    assert "4 utterances of 2 speakers are left" in capsys.readouterr().out
    TextRules("english").save(data)
    validate_data_dir([data])
    TextRules().save(data)
    with pytest.raises(UserError, match="problems in"):
        validate_data_dir([data])
    assert "8 x unknown phone" in capsys.readouterr().out
