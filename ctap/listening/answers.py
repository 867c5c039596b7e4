"""Answers: what a page may send, and what holds of several to one trial."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ctap.listening.plan import SCORES, Plan

__all__ = [
    "EXPORT",
    "Answer",
    "Answers",
    "Listener",
    "RefusedError",
    "check_answer",
    "check_listener",
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
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds <= 365 * _DAY:
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
