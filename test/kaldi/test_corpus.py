"""What readers of corpora share."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctap.errors import UserError
from ctap.files.tables import read_table
from ctap.kaldi.corpus import Corpus, find_root, without_ending


def test_lines_of_a_broken_file(tmp_path: Path) -> None:
    path = tmp_path / "lists" / "text"
    path.parent.mkdir()
    path.write_bytes(b"\xef\xbb\xbfa|1\r\n\r\n b|2\rc.wav|\xff\nd|4")
    corpus = Corpus()
    assert list(corpus.read_lines(path)) == [(1, "a|1"), (3, "b|2"), (5, "d|4")]
    assert [entry[:2] for entry in corpus.skipped] == [("c", "line is not UTF-8")]
    assert [entry[:2] for entry in corpus.notices] == [
        ("lists/text", "byte-order mark (BOM) dropped"),
        ("lists/text", "CR line ends read as LF"),
    ]
    with pytest.raises(UserError, match="no-such: cannot be read: No such file"):
        list(corpus.read_lines(tmp_path / "no-such"))


def test_of_two_the_first_is_kept(tmp_path: Path) -> None:
    for name in ("b/x.wav", "a/x.wav", "a/y.wav", "a/._y.wav", "z.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    corpus = Corpus()
    found = corpus.recordings(tmp_path)
    assert found == {"x": tmp_path / "a/x.wav", "y": tmp_path / "a/y.wav", "z": tmp_path / "z.wav"}
    del found["z"]
    for utt, path in found.items():
        corpus.add(f"spk-{utt}", path, "spk", "dev")
        corpus.put("text", f"spk-{utt}", " a \u3000 b ", "list:1")
    corpus.add("spk-x", tmp_path / "z.wav", "spk")
    corpus.add("spk/x", tmp_path / "z.wav", "spk")
    corpus.put("text", "spk-x", "c", "list:2")
    corpus.put("text", "spk-q", " ", "list:3")
    corpus.gender("spk", "Female", "info:1")
    corpus.gender("spk", "?", "info:2")
    corpus.write(tmp_path / "out")
    assert read_table(tmp_path / "out/text") == {"spk-x": "a b", "spk-y": "a b"}
    assert read_table(tmp_path / "out/utt2part") == {"spk-x": "dev", "spk-y": "dev"}
    assert read_table(tmp_path / "out/spk2gender") == {"spk": "f"}
    lines = (tmp_path / "out/skipped.tsv").read_text().splitlines()[1:]
    assert [line.split("\t")[:2] for line in lines] == [
        ["spk-q", "line without text"],
        ["spk-x", "duplicate utterance"],
        ["spk-x", "second recording of one name"],
        ["spk/x", "name that can't be used"],
        ["x", "second recording of one name"],
    ]
    assert "gender unknown" in (tmp_path / "out/notices.tsv").read_text()


def test_recordings_are_found_at_any_depth_whatever_their_endings(tmp_path: Path) -> None:
    names = ["a/1.WAV", "2.Flac", "b/c/d/3.mp3", "a/0/1.wav", "a/4.txt", "__MACOSX/5.wav", ".x/6.wav"]
    for name in [*names, "a/7.wav.trn", "8"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "b" / "round").symlink_to(tmp_path)
    corpus = Corpus()
    found = {name: str(path.relative_to(tmp_path)) for name, path in corpus.recordings(tmp_path).items()}
    assert found == {"1": "a/1.WAV", "2": "2.Flac", "3": "b/c/d/3.mp3"}
    assert [entry[:2] for entry in corpus.skipped] == [("1", "second recording of one name")]
    assert [without_ending(name) for name in ("a.WAV", "a.b.flac", "a.b")] == ["a", "a.b", "a.b"]


def test_nothing_is_refused_with_what_was_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    corpus = Corpus()
    corpus.add("a-1", tmp_path / "1.wav", "a")
    corpus.put("text", "b-1", "hello", "list:1")
    with pytest.raises(UserError, match=r"recordings 1 \(first: a-1\), texts 1 \(first: b-1\)"):
        corpus.write(tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(UserError, match="expected lists here or under corpus/, found nothing; give"):
        find_root(tmp_path, "corpus", ["lists"])
    (tmp_path / "corpus" / "lists").mkdir(parents=True)
    assert find_root(tmp_path, "corpus", ["other", "lists"]) == tmp_path / "corpus"
    with pytest.raises(UserError, match="no such directory"):
        corpus.recordings(tmp_path / "wav")
