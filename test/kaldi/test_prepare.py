import pytest

from ctap.errors import UserError
from ctap.kaldi.prepare import read_tables, select, write_tables

TABLES = {
    "wav.scp": {"a1": "a1.wav", "a2": "a2.wav", "b1": "b1.wav"},
    "utt2spk": {"a1": "a", "a2": "a", "b1": "b"},
    "text": {"a1": "一", "a2": "二", "b1": "三"},
    "phones": {"a1": "i1", "a2": "er4", "b1": "s an1"},
    "spk2gender": {"a": "f", "b": "m"},
}


def test_select_takes_the_rows_of_the_utterances_and_their_speakers():
    chosen = select(TABLES, ["a2"])
    assert chosen == {
        "wav.scp": {"a2": "a2.wav"},
        "utt2spk": {"a2": "a"},
        "text": {"a2": "二"},
        "phones": {"a2": "er4"},
        "spk2gender": {"a": "f"},
        "spk2utt": {"a": ["a2"]},
    }
    assert select(TABLES, ["a1", "b1"], text=False).keys() == {"wav.scp", "utt2spk", "spk2gender", "spk2utt"}


def test_the_same_directory_is_left_alone_and_another_replaced(tmp_path):
    chosen = select(TABLES, ["a1", "a2"])
    assert write_tables(tmp_path / "d", chosen)
    (tmp_path / "d" / "durations").write_text("a1 3\na2 4\n")
    assert not write_tables(tmp_path / "d", chosen)
    assert (tmp_path / "d" / "durations").exists()
    assert write_tables(tmp_path / "d", select(TABLES, ["a1"]))
    assert not (tmp_path / "d" / "durations").exists()
    assert read_tables(tmp_path / "d")["text"] == {"a1": "一"}


def test_text_of_an_earlier_set_does_not_stay(tmp_path):
    write_tables(tmp_path / "d", select(TABLES, ["a1"]))
    assert write_tables(tmp_path / "d", select(TABLES, ["a1"], text=False))
    assert not (tmp_path / "d" / "text").exists()


def test_errors(tmp_path):
    with pytest.raises(UserError, match="no utterance"):
        write_tables(tmp_path / "d", select(TABLES, []))
    (tmp_path / "e").mkdir()
    with pytest.raises(UserError, match=r"no wav\.scp"):
        read_tables(tmp_path / "e")
