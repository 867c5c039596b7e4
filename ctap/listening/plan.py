"""What a listening test holds and who hears what: ``test.json``.

A *trial* is one sound and one question about it. All trials of a question stand in one cyclic sequence, and
the n-th listener takes the n-th stretch of it. The sequence is laid so that

- after any number of listeners, no trial was given out more than once oftener than another; - the systems in
one listener's stretch differ by one trial at most, so a strict listener is strict with all systems.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import gcd
from pathlib import Path
from typing import Any

from ctap.errors import UserError
from ctap.files.atomic import write_json

__all__ = [
    "FORMAT",
    "QUESTIONS",
    "SCORES",
    "Plan",
    "Trial",
    "balanced",
    "digest",
    "read_plan",
    "shares",
    "stretch",
]

QUESTIONS = ("quality", "prosody", "speaker")
SCORES = (1, 2, 3, 4, 5)
FORMAT = "ctap-listening-test-1"


@dataclass(frozen=True)
class Trial:
    """One sound and one question about it.

    Attributes:
        question: one of :data:`QUESTIONS`.
        system: who made the sound; the page does not know it.
        speaker: whose voice was wanted, ``""`` if nobody said.
        utt: utterance.
        sound: name of the sound in ``sounds/``.
        reference: name of the sound to compare with, ``""`` where the question has none.
        text: what is said, ``""`` if unknown.
    """

    question: str
    system: str
    speaker: str
    utt: str
    sound: str
    reference: str = ""
    text: str = ""


@dataclass(frozen=True)
class Plan:
    """A listening test.

    Attributes:
        title: shown to listeners.
        seed: of the choice of utterances and of the sequences.
        systems: in the order given.
        anchors: question -> the system whose sounds are recordings; whoever rates it low did not listen.
        take: question -> trials of it that one listener rates.
        sequence: question -> its trials, cyclic.
        trials: name -> trial; names tell nothing about the system.
        meta: how the test was made.
    """

    title: str
    seed: int
    systems: tuple[str, ...]
    anchors: Mapping[str, str]
    take: Mapping[str, int]
    sequence: Mapping[str, tuple[str, ...]]
    trials: Mapping[str, Trial]
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Name of the test: another one as soon as anything that listeners meet differs."""
        return digest(self.title, self.take, self.sequence, {k: asdict(v) for k, v in self.trials.items()})

    @property
    def sounds(self) -> list[str]:
        """Names of all sounds, sorted."""
        names = {name for trial in self.trials.values() for name in (trial.sound, trial.reference)}
        return sorted(names - {""})

    def share(self, slot: int) -> dict[str, list[str]]:
        """Trials of listener number ``slot`` (from 0), by question, in the order of the sequence."""
        return {q: stretch(names, slot, self.take[q]) for q, names in self.sequence.items()}

    def write(self, path: Path) -> None:
        """Write ``test.json``, whole or not at all."""
        write_json(path, {"format": FORMAT, "id": self.id, **asdict(self)}, indent=1)


def digest(*parts: Any) -> str:
    """A short name for JSON values, the same everywhere."""
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]


def balanced(systems: Sequence[str], items: Sequence[Any]) -> list[tuple[str, Any]]:
    """All pairs of system and item, once each, so that any stretch (also around the end) holds all systems
    equally often, to within one.

    The system is the position modulo their number. The item moves on with the position; where the two numbers
    have a common divisor that would repeat pairs after their least common multiple, so there it moves on by
    one more. (Pairs with ``item - system`` equal modulo the divisor are met in one such round: Chinese
    remainder theorem.)
    """
    s, i = len(systems), len(items)
    round_length = s * i // gcd(s, i) if s and i else 1
    return [(systems[t % s], items[(t + t // round_length) % i]) for t in range(s * i)]


def stretch(sequence: Sequence[str], slot: int, take: int) -> list[str]:
    """The ``take`` trials of the cyclic ``sequence`` that listener number ``slot`` rates."""
    n = len(sequence)
    return [sequence[(slot * take + i) % n] for i in range(min(take, n))]


def shares(counts: Mapping[str, int], limit: int) -> dict[str, int]:
    """How many trials of each question one listener rates.

    Args:
        counts: question -> number of its trials.
        limit: trials of one listener at most, over all questions; 0: no limit.

    Returns:
        question -> trials, equal to within one; what a short question leaves over goes to the others.
    """
    left = sum(counts.values()) if limit == 0 else limit
    taken = {}
    for done, question in enumerate(sorted(counts, key=lambda q: (counts[q], list(counts).index(q)))):
        taken[question] = min(counts[question], -(-left // (len(counts) - done)))
        left -= taken[question]
    return {question: taken[question] for question in counts}


def read_plan(path: Path) -> Plan:
    """Read ``test.json``.

    Args:
        path: the file, or the directory that ``listening_test build`` wrote.

    Raises:
        UserError: it can't be read, is something else, or was changed by hand.
    """
    path = path / "test.json" if path.is_dir() else path
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(
            f"{path}: cannot be read ({error.strerror}); make the test with `listening_test build`"
        ) from None
    except ValueError as error:
        raise UserError(f"{path}: not JSON: {error}") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise UserError(f"{path}: expected a listening test ({FORMAT}), as `listening_test build` writes it")
    try:
        plan = Plan(
            title=data["title"],
            seed=data["seed"],
            systems=tuple(data["systems"]),
            anchors=dict(data["anchors"]),
            take=dict(data["take"]),
            sequence={q: tuple(names) for q, names in data["sequence"].items()},
            trials={name: Trial(**trial) for name, trial in data["trials"].items()},
            meta=data["meta"],
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path}: not a whole listening test: {error!r}; build it again") from None
    if plan.id != data.get("id"):
        raise UserError(f"{path}: was changed after it was made; build the test again instead")
    return plan
