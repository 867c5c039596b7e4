"""What may follow what: the units of an aligner and the graph of one utterance.

A unit is a phone without its tone or stress. Each has three states from left to right. The first state of
stops and affricates is the closure, one state shared by all of them: a closure is silent, and without a state
of its own it would be counted with the vowel before it. A pause may stand only at both ends and where the
language allows it (between syllables, or words). Before a stop or affricate, entering a pause and staying in
a closure both have a high cost: where the two sound the same, silence of up to 65 ms is closure, and longer
silence is pause.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ctap.errors import UserError
from ctap.text.language import Language
from ctap.text.pauses import PAUSES

NO_PATH = np.float32(-1e30)  # log weight of what is forbidden
STATES_PER_UNIT = 3
SILENCE = 0  # state of sil and sp
CLOSURE = 1  # first state of every stop and affricate
MIN_COUNT = 8  # of a unit that gets states of its own
PAUSE_FRAMES = 4  # analysis frames of the shortest pause
PAUSE_START = -1  # owners of nodes that are not phones: the pause at the start, ...
PAUSE_END = -2  # ... at the end, ...
PAUSE_BEFORE = -3  # ... and, minus i, before phone i

_STAY = -0.7  # log weights, in nats
_SKIP = -1.0
_STAY_CLOSED = -6.0  # or room noise before a stop counts as its closure, and the syllable starts too early
_ENTER_PAUSE = -30.0  # or weak fricatives in noise are taken for pauses
_ENTER_PAUSE_BEFORE_CLOSURE = -80.0  # 13 frames of closure cost as much


def check_phones(phones: Sequence[str], language: Language) -> None:
    """Refuse what can't be aligned: no phones, a pause among them, or one that is not of the inventory."""
    for phone in phones:
        if phone in PAUSES or not language.is_phone(phone):
            raise UserError(f"phone {phone!r} cannot be aligned: not in the inventory, or a pause")
    if not phones:
        raise UserError("no phones to align")


class Units:
    """The units of a model and their states.

    Units seen too rarely to be learnt, and units never seen, borrow the states of the most alike unit.

    Args:
        known: units with states of their own.
        language: of the phones that are aligned.
    """

    def __init__(self, known: Iterable[str], language: Language) -> None:
        self.language = language
        self.known = tuple(sorted(set(known)))
        if not self.known:
            raise UserError("an aligner needs at least one phone to be trained on")
        self._index = {unit: i for i, unit in enumerate(self.known)}

    @classmethod
    def count(cls, transcripts: Iterable[Sequence[str]], language: Language) -> Units:
        """The units that occur at least :data:`MIN_COUNT` times in ``transcripts``."""
        counts = Counter(language.unit(phone) for phones in transcripts for phone in phones)
        often = [unit for unit, n in counts.items() if n >= MIN_COUNT]
        return cls(often or counts, language)

    @property
    def num_states(self) -> int:
        """States of the model: silence, closure, three for each unit."""
        return 2 + STATES_PER_UNIT * len(self.known)

    def states(self, phone: str) -> tuple[int, int, int]:
        """The three states of ``phone``."""
        unit = self.language.unit(phone)
        if unit not in self._index:
            self._index[unit] = self._index[self._most_alike(phone)]
        first = 2 + STATES_PER_UNIT * self._index[unit]
        return (CLOSURE if self.language.has_closure(phone) else first, first + 1, first + 2)

    def _most_alike(self, phone: str) -> str:
        unit, kind = self.language.unit(phone), self.language.phone_class(phone)

        def likeness(other: str) -> tuple[int, int, int]:
            same_class = int(self.language.unit_class(other) == kind)
            return same_class, _common(unit[::-1], other[::-1]) + _common(unit, other), -len(other)

        return max(self.known, key=likeness)


def _common(a: str, b: str) -> int:
    n = 0
    while n < min(len(a), len(b)) and a[n] == b[n]:
        n += 1
    return n


@dataclass(frozen=True)
class Graph:
    """The states an utterance runs through; arguments of :func:`ctap.align.viterbi.viterbi`.

    Attributes:
        states: ``[S]`` int32, state of each node.
        owner: ``[S]`` int32, index of the node's phone, or which pause it is (negative).
        stay: ``[S]`` float32.
        offsets: ``[S, A]`` int32.
        weights: ``[S, A]`` float32.
        start: ``[S]`` float32.
        end: ``[S]`` float32.
    """

    states: np.ndarray
    owner: np.ndarray
    stay: np.ndarray
    offsets: np.ndarray
    weights: np.ndarray
    start: np.ndarray
    end: np.ndarray

    def segments(self, path: np.ndarray) -> list[tuple[int, int, int]]:
        """Runs of nodes ``path`` ``[T]`` of one owner, as (owner, first frame, frame after the last)."""
        owners = self.owner[path]
        edges = np.concatenate([[0], np.flatnonzero(np.diff(owners)) + 1, [len(owners)]])
        return [(int(owners[a]), int(a), int(b)) for a, b in itertools.pairwise(edges)]


class _Builder:
    def __init__(self) -> None:
        self.rows: list[tuple[int, int, float]] = []
        self.arcs: list[list[tuple[int, float]]] = []

    def add(self, state: int, owner: int, stay: float, arcs: list[tuple[int, float]]) -> None:
        here = len(self.rows)
        self.rows.append((state, owner, stay))
        self.arcs.append([(step, weight) for step, weight in arcs if 0 < step <= here])

    def pause(self, owner: int, frames: int, enter: float) -> None:
        for k in range(frames):
            self.add(SILENCE, owner, 0.0 if k == frames - 1 else NO_PATH, [(1, 0.0 if k else enter)])

    def graph(self, first: int, last: int) -> Graph:
        """The graph of all nodes; speech is ``first`` to ``last``, the pauses around it are optional."""
        size = len(self.rows)
        width = max(1, max(map(len, self.arcs)))
        offsets = np.zeros((size, width), np.int32)
        weights = np.full((size, width), NO_PATH, np.float32)
        for j, arcs in enumerate(self.arcs):
            for k, (step, weight) in enumerate(arcs):
                offsets[j, k], weights[j, k] = step, weight
        states, owner, stay = (np.array(column) for column in zip(*self.rows, strict=True))
        start, end = np.full(size, NO_PATH, np.float32), np.full(size, NO_PATH, np.float32)
        start[[0, first, first + 1, first + 2]] = 0.0, 0.0, _SKIP, 2 * _SKIP
        end[[last, size - 1]] = 0.0
        return Graph(
            states.astype(np.int32),
            owner.astype(np.int32),
            stay.astype(np.float32),
            offsets,
            weights,
            start,
            end,
        )


def build_graph(phones: Sequence[str], units: Units, starts: Sequence[bool] | None = None) -> Graph:
    """The graph of an utterance.

    Args:
        phones: the utterance's phones without pauses.
        units: the model's units.
        starts: before which phones there may be a pause; default: what the language tells of the phones.

    Raises:
        UserError: there are no phones, or one is a pause or not of the inventory.
    """
    language = units.language
    check_phones(phones, language)
    starts = starts or language.starts(phones)
    build = _Builder()
    build.pause(PAUSE_START, PAUSE_FRAMES, 0.0)
    for i, phone in enumerate(phones):
        bypass = 0  # nodes of the optional pause before this phone
        if i and starts[i]:
            bypass = PAUSE_FRAMES
            closes = language.has_closure(phone)
            build.pause(PAUSE_BEFORE - i, bypass, _ENTER_PAUSE_BEFORE_CLOSURE if closes else _ENTER_PAUSE)
        for k, state in enumerate(units.states(phone)):
            # Into state k from the state before it, or skipping the k first states from the phone or pause
            # before; with a pause between, also from the phone before that.
            arcs = [(1, _STAY)]
            if k:
                arcs.append((k + 1, _SKIP * k))
            if k == STATES_PER_UNIT - 1:
                arcs.append((2, _SKIP))
            if bypass:
                arcs.append((bypass + k + 1, _STAY + (_SKIP * k if k else 0.0)))
            build.add(state, i, _STAY_CLOSED if state == CLOSURE else _STAY, arcs)
    last = len(build.rows) - 1
    build.pause(PAUSE_END, PAUSE_FRAMES, 0.0)
    return build.graph(PAUSE_FRAMES, last)
