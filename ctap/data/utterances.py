"""A corpus as columns, to be divided, and how it is to be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PARTS = ("train", "dev", "test")
"""Parts of a corpus that comes with its own division."""
TRAIN, DEV, TEST = range(len(PARTS))
LEAST_UTTERANCES = 3
"""A target speaker needs one utterance each for speech, for labeled speech, and for the test."""
LEAST_SPEAKERS = 3
"""With fewer, target speakers are pretrained on as well unless the options say otherwise."""


@dataclass(frozen=True)
class SplitOptions:
    """How to split.

    Attributes:
        target_speakers: the target speakers' names; ``None`` to choose them.
        num_targets: how many to choose at most, half of each gender. Never more than a quarter of the
            speakers, but at least one.
        labeled_minutes: minutes of a target's speech that keep their text.
        dev_utts: size of ``dev``; ``None`` for 2% of the training utterances within 8 and 400, or at most 400
            of a corpus's own dev part.
        test_share: share of utterances to hold out where a corpus has no test part.
        targets_in_train: pretrain on the target speakers too. ``None``: only if there are less than three
            speakers, since nobody would be left.
        seed: any integer.
    """

    target_speakers: tuple[str, ...] | None = None
    num_targets: int = 4
    labeled_minutes: float = 15.0
    dev_utts: int | None = None
    test_share: float = 0.1
    targets_in_train: bool | None = None
    seed: int = 0


@dataclass(frozen=True)
class Utterances:
    """A corpus to divide. Utterances are known by their places in its sorted tables.

    Attributes:
        speakers: speaker, sorted, to the places of their utterances, rising ``[n]``.
        seconds: length of each utterance ``[N]``.
        part: which of :data:`PARTS` each is in ``[N]``, where the corpus comes divided.
    """

    speakers: dict[str, np.ndarray]
    seconds: np.ndarray
    part: np.ndarray | None = None

    def total(self, places: np.ndarray) -> float:
        """Seconds of the utterances at ``places``."""
        return sum(memoryview(self.seconds[places]))

    def are(self, part: int) -> np.ndarray:
        """Which utterances are in a part ``[N]``."""
        return np.zeros(len(self.seconds), bool) if self.part is None else self.part == part
