import pytest

from ctap.errors import UserError
from ctap.files.skips import SkipList


def test_written_sorted_and_read_again(tmp_path):
    skipped = SkipList()
    skipped.add("b", "too long", "61 s:\t/x y.wav\n")
    skipped.add("a", "too long")
    skipped.add("a", "too long")
    skipped.write(tmp_path / "s.tsv")
    assert (
        tmp_path / "s.tsv"
    ).read_text() == "utt\treason\tdetail\na\ttoo long\t-\nb\ttoo long\t61 s: /x y.wav\n"
    again = SkipList()
    again.extend(tmp_path / "s.tsv")
    again.extend(tmp_path / "none.tsv")
    assert again.counts() == {"too long": 2} and again.utterances == {"a", "b"}


def test_report_counts_and_names(capsys):
    skipped = SkipList()
    for i in (*range(5), 0):  # an entry that comes twice is one
        skipped.add(f"u{i}", "too long")
    skipped.add("v", "empty")
    skipped.report("left out", "s.tsv")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "left out: 6 (each is named in s.tsv)"
    assert [line.strip() for line in lines[1:]] == ["5  too long: u0, u1, u2, ...", "1  empty: v"]


@pytest.mark.parametrize("content", ["a\tb\tc\n", "utt\treason\tdetail\na\tb\n"])
def test_other_tables_are_refused(tmp_path, content):
    (tmp_path / "s.tsv").write_text(content)
    with pytest.raises(UserError, match=r"s\.tsv:[12]: expected"):
        SkipList().extend(tmp_path / "s.tsv")
