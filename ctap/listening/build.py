"""Write a listening test: ``test.json``, ``sounds/`` and ``page.html``."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ctap.audio.wave import AudioError
from ctap.errors import UserError
from ctap.files.atomic import atomic_write
from ctap.listening.material import Item, Material
from ctap.listening.plan import QUESTIONS, Plan, Trial, balanced, digest, read_plan, shares
from ctap.listening.sounds import Sound, encode
from ctap.listening.store import count_answers
from ctap.listening.web import page

__all__ = ["ANSWERS", "Built", "build", "choose_questions"]

ANSWERS = "answers.sqlite"


@dataclass(frozen=True)
class Built:
    """A test that was written.

    Attributes:
        plan: what it holds.
        page: the self-contained page.
        notes: what was left out or changed.
    """

    plan: Plan
    page: Path
    notes: list[str]


def choose_questions(items: Sequence[Item], wanted: Sequence[str] | None) -> list[str]:
    """The questions that the material allows, or those wanted.

    Raises:
        UserError: a wanted one is unknown, or lacks what sounds are to be compared with.
    """
    able = {
        "quality": True,
        "prosody": all(item.reference for item in items),
        "speaker": all(item.target for item in items),
    }
    for question in wanted or ():
        if question not in QUESTIONS:
            raise UserError(f"--questions {question}: expected some of {', '.join(QUESTIONS)}")
        if not able[question]:
            what = {"prosody": "--reference", "speaker": "--target"}[question]
            raise UserError(f"--questions {question} needs {what}, what to compare with")
    return list(dict.fromkeys(wanted)) if wanted else [q for q in QUESTIONS if able[q]]


def _choose_utts(items: Sequence[Item], count: int, seed: int) -> list[Item]:
    """At most ``count`` utterances of each speaker."""
    speakers: dict[str, list[Item]] = {}
    for item in items:
        speakers.setdefault(item.speaker, []).append(item)
    chosen: list[Item] = []
    for speaker, members in sorted(speakers.items()):
        # a string as seed: the choice for one speaker does not hang on the others
        random.Random(f"{seed} {speaker}").shuffle(members)
        chosen += members[:count] if count else members
    return chosen


class _Sounds:
    """Encodes every file once and keeps what came out in ``folder``."""

    def __init__(self, folder: Path, options: Mapping[str, Any]) -> None:
        self.folder, self.options = folder, options
        self.made: dict[str, Sound] = {}

    def __call__(self, path: str) -> str:
        if path not in self.made:
            sound = encode(path, **self.options)
            with atomic_write(self.folder / f"{sound.name}.flac", "wb") as file:
                file.write(sound.data)
            # the bytes are in the file now; hundreds of sounds need not stay in memory
            self.made[path] = Sound(sound.name, b"", sound.seconds, sound.quieter)
        return self.made[path].name


def build(
    out: Path,
    material: Material,
    *,
    questions: Sequence[str] | None = None,
    title: str = "Listening test",
    utts: int = 20,
    max_trials: int = 0,
    anchors: Mapping[str, str] | None = None,
    sample_rate: int = 24000,
    level: float | None = -26.0,
    max_seconds: float = 30.0,
    seed: int = 777,
    meta: Mapping[str, Any] | None = None,
) -> Built:
    """Make the test of ``material`` in the directory ``out``.

    Args:
        out: gets ``test.json``, ``sounds/`` and ``page.html``.
        material: from :func:`ctap.listening.material.gather`.
        questions: what to ask; by default all that the material allows.
        title: shown to listeners.
        utts: utterances of each speaker, 0: all. The paper has 20.
        max_trials: of one listener, over all questions; 0: everybody rates everything.
        anchors: question -> system whose sounds are recordings.
        sample_rate: Hz, of all sounds; 0 keeps each file's.
        level: dB of full scale, of all sounds; None keeps each file's.
        max_seconds: longer sounds are left out.
        seed: of the choice of utterances and the order.
        meta: how the test was made.

    Raises:
        UserError: there is nothing to rate, or ``out`` holds answers to another test.
    """
    asked = choose_questions(material.items, questions)
    notes = list(material.notes)
    sounds = _Sounds(out / "sounds", {"sample_rate": sample_rate, "level": level, "max_seconds": max_seconds})
    trials, rows = _trials(_choose_utts(material.items, utts, seed), asked, sounds, seed, notes)
    if not rows:
        raise UserError(f"no utterance is left to listen to; {notes[-1]}")
    systems = list(dict.fromkeys(trial.system for trial in trials.values()))
    sequence = _sequence(asked, systems, rows, seed)
    take = shares({q: len(names) for q, names in sequence.items()}, max_trials)
    if min(take.values()) < 1:
        raise UserError(
            f"--max_trials {max_trials}: expected at least one for each of {len(asked)} questions"
        )
    quieter = [sound.quieter for sound in sounds.made.values() if sound.quieter > 0.05]
    if quieter:
        notes.append(
            f"{len(quieter)} sounds stay up to {max(quieter):.1f} dB below the level, to be spared clipping"
        )
    plan = Plan(
        title, seed, tuple(systems), {q: s for q, s in (anchors or {}).items() if q in asked}, take, sequence,
        trials, dict(meta or {}),
    )  # fmt: skip
    _write(out, plan)
    return Built(plan, out / "page.html", notes)


def _trials(
    items: Sequence[Item], asked: Sequence[str], sounds: _Sounds, seed: int, notes: list[str]
) -> tuple[dict[str, Trial], list[dict[tuple[str, str], str]]]:
    """The trials by name, and of each utterance question and system -> name.

    An utterance with a sound that can't be used is left out, which ``notes`` takes.
    """
    trials: dict[str, Trial] = {}
    rows = []
    for item in items:
        try:
            waves = {system: sounds(wave) for system, wave in item.waves.items()}
            reference = {
                "quality": "",
                "prosody": sounds(item.reference) if "prosody" in asked and item.reference else "",
                "speaker": sounds(item.target) if "speaker" in asked and item.target else "",
            }
        except AudioError as error:
            notes.append(f"left out for all systems: {item.speaker} {item.utt}: {error}")
            continue
        names = {}
        for question in asked:
            for system, sound in waves.items():
                name = digest(seed, question, system, item.speaker, item.utt)[:12]
                names[question, system] = name
                trials[name] = Trial(
                    question, system, item.speaker, item.utt, sound, reference[question], item.text
                )
        rows.append(names)
    return trials, rows


def _sequence(
    asked: Sequence[str], systems: list[str], rows: list[dict[tuple[str, str], str]], seed: int
) -> dict[str, tuple[str, ...]]:
    """The trials of each question in their order: another for each question, speakers mixed."""
    order = list(range(len(rows)))
    sequence: dict[str, tuple[str, ...]] = {}
    for question in asked:
        random.Random(f"{seed} {question}").shuffle(order)
        sequence[question] = tuple(rows[i][question, s] for s, i in balanced(systems, order))
    return sequence


def _write(out: Path, plan: Plan) -> None:
    """Plan and page; sounds of an earlier test go."""
    _keep_answers(out, plan)
    plan.write(out / "test.json")
    with atomic_write(out / "page.html") as file:
        file.write(page(plan, out / "sounds"))
    wanted = {f"{name}.flac" for name in plan.sounds}
    for file in (out / "sounds").glob("[0-9a-f]" * 16 + ".flac"):  # not a user's
        if file.name not in wanted:
            file.unlink()


def _keep_answers(out: Path, plan: Plan) -> None:
    """Refuse to put another test where people have already answered one."""
    if not (out / ANSWERS).exists() or not (out / "test.json").exists():
        return
    if read_plan(out).id != plan.id and (count := count_answers(out / ANSWERS)):
        raise UserError(
            f"{out / ANSWERS} holds {count} answers to another test; give another --out, or move them away"
        )
