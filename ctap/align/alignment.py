"""What an aligner finds in one utterance, or that it finds nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ctap.errors import UserError


class CannotAlign(UserError):  # noqa: N818 - what callers catch, and what it says
    """An utterance that the aligner has no alignment for; the message is the reason."""


@dataclass(frozen=True)
class Alignment:
    """One utterance, aligned.

    Attributes:
        phones: with the pauses that are heard.
        durations: frames of each.
        confidence: of each, at most 0: mean over its frames of the log density minus that of the best
            component of any state, pauses included. 0 means that nothing fits better anywhere.
        score: mean of the same over the frames of all that is not pause.
    """

    phones: list[str]
    durations: list[int]
    confidence: list[float]
    score: float

    def with_confidence(self) -> Iterator[tuple[str, int, float]]:
        """Each phone with its frames and confidence."""
        return zip(self.phones, self.durations, self.confidence, strict=True)
