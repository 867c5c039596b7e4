"""What recipes make of their options: utils/recipe.sh."""

from __future__ import annotations

import os


def test_slashes_behind_directories_go(shell) -> None:
    script = 'a=exp/ b=/ c="" d="x y//"\n. recipe.sh\ndirectories a b c d\nprintf "<%s>" "$a" "$b" "$c" "$d"'
    assert shell(script, check=True).stdout == "<exp></><><x y>"


def test_numbers_have_a_least_one(shell) -> None:
    assert shell("a=0 b=-1\n. recipe.sh\nwhole_numbers a b\nat_least 0 a", check=True).stderr == ""
    done = shell("a=0 b=-1\n. recipe.sh\nat_least 0 a b")
    assert done.returncode == 1 and "--b -1: expected 0 or more" in done.stderr


def test_the_threads_of_a_job_are_not_taken_for_processors(shell) -> None:
    """nproc does so, and a recipe within a job would use one of many."""
    count = len(os.sched_getaffinity(0))
    done = shell(". recipe.sh\nprocessors", check=True, OMP_NUM_THREADS=str(count + 1))
    assert done.stdout == f"{count}\n"
