"""The quick look at a data directory says the same as the list of its problems."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctap.kaldi.validate import list_problems, sizes, validate

TABLES = {
    "wav.scp": "A-1 /a/1.wav\nA-2 /a/2.wav\nB-1 /b/1.wav\n",
    "utt2spk": "A-1 A\nA-2 A\nB-1 B\n",
    "spk2utt": "A A-1 A-2\nB B-1\n",
    "text": "A-1 你好\nA-2 好\nB-1 人 人\n",
    "phones": "A-1 n i3\nA-2 h ao3\nB-1 h\n",
    "utt2dur": "A-1 1.5\nA-2 2\nB-1 0.3\n",
    "spk2gender": "A f\nB m\n",
    "utt2part": "A-2 test\nB-1 dev\n",
}
PHONES = {"phones": {"n", "i3", "h", "ao3"}}
PIECES = st.sampled_from(
    [b"", b"A", b"B", b"-", b"1", b" ", b"\n", b"\t", b"\r", b"|", b"\xff", b"\xef\xbb\xbf"]
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


def write(folder: Path) -> None:
    for name, content in TABLES.items():
        (folder / name).write_text(content, encoding="utf-8")


def test_a_sound_directory_is_counted(folder: Path) -> None:
    write(folder)
    assert sizes(folder, phones=PHONES) == (3, 2)
    assert (
        validate(folder, phones=PHONES) == list_problems(folder, phones=PHONES, text=True, audio=False) == []
    )


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(TABLES)), st.floats(0, 1), st.integers(0, 3), PIECES)
def test_one_change_is_judged_alike(folder: Path, name: str, place: float, gone: int, piece: bytes) -> None:
    write(folder)
    content = (folder / name).read_bytes()
    at = round(place * len(content))
    (folder / name).write_bytes(content[:at] + piece + content[at + gone :])
    problems = list_problems(folder, phones=PHONES, text=True, audio=False)
    assert (sizes(folder, phones=PHONES) is None) == bool(problems), problems


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(TABLES)), st.integers(0, 2), st.integers(0, 2))
def test_moved_lines_are_judged_alike(folder: Path, name: str, taken: int, put: int) -> None:
    write(folder)
    lines = (folder / name).read_text(encoding="utf-8").splitlines(keepends=True)
    line = lines.pop(taken % len(lines))
    lines.insert(put, line)
    (folder / name).write_text("".join(lines), encoding="utf-8")
    problems = list_problems(folder, phones=PHONES, text=True, audio=False)
    assert (sizes(folder, phones=PHONES) is None) == bool(problems), problems
