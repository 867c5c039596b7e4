"""Options and lists that the inference commands share."""

from __future__ import annotations

import pytest

from ctap.audio.wave import AudioError
from ctap.bin import common
from ctap.bin.common import over, wave_list
from ctap.errors import UserError


def test_wavs_of_one_name_are_refused_and_a_list_is_asked_for() -> None:
    with pytest.raises(UserError, match=r"x/a\.wav.*same name.*--scp|same name"):
        wave_list(["x/a.wav", "y/a.wav"], None)
    with pytest.raises(UserError, match="--wav"):
        wave_list(None, None)


def halve(utt: str, number: int) -> int:
    if number == 9:
        raise AudioError("unreadable")
    if number % 2:
        raise UserError(f"{number} is odd")
    return number // 2


def test_unreadable_recordings_are_named_and_the_rest_is_done(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        assert over({"a": 2, "b": 9, "c": 8}, "halving", halve) == {"a": 1, "c": 4}
    assert "b: left out: unreadable" in caplog.text
    assert "halving: 2 utterances done, 1 left out b" in caplog.text
    with pytest.raises(UserError, match="none of 2 utterances could be done; the first: x: 1 is odd"):
        over({"x": 1, "y": 9}, "halving", halve)


def test_a_fault_is_an_error_once_the_rest_is_done_and_saved() -> None:
    saved: dict[str, int] = {}
    with pytest.raises(UserError, match="2 of 3 utterances done, 1 left out; the first: b: 3 is odd"):
        over({"a": 2, "b": 3, "c": 8}, "halving", halve, saved.update)
    assert saved == {"a": 1, "c": 4}


def test_results_are_saved_as_the_work_goes_on_and_where_it_breaks_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    saved: list[dict[str, int]] = []

    def stop(utt: str, number: int) -> int:
        if utt == "c":
            raise KeyboardInterrupt
        return number

    with pytest.raises(KeyboardInterrupt):
        over({"a": 1, "b": 2, "c": 3}, "work", stop, lambda done: saved.append(dict(done)))
    assert saved == [{"a": 1, "b": 2}]
    monkeypatch.setattr(common, "SAVE_SECONDS", -1.0)
    saved.clear()
    over({"a": 1, "b": 2}, "work", stop, lambda done: saved.append(dict(done)))
    assert saved == [{"a": 1}, {"a": 1, "b": 2}, {"a": 1, "b": 2}]
