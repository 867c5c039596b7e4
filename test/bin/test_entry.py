"""A function's signature and docstring as a command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from ctap.bin.entry import command, commands
from ctap.errors import UserError

SEEN: dict[str, Any] = {}


def listen(
    out: Path,
    wav: list[Path],
    names: Sequence[str] | None = None,
    level: Literal["low", "high"] = "low",
    strict: bool = False,
    drop: bool | Literal["doubtful", "all"] = False,
) -> None:
    """Listen to recordings.

    More of it.

    Args:
        out: Where to.
        wav: Recordings.
        names: Of listeners.
        level: How loud.
        strict: Refuse more.
        drop: Leave out.
    """
    SEEN.update(locals())


def check(folder: list[Path], /, audio: bool = False, most: int = 3, no_text: bool = False) -> None:
    """Check folders."""
    SEEN.update(locals())
    if most == 0:
        raise UserError("folder: nothing to show")


def say(text: str | None = None, seconds: float | None = None) -> None:
    """Say something.

    Args:
        text: What.
        seconds: How long.
    """
    SEEN.update(locals())


@pytest.mark.parametrize("text", ["null", "#4 you", "~", "12", "[1]", "a: b", "", "None", "True"])
def test_text_is_text_whatever_yaml_reads_in_it(text: str) -> None:
    SEEN.clear()
    command(say).execute(["--text", text, "--seconds", "2"])
    assert {"text": text, "seconds": 2.0} == SEEN
    command(say).execute([])
    assert SEEN == {"text": None, "seconds": None}


@dataclass(frozen=True)
class Chosen:
    """What is chosen.

    Args:
        names: Of listeners.
        most: At most so many.
    """

    names: list[str]
    most: int = 3


def choose(out: Path, chosen: Chosen, strict: bool = False) -> None:
    """Choose.

    Args:
        out: Where to.
        chosen: What is chosen.
        strict: Refuse more.
    """
    SEEN.update(locals())


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("--wav a.wav b.wav", {"wav": [Path("a.wav"), Path("b.wav")], "names": None, "drop": False}),
        ("--wav a.wav --wav b.wav", {"wav": [Path("a.wav"), Path("b.wav")]}),
        ("--wav a --names 1 null --level high", {"names": ["1", "null"], "level": "high"}),
        ("--wav a --strict --drop", {"strict": True, "drop": True}),
        ("--wav a --strict true --drop all", {"strict": True, "drop": "all"}),
        ("--strict false --drop=doubtful --wav a", {"strict": False, "drop": "doubtful"}),
    ],
)
def test_values_have_the_types_of_the_signature(words: str, expected: dict[str, Any]) -> None:
    command(listen)(["--out", "here", *words.split()])
    assert SEEN["out"] == Path("here")
    assert {key: SEEN[key] for key in expected} == expected


@pytest.mark.parametrize(
    "words",
    ["--out x", "--wav a", "--out x --wav", "--out x --wav a --drop some", "--out x --wav a --lvl high"],
)
def test_what_does_not_fit_the_signature_is_refused(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command(listen)(words.split())
    assert caught.value.code == 2
    assert "error: " in capsys.readouterr().err


def test_a_switch_does_not_swallow_what_is_given_without_a_name() -> None:
    command(check)(["--audio", "a", "b", "--most", "7"])
    assert SEEN | {"folder": [Path("a"), Path("b")], "audio": True, "most": 7} == SEEN


def test_dashes_may_stand_for_underscores() -> None:
    command(check)(["--no-text", "a-b"])
    assert SEEN["no_text"] and SEEN["folder"] == [Path("a-b")]


def test_the_docstring_is_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command(listen)(["--help"], "ctap listen")
    said = capsys.readouterr().out
    assert said.startswith("usage: ctap listen ") and "Listen to recordings.\n\nMore of it.\n" in said
    assert "Recordings. (required, type: Path)" in said and "Leave out. (" in said
    listed = said[said.index("options:") :]
    places = [listed.index(f"--{name}") for name in ("out", "wav", "names", "level", "strict", "drop")]
    assert places == sorted(places)


def test_the_fields_of_a_dataclass_are_options(capsys: pytest.CaptureFixture[str]) -> None:
    command(choose)(["--out", "x", "--names", "a", "b", "--strict", "--most", "7"])
    assert SEEN["chosen"] == Chosen(["a", "b"], 7) and SEEN["strict"] is True
    with pytest.raises(SystemExit):
        command(choose)(["--out", "x", "--most", "7"])
    assert "--names" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        command(choose)(["--help"])
    said = capsys.readouterr().out
    assert "At most so many. (type: int, default: 3)" in said and "--chosen" not in said


def test_subcommands_have_their_own_options(capsys: pytest.CaptureFixture[str]) -> None:
    both = commands("All of it.", listen=command(listen), check=command(check))
    both(["check", "x", "--most", "1"])
    assert SEEN["folder"] == [Path("x")] and SEEN["most"] == 1
    with pytest.raises(SystemExit):
        both(["--help"])
    assert "Listen to recordings." in capsys.readouterr().out
    with pytest.raises(SystemExit):
        both(["listen", "x"])


def test_a_fault_of_the_user_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command(check)(["x", "--most", "0"])
    assert caught.value.code == 1
    assert capsys.readouterr().err == "error: folder: nothing to show\n"
    with pytest.raises(UserError):
        command(check).execute(["x", "--most", "0"])
