"""What recipes make of their options: utils/recipe.sh."""

from __future__ import annotations


def test_slashes_behind_directories_go(shell) -> None:
    script = 'a=exp/ b=/ c="" d="x y//"\n. recipe.sh\ndirectories a b c d\nprintf "<%s>" "$a" "$b" "$c" "$d"'
    assert shell(script, check=True).stdout == "<exp></><><x y>"


def test_numbers_have_a_least_one(shell) -> None:
    assert shell("a=0 b=-1\n. recipe.sh\nwhole_numbers a b\nat_least 0 a", check=True).stderr == ""
    done = shell("a=0 b=-1\n. recipe.sh\nat_least 0 a b")
    assert done.returncode == 1 and "--b -1: expected 0 or more" in done.stderr
