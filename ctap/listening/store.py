"""Where answers are kept and read from: a server's file, and what listeners' pages save.

The server's is SQLite: one transaction an answer, sent twice is stored once, nothing is lost by a kill.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ctap.errors import UserError
from ctap.listening.answers import (
    EXPORT,
    Answer,
    Answers,
    Listener,
    RefusedError,
    check_answer,
    check_listener,
)
from ctap.listening.plan import Plan

__all__ = ["Store", "StoreError", "count_answers", "read_answers"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS listeners (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    slot INTEGER NOT NULL,
    joined TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS answers (
    listener TEXT NOT NULL REFERENCES listeners (id),
    trial TEXT NOT NULL,
    score INTEGER NOT NULL CHECK (score BETWEEN 1 AND 5),
    seconds REAL NOT NULL,
    plays INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    saved TEXT NOT NULL,
    PRIMARY KEY (listener, trial));
"""


class StoreError(RuntimeError):
    """The file could not be written just now (full disk, lock); the same answer may be sent again."""


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _open_for_reading(path: Path) -> sqlite3.Connection:
    """Open a store that a server may be writing.

    Raises:
        UserError: it is not there or not a store.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file of answers")
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=30)
    try:
        connection.execute("SELECT value FROM meta WHERE key = 'test'").fetchone()
    except sqlite3.Error as error:
        connection.close()
        raise UserError(f"{path}: not a file of answers (SQLite says: {error})") from None
    return connection


def count_answers(path: Path) -> int:
    """How many answers a store holds."""
    with closing(_open_for_reading(path)) as connection:
        return connection.execute("SELECT count(*) FROM answers").fetchone()[0]


class Store:
    """The answers to one test. May be used from several threads."""

    def __init__(self, path: Path, plan: Plan) -> None:
        """Open or make the file.

        Raises:
            UserError: it can't be opened, is no store, or belongs to another test.
        """
        self.path, self.plan = path, plan
        self._lock = threading.Lock()
        try:
            # Transactions are written out below. The journal stays SQLite's plain one: a copy of the single
            # file is whole at any moment between two answers, and it works on network file systems.
            self._connection = sqlite3.connect(
                path, timeout=30, check_same_thread=False, isolation_level=None
            )
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("PRAGMA foreign_keys = ON")
            self._connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
            found = dict(self._connection.execute("SELECT key, value FROM meta"))
            if not found:
                with self._transaction() as connection:
                    connection.execute("INSERT OR IGNORE INTO meta VALUES ('test', ?)", (plan.id,))
        except sqlite3.Error as error:
            raise UserError(f"{path}: can't be used for answers (SQLite says: {error})") from None
        if found and found.get("test") != plan.id:
            self.close()
            raise UserError(
                f"{path}: holds answers to another test ({found.get('test')}, not {plan.id}); move it away"
            )

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield self._connection
                except BaseException:
                    self._connection.execute("ROLLBACK")
                    raise
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise StoreError(f"{self.path}: {error}") from error

    def join(self, id: str, name: str, slot: int | None = None) -> Listener:
        """Take in a listener, or recognise one.

        Args:
            id: made up by the listener's page.
            name: as typed.
            slot: the share of the trials that the page already has, if it began without this file.
        """
        with self._transaction() as connection:
            row = connection.execute("SELECT slot FROM listeners WHERE id = ?", (id,)).fetchone()
            if row is not None:
                connection.execute("UPDATE listeners SET name = ? WHERE id = ?", (name, id))
                return Listener(id, name, row[0])
            if slot is None:
                slot = connection.execute("SELECT count(*) FROM listeners").fetchone()[0]
            connection.execute("INSERT INTO listeners VALUES (?, ?, ?, ?)", (id, name, slot, _now()))
        return Listener(id, name, slot)

    def listener(self, id: str) -> Listener | None:
        """A listener who has joined."""
        with self._lock:
            row = self._connection.execute("SELECT name, slot FROM listeners WHERE id = ?", (id,)).fetchone()
        return None if row is None else Listener(id, *row)

    def save(self, answer: Answer) -> bool:
        """Store an answer; one that the same listener gave later to the same trial stays.

        Returns:
            Whether the answer is what the file holds now.
        """
        values = (
            answer.listener,
            answer.trial,
            answer.score,
            answer.seconds,
            answer.plays,
            answer.revision,
            _now(),
        )
        with self._transaction() as connection:
            done = connection.execute(
                "INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (listener, trial) DO UPDATE SET"
                " score = excluded.score, seconds = excluded.seconds, plays = excluded.plays,"
                " revision = excluded.revision, saved = excluded.saved"
                " WHERE excluded.revision >= answers.revision",
                values,
            )
            return done.rowcount > 0

    def counts(self) -> tuple[int, int]:
        """Listeners and answers so far."""
        with self._lock:
            one = self._connection.execute
            return one("SELECT count(*) FROM listeners").fetchone()[0], one(
                "SELECT count(*) FROM answers"
            ).fetchone()[0]


def _from_store(path: Path, plan: Plan, found: Answers) -> None:
    with closing(_open_for_reading(path)) as connection:
        try:
            test = connection.execute("SELECT value FROM meta WHERE key = 'test'").fetchone()
            people = connection.execute(
                "SELECT id, name, slot FROM listeners ORDER BY joined, slot"
            ).fetchall()
            columns = ("listener", "trial", "score", "seconds", "plays", "revision")
            rows = connection.execute(f"SELECT {', '.join(columns)} FROM answers").fetchall()
        except sqlite3.Error as error:
            raise UserError(f"{path}: can't be read (SQLite says: {error})") from None
    _require_test(path, test[0] if test else None, plan)
    given: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        given.setdefault(row[0], []).append(dict(zip(columns, row, strict=True)))
    for id, name, slot in people:
        try:
            listener = check_listener(id, {"name": name, "slot": slot})
            found.add(
                listener, [check_answer(plan, listener, row["trial"], row) for row in given.get(id, [])]
            )
        except RefusedError as error:
            raise UserError(f"{path}: listener {id}: {error}") from None


def _from_export(path: Path, plan: Plan, found: Answers) -> None:
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise UserError(f"{path}: neither a store nor JSON as the page saves it: {error}") from None
    if not isinstance(data, dict) or data.get("format") != EXPORT:
        raise UserError(f"{path}: expected answers as the page saves them ({EXPORT})")
    _require_test(path, data.get("test"), plan)
    try:
        person, rows = data.get("listener"), data.get("answers")
        listener = check_listener(person.get("id") if isinstance(person, dict) else None, person)
        if listener.slot < 0 or not isinstance(rows, list):
            raise RefusedError("expected a listener with a slot, and a list of answers")
        answers = [
            check_answer(plan, listener, r.get("trial") if isinstance(r, dict) else None, r) for r in rows
        ]
    except RefusedError as error:
        raise UserError(f"{path}: {error}") from None
    found.add(listener, answers)


def _require_test(path: Path, test: Any, plan: Plan) -> None:
    if test != plan.id:
        raise UserError(f"{path}: answers to test {test!r:.40}, this is {plan.id}; name the right --test")


def read_answers(paths: Iterable[Path], plan: Plan) -> Answers:
    """Read servers' files (SQLite) and listeners' exports (JSON), told apart by their first bytes.

    Raises:
        UserError: a file is missing, is neither, or belongs to another test.
    """
    found = Answers({}, {})
    for path in paths:
        try:
            with path.open("rb") as file:
                head = file.read(16)
        except OSError as error:
            raise UserError(f"{path}: cannot be read: {error.strerror}") from None
        (_from_store if head == b"SQLite format 3\0" else _from_export)(path, plan, found)
    return found
