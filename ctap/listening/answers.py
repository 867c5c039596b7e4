"""Answers: what a page may send, and reading them back from the server's file or a listener's export."""

from __future__ import annotations

import json
import math
import re
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ctap.errors import UserError
from ctap.listening.plan import SCORES, Plan

__all__ = [
    "EXPORT",
    "Answer",
    "Answers",
    "Listener",
    "RefusedError",
    "check_answer",
    "check_listener",
    "read_answers",
]

EXPORT = "ctap-listening-answers-1"
MAX_SLOT = 1_000_000
_ID = re.compile("[0-9a-f]{32}")
_MAX_NAME = 60
_DAY = 86400.0


class RefusedError(ValueError):
    """Something that no page of this test sends."""


@dataclass(frozen=True)
class Listener:
    """Who answers.

    Attributes:
        id: 32 hexadecimal digits, made up by the page.
        name: as typed; a name, a code, or empty.
        slot: which share of the trials, from 0.
    """

    id: str
    name: str
    slot: int


@dataclass(frozen=True)
class Answer:
    """One score.

    Attributes:
        listener: id.
        trial: name in the plan.
        score: 1 to 5.
        seconds: from the first sight of the trial to the score.
        plays: how often the sound was played.
        revision: grows with every answer of the listener; the highest of a trial holds.
    """

    listener: str
    trial: str
    score: int
    seconds: float
    plays: int
    revision: int


def _whole(fields: Mapping[str, Any], key: str, least: int, most: int) -> int:
    value = fields.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise RefusedError(f"{key}: expected a whole number from {least} to {most}, found {value!r:.40}")
    return value


def check_listener(id: Any, fields: Any) -> Listener:
    """A listener from JSON; ``slot`` -1 if the page has none yet.

    Raises:
        RefusedError: it is not what a page sends.
    """
    if not isinstance(id, str) or not _ID.fullmatch(id):
        raise RefusedError(f"listener: expected 32 hexadecimal digits, found {id!r:.40}")
    if not isinstance(fields, Mapping):
        raise RefusedError("expected a JSON object")
    name = fields.get("name")
    if not isinstance(name, str) or len(name) > _MAX_NAME or not all(c.isprintable() for c in name):
        raise RefusedError(f"name: expected at most {_MAX_NAME} printable characters")
    slot = -1 if fields.get("slot") is None else _whole(fields, "slot", 0, MAX_SLOT)
    return Listener(id, name.strip(), slot)


def check_answer(plan: Plan, listener: Listener, trial: Any, fields: Any) -> Answer:
    """An answer from JSON.

    Raises:
        RefusedError: it is not what a page of this test sends for this listener.
    """
    if not isinstance(trial, str) or trial not in plan.trials:
        raise RefusedError(f"trial: {trial!r:.40} is not of this test")
    if not isinstance(fields, Mapping):
        raise RefusedError("expected a JSON object")
    question = plan.trials[trial].question
    if trial not in plan.share(listener.slot)[question]:
        raise RefusedError(f"trial: {trial} is not one of this listener's")
    seconds = fields.get("seconds")
    if (
        isinstance(seconds, bool)
        or not isinstance(seconds, (int, float))
        or not math.isfinite(seconds)
        or not 0 <= seconds <= 365 * _DAY
    ):
        raise RefusedError(f"seconds: expected a number from 0, found {seconds!r:.40}")
    return Answer(
        listener=listener.id,
        trial=trial,
        score=_whole(fields, "score", min(SCORES), max(SCORES)),
        seconds=float(seconds),
        plays=_whole(fields, "plays", 0, 10_000),
        revision=_whole(fields, "revision", 1, 2**53),
    )


@dataclass
class Answers:
    """What listeners said.

    Attributes:
        listeners: id -> listener.
        answers: (listener, trial) -> answer.
        replaced: answers that a later one of the same listener to the same trial took the place of.
    """

    listeners: dict[str, Listener]
    answers: dict[tuple[str, str], Answer]
    replaced: int = 0

    def add(self, listener: Listener, answers: Iterable[Answer]) -> None:
        """Take in a listener's answers; the highest revision of a trial holds."""
        self.listeners.setdefault(listener.id, listener)
        for answer in answers:
            key = (answer.listener, answer.trial)
            held = self.answers.get(key)
            self.replaced += held is not None
            if held is None or answer.revision >= held.revision:
                self.answers[key] = answer


def _from_store(path: Path, plan: Plan, found: Answers) -> None:
    from ctap.listening.store import open_for_reading

    with closing(open_for_reading(path)) as connection:
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
