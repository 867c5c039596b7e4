"""aligned_phones and durations: what is refused, and that nothing changes on the way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctap.align.durations import check, read_durations, strip_pauses, write_durations
from ctap.errors import UserError
from ctap.text.languages import older
from ctap.text.phones import PHONES

GOOD = {"A01": (["sil", "n", "i3", "sp", "h", "ao3", "sil"], [12, 8, 9, 4, 7, 11, 3])}


def write(folder, phones, durations):
    (folder / "aligned_phones").write_text(phones)
    (folder / "durations").write_text(durations)


def test_known_files(tmp_path):
    write(tmp_path, "A01 sil n i3 sp h ao3 sil\n", "A01 12 8 9 4 7 11 3\n")
    assert read_durations(tmp_path) == GOOD
    write_durations(tmp_path / "copy", GOOD)
    assert (tmp_path / "copy/durations").read_text() == "A01 12 8 9 4 7 11 3\n"
    assert (tmp_path / "copy/aligned_phones").read_text() == "A01 sil n i3 sp h ao3 sil\n"


@pytest.mark.parametrize(
    ("phones", "durations", "says"),
    [
        ("A01 n i3\n", "A01 3 0\n", "i3.*0 frames"),
        ("A01 n i3\n", "A01 3 4 5\n", "2 aligned phones, but 3"),
        ("A01 n i3\n", "A01 3 4.5\n", "'4.5' is not a whole number"),
        ("A01 n i3\n", "A01 3 ²\n", "'²' is not a whole number"),
        ("A01 n i3\n", "A01 3 --3\n", "'--3' is not a whole number"),
        ("A01 n i3\nA02 n i3\n", "A01 3 4\n", "A02"),
        ("A01 n qq3\n", "A01 3 4\n", "unknown phone 'qq3'"),
    ],
)
def test_unsound_files_are_refused(tmp_path, phones, durations, says):
    write(tmp_path, phones, durations)
    with pytest.raises(UserError, match=says):
        read_durations(tmp_path)


def test_check_against_phones_and_frames():
    labels, frames = GOOD["A01"]
    spoken = ["n", "i3", "h", "ao3"]
    known = older().phone_tables["aligned_phones"]
    assert check(labels, frames, known=known, phones=spoken, total_frames=54) is None
    problem = check(labels, frames, known=known, phones=spoken, total_frames=55)
    assert "54 frames, but the utterance has 55" in problem
    assert "'ao3', but 'ao2'" in check(labels, frames, known=known, phones=["n", "i3", "h", "ao2"])
    assert strip_pauses(labels) == spoken


def test_refuses_to_write_what_it_would_not_read(tmp_path):
    with pytest.raises(UserError, match="A01"):
        write_durations(tmp_path, {"A01": (["n", "i3"], [3, 0])})
    assert not (tmp_path / "durations").exists()


@given(st.lists(st.tuples(st.sampled_from(PHONES), st.integers(1, 9999)), min_size=1, max_size=20))
def test_round_trip(tmp_path_factory, pairs):
    folder = tmp_path_factory.mktemp("d")
    wanted = {"x": ([p for p, _ in pairs], [n for _, n in pairs])}
    write_durations(folder, wanted)
    assert read_durations(folder) == wanted
