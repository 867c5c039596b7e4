"""Answers in SQLite: once each whatever is sent, the latest holds, nothing is lost by a kill."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from ctap.errors import UserError
from ctap.listening.answers import Answer
from ctap.listening.store import Store, StoreError, read_answers

ME = "a" * 32


def answer(trial: str, score: int, revision: int, listener: str = ME) -> Answer:
    return Answer(listener, trial, score, 2.5, 1, revision)


def test_sent_twice_is_stored_once_and_the_latest_holds(make_test, tmp_path) -> None:
    plan = make_test().plan
    first, second = plan.share(0)["quality"][:2]
    store = Store(tmp_path / "a.sqlite", plan)
    store.join(ME, "me")
    assert store.save(answer(first, 4, revision=1)) and store.save(answer(first, 4, revision=1))
    assert store.save(answer(first, 2, revision=5))
    assert not store.save(answer(first, 5, revision=3))  # overtaken on its way
    store.save(answer(second, 1, revision=4))
    assert store.counts() == (1, 2)
    store.close()
    store = Store(tmp_path / "a.sqlite", plan)
    assert store.counts() == (1, 2)
    found = read_answers([store.path], plan).answers
    assert {trial: a.score for (_, trial), a in found.items()} == {first: 2, second: 1}
    store.close()


def test_listeners_who_join_at_once_get_different_shares_and_keep_them(make_test, tmp_path) -> None:
    store = Store(tmp_path / "a.sqlite", make_test(max_trials=6).plan)
    ids = [f"{i:032x}" for i in range(20)]
    with ThreadPoolExecutor(8) as pool:
        slots = list(pool.map(lambda id: store.join(id, id).slot, ids))
    assert sorted(slots) == list(range(20))
    assert [store.join(id, "again").slot for id in ids] == slots
    assert store.join("f" * 32, "from elsewhere", slot=7).slot == 7
    assert store.listener("e" * 32) is None
    store.close()


def test_many_threads_write_and_nothing_is_lost(make_test, tmp_path) -> None:
    plan = make_test().plan
    store = Store(tmp_path / "a.sqlite", plan)
    ids = [f"{i:032x}" for i in range(4)]
    for id in ids:
        store.join(id, "")

    def rate(id: str) -> None:
        for i, trial in enumerate(list(plan.trials)[:10]):
            store.save(answer(trial, i % 5 + 1, i + 1, id))

    threads = [threading.Thread(target=rate, args=(id,)) for id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.counts() == (4, 40)
    store.close()


def test_every_answer_that_was_acknowledged_survives_a_kill(make_test, tmp_path) -> None:
    plan = make_test().plan
    program = """
import sys
from pathlib import Path
from ctap.listening.answers import Answer
from ctap.listening.plan import read_plan
from ctap.listening.store import Store
plan = read_plan(Path(sys.argv[1]))
store = Store(Path(sys.argv[2]), plan)
store.join("a" * 32, "me")
revision = 0
while True:
    for trial in plan.trials:
        revision += 1
        store.save(Answer("a" * 32, trial, revision % 5 + 1, 1.0, 1, revision))
        print(trial, revision, flush=True)
"""
    path = tmp_path / "a.sqlite"
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "test"), str(path)], stdout=subprocess.PIPE, text=True
    )
    acknowledged = [process.stdout.readline().split() for _ in range(40)]
    process.kill()
    acknowledged += [line.split() for line in process.stdout.read().splitlines()]
    process.wait()
    wanted = {trial: int(revision) for trial, revision in acknowledged}
    held = read_answers([path], plan).answers
    assert all(held[ME, trial].revision >= revision for trial, revision in wanted.items())
    store = Store(path, plan)  # and it can be written again
    assert store.save(answer(next(iter(plan.trials)), 1, 10**6))
    store.close()


def test_files_that_are_something_else(make_test, tmp_path) -> None:
    plan = make_test().plan
    path = tmp_path / "a.sqlite"
    Store(path, plan).close()
    other = make_test(title="another").plan
    with pytest.raises(UserError, match="another test"):
        Store(path, other)
    with pytest.raises(UserError, match=r"answers to test .*name the right --test"):
        read_answers([path], other)
    (tmp_path / "text").write_text("this is no database, whatever its name may be" * 30)
    with pytest.raises(UserError, match="SQLite says"):
        Store(tmp_path / "text", plan)
    with pytest.raises(UserError, match="SQLite says"):
        Store(tmp_path / "nowhere/a.sqlite", plan)
    sqlite3.connect(tmp_path / "empty.sqlite").execute("CREATE TABLE x (y)").connection.close()
    with pytest.raises(UserError, match="not a file of answers"):
        read_answers([tmp_path / "empty.sqlite"], plan)


def test_a_failing_disk_is_reported_and_leaves_the_store_usable(make_test, tmp_path) -> None:
    plan = make_test().plan
    store = Store(tmp_path / "a.sqlite", plan)
    store.join(ME, "me")
    trial = next(iter(plan.trials))
    with pytest.raises(StoreError):
        store.save(answer(trial, 9, 1))  # the table itself refuses what the checks before it let through
    with pytest.raises(StoreError):
        store.save(answer(trial, 3, 1, listener="b" * 32))  # never joined
    assert store.save(answer(trial, 3, 1)) and store.counts() == (1, 1)
    store.close()
