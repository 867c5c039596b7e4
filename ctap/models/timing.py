"""When each phone is said: durations of pieces, pauses between them, and limits of those that are given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ctap.errors import UserError
from ctap.text.pauses import PAUSES
from ctap.text.pieces import Piece

MAX_PAUSE = 60.0  # seconds
LONGEST_PHONE = 6000  # frames that one phone may be given: a minute, the longest recording of a recipe


@dataclass
class Timed:
    """Phones and the frames of each."""

    phones: list[str]
    durations: list[int]


def time_pieces(
    pieces: Sequence[Piece], predict: Callable[[list[str], int], list[int]], pause: int
) -> list[Timed]:
    """Durations of pieces that are said one after the other.

    Every piece is timed with silence at both ends, as in training. Where two meet, these silences become one
    pause, half of it in either: of ``pause`` frames between sentences, half as long where a sentence was cut
    at a pause of its own, none where it was cut between two syllables.

    Args:
        pieces: What is said.
        predict: Phones and the number of the piece to frames.
        pause: Frames between two sentences.
    """
    lengths = {"sil": pause, "sp": pause // 2, "": 0}
    timed = []
    for i, piece in enumerate(pieces):
        before = pieces[i - 1].joint if i else None
        after = piece.joint if i < len(pieces) - 1 else None
        head, tail = ["sil"] * (before is not None), ["sil"] * (after is not None)
        frames = predict([*head, *piece.phones, *tail], i)
        own = Timed([*piece.phones], frames[len(head) : len(frames) - len(tail)])
        if before and (half := lengths[before] // 2):
            own = Timed([before, *own.phones], [half, *own.durations])
        if after and (half := lengths[after] - lengths[after] // 2):
            own = Timed([*own.phones, after], [*own.durations, half])
        timed.append(own)
    return timed


def join(timed: Sequence[Timed]) -> Timed:
    """All pieces as one, the two halves of a pause put together."""
    whole = Timed([], [])
    for own in timed:
        phones, durations = own.phones, own.durations
        if whole.phones and phones and phones[0] == whole.phones[-1] and phones[0] in PAUSES:
            whole.durations[-1] += durations[0]
            phones, durations = phones[1:], durations[1:]
        whole.phones += phones
        whole.durations += durations
    return whole


def listed(phones: Iterable[str]) -> list[str]:
    """Phones that a user gives, in a list, a tuple or an array.

    Raises:
        UserError: They are not phones, but a text, ids of the token table, or nothing of the kind.
    """
    if isinstance(phones, str):
        raise UserError(f"expected a list of phones, such as ['n', 'i3']; found the text {str(phones)!r}")
    found = list(phones) if isinstance(phones, Iterable) else [phones]
    if wrong := [phone for phone in found if not isinstance(phone, str)]:
        raise UserError(f"expected a text or a list of phones, such as ['n', 'i3']; found {wrong[0]!r}")
    return [str(phone) for phone in found]  # of numpy's words, too


def given(phones: Iterable[str], durations: Iterable[int]) -> Timed:
    """``phones`` with the durations that a user gives.

    Raises:
        UserError: They are not one each, or not whole numbers of 1 to :data:`LONGEST_PHONE` frames; or there
            are no phones.
    """
    phones = listed(phones)
    if not phones:
        raise UserError("no phones to say")
    if not isinstance(durations, Iterable):
        raise UserError(f"durations {durations!r}: expected the frames of each phone")
    durations = list(durations)
    if len(durations) != len(phones):
        raise UserError(f"{len(durations)} durations for {len(phones)} phones: expected one each")
    for i, (phone, frames) in enumerate(zip(phones, durations, strict=True), 1):
        if not hasattr(frames, "__int__"):  # a word, None
            raise UserError(f"duration {i} ({phone}) is {frames!r}: expected a number of frames")
        if not 1 <= frames <= LONGEST_PHONE or frames != int(frames):  # the first also refuses NaN
            raise UserError(
                f"duration {i} ({phone}) is {frames}: expected whole frames, 1 to {LONGEST_PHONE} a phone"
            )
    return Timed(phones, [int(n) for n in durations])


def check_length(timed: Sequence[Timed], frame_shift: float, max_seconds: float) -> None:
    """Refuse what is empty or too long to be said.

    Raises:
        UserError: Of ``max_seconds`` and what it would take, in seconds.
    """
    frames = sum(sum(own.durations) for own in timed)
    if not frames:
        raise UserError("no phones to say")
    if not frames * frame_shift <= max_seconds:  # also true of NaN
        raise UserError(
            f"{frames * frame_shift:.1f} s of speech, more than the {max_seconds:g} s that are allowed "
            "(max_seconds)"
        )


def check_pause(pause: float) -> None:
    """Refuse a pause between sentences that is not 0 to :data:`MAX_PAUSE` seconds.

    Raises:
        UserError: With the limits.
    """
    if not 0 <= pause <= MAX_PAUSE:  # also true of NaN
        raise UserError(f"pause {pause:g}: expected 0 to {MAX_PAUSE:g} seconds")
