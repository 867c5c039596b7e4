"""Texts of a corpus, read table by table; the command over it is that of stage 0."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctap.audio.headers import Recording
from ctap.errors import UserError
from ctap.files.columns import Names
from ctap.files.skips import SkipList
from ctap.files.tables import read_table, write_table
from ctap.text.corpus import consistent, read_all, write_made, write_rules
from ctap.text.languages import language_of
from ctap.text.rules import TextRules

MANDARIN = language_of(TextRules())


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    write_table(tmp_path / "wav.scp", {utt: f"/{utt}.wav" for utt in ("a-1", "a-2", "a-3", "a-4")})
    write_table(tmp_path / "utt2spk", {"a-1": "a", "a-2": "a", "a-4": "a", "a-5": "a"})
    write_table(tmp_path / "text", {"a-1": "你好！", "a-2": "好", "a-3": "好", "a-5": "好"})
    return tmp_path


def test_what_is_not_in_all_tables_is_named(tables: Path) -> None:
    skipped = SkipList()
    assert list(consistent(tables, ["text"], skipped, MANDARIN)) == ["a-1", "a-2"]
    assert {utt: why for utt, why, _ in skipped} == {
        "a-3": "no speaker in utt2spk",
        "a-4": "recording without text",
        "a-5": "text without recording",
    }
    with pytest.raises(UserError, match="holds neither text nor pinyin; write one of them"):
        list(consistent(tables, [], SkipList(), MANDARIN))


def test_what_is_read_and_long_enough_is_written(tables: Path, tmp_path: Path) -> None:
    skipped, notices, out = SkipList(), SkipList(), tmp_path / "out"
    out.mkdir()
    recordings = [Recording(0.05, "0" * 16), Recording(0.0, "1" * 16)]  # 6 frames for 4 phones; 1 for 2
    readings = read_all(tables, Names(["a-1", "a-2"], "some"), recordings, MANDARIN, skipped, notices)
    made = write_made(out, readings, MANDARIN)
    assert (list(made.utts), made.seconds, made.phones) == (["a-1"], 0.05, {"n", "i3", "h", "ao3"})
    assert [(utt, why) for utt, why, _ in skipped] == [("a-2", "recording too short for its text")]
    assert read_table(out / "phones") == {"a-1": "n i3 h ao3"} and read_table(out / "text") == {"a-1": "你好"}
    assert not (out / "word_phones").exists()
    write_rules(out, MANDARIN, made.phones)
    assert TextRules.load(out) == MANDARIN.rules
