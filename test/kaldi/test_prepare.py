import os

import pytest

from ctap.errors import UserError
from ctap.files.columns import Names
from ctap.files.tables import read_table, write_table
from ctap.kaldi.prepare import check_tables, read_tables, tables_dir, take_over, write_tables
from ctap.text.rules import RULES_FILE

TABLES = {
    "wav.scp": {"a1": "a1.wav", "a2": "a2.wav"},
    "utt2spk": {"a1": "a", "a2": "a"},
    "text": {"a1": "一", "a2": "二"},
}


@pytest.fixture
def there(tmp_path):
    """A directory with a table of a later stage."""
    write_tables(tmp_path / "d", TABLES)
    (tmp_path / "d" / "durations").write_text("a1 3\na2 4\n")
    return tmp_path / "d"


def test_what_is_written_is_read(there):
    assert read_tables(there) == {**TABLES, "durations": {"a1": "3", "a2": "4"}}
    assert check_tables(there) == ["wav.scp", "utt2spk", "text", "durations"]


def test_parts_of_recordings_are_refused_and_not_taken_for_whole_ones(there):
    (there / "segments").write_text("a1 a1 0.5 1.2\n")
    with pytest.raises(UserError, match="segments: parts of recordings are not read; write each utterance"):
        check_tables(there)


def test_the_same_directory_is_left_alone(there):
    (there / "text").write_text("a1  一\na2\t二 \n", encoding="utf-8")  # the same rows
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in there.iterdir()}
    write_tables(there, TABLES)
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in there.iterdir()} == before
    assert [path.name for path in there.parent.iterdir()] == ["d"]


@pytest.mark.parametrize(
    "tables",
    [
        {**TABLES, "text": {"a1": "一", "a2": "三"}},
        {name: {"a1": rows["a1"]} for name, rows in TABLES.items()},
        {name: rows for name, rows in TABLES.items() if name != "text"},
        {**TABLES, "utt2dur": {"a1": "1", "a2": "2"}},
    ],
)
def test_another_directory_is_replaced_with_all_that_is_in_it(there, tables):
    write_tables(there, tables)
    assert read_tables(there) == tables and not (there / "durations").exists()


def test_a_table_of_the_same_size_and_time_may_be_another(there):
    with tables_dir(there) as folder:
        for name, rows in {**TABLES, "text": {"a1": "一", "a2": "三"}}.items():
            write_table(folder / name, rows)
            state = (there / name).stat()
            os.utime(folder / name, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert read_tables(there)["text"] == {"a1": "一", "a2": "三"}


@pytest.mark.parametrize("damage", ["a1 一\n", "a1 一\na2 二\na2 二\n", "a2 二\na1 一\n", "a1\n", b"\xff\n"])
def test_a_directory_that_was_damaged_is_replaced(there, damage):
    (there / "text").write_bytes(damage if isinstance(damage, bytes) else damage.encode())
    write_tables(there, TABLES)
    assert read_tables(there) == TABLES


def test_what_is_said_of_the_whole_is_brought_up_to_date(there):
    for content in ("{}", "{1}", None):
        with tables_dir(there) as folder:
            for name, rows in TABLES.items():
                write_table(folder / name, rows)
            if content:
                (folder / RULES_FILE).write_text(content)
        path = there / RULES_FILE
        assert (path.read_text() if path.exists() else None) == content
        assert (there / "durations").exists()


def test_a_block_that_fails_changes_nothing(there):
    before = {path.name: path.read_bytes() for path in there.iterdir()}
    with pytest.raises(UserError, match="no more"), tables_dir(there) as folder:
        write_table(folder / "wav.scp", {"b1": "b1.wav"})
        raise UserError("no more")
    assert {path.name: path.read_bytes() for path in there.iterdir()} == before
    assert [path.name for path in there.parent.iterdir()] == ["d"]


@pytest.mark.parametrize("tables", [{}, {"wav.scp": {}, "utt2spk": {}}, {"text": {"a1": "一"}}])
def test_a_directory_without_utterances_is_not_written(tmp_path, tables):
    with pytest.raises(UserError, match="d: would hold no utterance"):
        write_tables(tmp_path / "d", tables)
    assert list(tmp_path.iterdir()) == []


def test_errors_name_the_line(tmp_path):
    (tmp_path / "d").mkdir()
    with pytest.raises(UserError, match=r"no wav\.scp"):
        check_tables(tmp_path / "d")
    write_tables(tmp_path / "d", TABLES)
    for name, content, message in (
        ("text", "a2 二\na1 一\na2 二\n", "text:3: 'a2' occurs a second time"),
        ("text", "a1 一\na2\n", "text:2: 'a2' has no value"),
        ("utt2spk", "a1 a\na2 a b\n", "utt2spk:2: 'a b' holds a blank"),
    ):
        write_tables(tmp_path / "d", TABLES)
        (tmp_path / "d" / name).write_text(content, encoding="utf-8")
        for read in (check_tables, read_tables):
            with pytest.raises(UserError, match=message):
                read(tmp_path / "d")


def test_what_is_not_made_anew_is_taken_over(there, tmp_path):
    write_table(there / "utt2spk", {"a1": "a", "a2": "a", "b1": "b"})
    write_table(there / "spk2gender", {"a": "Female", "b": "?"})
    (tmp_path / "new").mkdir()
    assert take_over(there, tmp_path / "new", Names(["a2"], "some"), leave=["text", "wav.scp"]) == 1
    assert {path.name for path in (tmp_path / "new").iterdir()} == {
        "utt2spk",
        "spk2utt",
        "spk2gender",
        "durations",
    }
    assert read_table(tmp_path / "new" / "spk2gender") == {"a": "f"}  # of b nothing is asked
    with pytest.raises(UserError, match=r"'b' has '\?', expected m or f"):
        take_over(there, tmp_path / "new", Names(["a1", "b1"], "some"), leave=["text", "wav.scp"])
