"""One line of ``durations``: the frames of each aligned phone of an utterance."""

from __future__ import annotations

from collections.abc import Sequence

from ctap.errors import UserError


def whole_numbers(line: str) -> list[int]:
    """The frames that a line gives, the utterance left out.

    Raises:
        UserError: one is not a whole number.
    """
    found = []
    for word in line.split():
        try:
            found.append(int(word))
        except ValueError:
            raise UserError(f"{word!r:.60} is not a whole number of frames") from None
    return found


def misfit(phones: Sequence[str], counts: Sequence[int], total_frames: int | None = None) -> str | None:
    """Say what is wrong with the frames of phones, or ``None``.

    Args:
        phones: aligned phones, pauses included.
        counts: frames of each.
        total_frames: what the frames must sum to; without, any sum will do.
    """
    if len(phones) != len(counts):
        return f"{len(phones)} aligned phones, but {len(counts)} durations"
    for place, (phone, count) in enumerate(zip(phones, counts, strict=True), 1):
        if count < 1:
            return f"phone {place} ({phone}) has {count} frames, expected at least 1"
    if total_frames is not None and sum(counts) != total_frames:
        return f"durations sum to {sum(counts)} frames, but the utterance has {total_frames}"
    return None
