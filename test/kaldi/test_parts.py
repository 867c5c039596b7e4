"""Parts that jobs wrote are one set, whatever lies in which."""

from pathlib import Path

import numpy as np
import pytest

from ctap.errors import UserError
from ctap.files.skips import SkipList
from ctap.files.tables import write_table
from ctap.kaldi.ark import MatrixWriter
from ctap.kaldi.datadir import DataDir
from ctap.kaldi.parts import NO_DURATIONS, Parts, fitting_durations


def write(folder: Path, job: int, *utts: str) -> Path:
    """A part whose matrices tell their utterance."""
    path = folder / f"feats.{job}.scp"
    with MatrixWriter(path.with_suffix(".ark"), path, None) as writer:
        for utt in utts:
            writer[utt] = np.full((ord(utt), 2), ord(utt))
    return path


def test_parts_are_read_in_the_order_of_utterances(tmp_path):
    parts = Parts.open([write(tmp_path, 1, "d", "a"), write(tmp_path, 2, "c", "b"), write(tmp_path, 3)])
    assert list(parts.utts) == list("abcd") and parts.frames.tolist() == [97, 98, 99, 100]
    some = parts.only(np.array([True, False, True, True]))
    assert list(some.utts) == list("acd")
    assert [int(matrix[0, 0]) for matrix in some.matrices()] == some.frames.tolist() == [97, 99, 100]


def test_an_utterance_in_two_parts_is_refused(tmp_path):
    with pytest.raises(UserError, match="'a' occurs a second time"):
        Parts.open([write(tmp_path, 1, "a"), write(tmp_path, 2, "a", "b")])


def test_durations_must_be_those_of_the_frames(tmp_path):
    parts = Parts.open([write(tmp_path, 1, "a", "b", "c")])  # of 97, 98 and 99 frames
    phones = {"a": "sil n", "b": "sil", "c": "sil"}
    write_table(tmp_path / "aligned_phones", phones)
    write_table(tmp_path / "durations", {"a": "7 90", "c": "99"})
    skipped = SkipList()
    assert fitting_durations(DataDir(tmp_path), parts, skipped).tolist() == [True, False, True]
    assert [(utt, why) for utt, why, _ in skipped] == [("b", NO_DURATIONS)]
    for durations, said in (
        ("97", "a: 2 aligned phones, but 1 durations"),
        ("97 0", "a: phone 2 .n. has 0 frames"),
        ("7 91", "a: durations sum to 98 frames, but the utterance has 97.* Repeat stage 1"),
        ("7 x", "a: 'x' is not a whole number"),
    ):
        write_table(tmp_path / "durations", {"a": durations})
        with pytest.raises(UserError, match=said):
            fitting_durations(DataDir(tmp_path), parts, SkipList())
