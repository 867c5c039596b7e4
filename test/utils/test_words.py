"""Words of options and keys of tables, taken by bash as they are."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

WORDS = Path(__file__).resolve().parents[2] / "utils" / "words.sh"
SHOW = """printf '%s\\0' "${words[@]}"\n"""
# what the user's terminal can send: no NUL and no lone surrogates
text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


def bash(script: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [
        "bash",
        "-euo",
        "pipefail",
        "-c",
        f". {shlex.quote(str(WORDS))}\n{script}",
        "recipe.sh",
        *arguments,
    ]
    return subprocess.run(command, capture_output=True)


@settings(max_examples=25, deadline=None)
@given(st.lists(text, max_size=5))
def test_words_come_back_as_they_were_quoted(words: list[str]) -> None:
    done = bash('split_words args "$1" words\nprintf \'%s\\0\' "${words[@]}"', shlex.join(words))
    assert done.stdout.decode() == "".join(f"{word}\0" for word in words) or (
        words == [] and done.stdout == b"\0"
    )
    assert done.returncode == 0 and done.stderr == b""


@settings(max_examples=25, deadline=None)
@given(st.lists(text, max_size=4))
def test_quoted_words_are_the_same_words_to_a_shell(words: list[str]) -> None:
    done = bash(
        'line=$(quoted "$@"; echo x); eval "words=(${line%x})"; printf \'%s\\0\' ${#words[@]} "${words[@]}"',
        *words,
    )
    assert done.stdout.decode().split("\0")[: len(words) + 1] == [str(len(words)), *words], done.stderr


def test_nothing_is_run_or_expanded(tmp_path: Path) -> None:
    given = f"--a $HOME $(touch {tmp_path}/evil) `touch {tmp_path}/evil` * ~ x;y"
    done = bash(f'split_words args "$1" words\n{SHOW}', given)
    assert done.stdout.decode().split("\0")[:-1] == given.split(" ")
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("given", ['--a "b c', "it's", "end\\"])
def test_open_quotes_are_an_error_in_one_line(given: str) -> None:
    done = bash('split_words train_args "$1" words\necho after', given)
    assert done.returncode == 2 and done.stdout == b""
    assert done.stderr.decode().startswith("recipe.sh: error: --train_args: No ")
    assert done.stderr.decode().endswith(f" in: {given}\n") and done.stderr.count(b"\n") == 1


def test_keys_are_no_patterns(tmp_path: Path) -> None:
    table = tmp_path / "spk2utt"
    table.write_text("axb u1 a.b\nab* u2\n-e u3\n")
    for key, there in {
        "a.b": 1,
        "axb": 0,
        "ax": 1,
        "ab*": 0,
        "abb": 1,
        "u1": 1,
        "-e": 0,
        "": 1,
        "[a]xb": 1,
    }.items():
        assert bash('has_key "$1" "$2" || exit 1', str(table), key).returncode == there, key


def test_a_long_table_is_no_error(tmp_path: Path) -> None:
    """grep stops reading at the first hit: what writes to it must not fail the script for that."""
    table = tmp_path / "spk2utt"
    table.write_text("".join(f"s{i:06d} u\n" for i in range(60_000)))
    assert bash('has_key "$1" s000001', str(table)).returncode == 0
