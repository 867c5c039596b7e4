"""Options and lists that the inference commands share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ctap.bin.common import command, share, wave_list
from ctap.errors import UserError


def test_several_wavs_of_a_command_line_become_a_list_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    found: dict[str, str] = {}

    def convert(out: Path, wav: list[Path] | None = None, scp: Path | None = None) -> None:
        found.update(wave_list(wav, scp))

    monkeypatch.setattr(sys, "argv", ["convert", "--wav", "x/a.wav", "y/b.flac", "--out", "here"])
    command(convert, wav="Recordings.")
    assert found == {"a": "x/a.wav", "b": "y/b.flac"}


def test_wavs_of_one_name_are_refused_and_a_list_is_asked_for() -> None:
    with pytest.raises(UserError, match=r"x/a\.wav.*same name.*--scp|same name"):
        wave_list(["x/a.wav", "y/a.wav"], None)
    with pytest.raises(UserError, match="--wav"):
        wave_list(None, None)


def test_jobs_share_all_items_once() -> None:
    items = {f"utt{i}": i for i in range(7)}
    parts = [share(items, job, 3) for job in (1, 2, 3)]
    assert sorted(k for part in parts for k in part) == sorted(items)
    with pytest.raises(UserError, match="--job 4"):
        share(items, 4, 3)
