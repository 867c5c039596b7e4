"""What a model is to say or hear, looked at before the work: thousands may stand behind a bad one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ctap.audio.wave import check_wave
from ctap.errors import UserError
from ctap.models.model_dir import Parts
from ctap.models.timing import check_length, given
from ctap.text.languages import language_of
from ctap.text.pieces import Piece


def read_phones(text: str | list[str], parts: Parts) -> list[str]:
    """Phones of a text as the model's training read it, or phones as they stand.

    Raises:
        UserError: The text can't be read.
    """
    return language_of(parts.text).to_phones(_whole(text)) if isinstance(text, str) else text


def read_pieces(text: str | list[str], parts: Parts) -> list[Piece]:
    """The same in pieces that the duration model can time."""
    language, most = language_of(parts.text), parts.trained.window("duration")
    return language.to_pieces(_whole(text), most) if isinstance(text, str) else language.cut(text, most)


def _whole(text: str) -> str:
    """``text``, which a command line in another encoding than UTF-8 leaves with bytes that are no letters.

    Raises:
        UserError: It has such.
    """
    for place, letter in enumerate(text, 1):
        if "\ud800" <= letter <= "\udfff":
            raise UserError(f"the text is not in UTF-8: {letter!a} stands at its character {place}")
    return text


def check_text(
    text: str | list[str], parts: Parts, durations: Sequence[int] | None, max_seconds: float
) -> None:
    """Refuse what :meth:`ctap.models.inference.Model.synthesize` would refuse, but for predicted lengths.

    Args:
        text: Text of the model's language, or phones as they stand.
        parts: The model.
        durations: Frames of each phone, if they are given.
        max_seconds: The most that may be said.

    Raises:
        UserError: The text can't be read, a phone is unknown, or durations do not fit.
    """
    if durations is not None:
        timed = given(read_phones(text, parts), durations)
        check_length([timed], parts.audio.frame_shift, max_seconds)
        parts.tokens.encode(timed.phones)
        return
    pieces = read_pieces(text, parts)
    if not any(piece.phones for piece in pieces):
        raise UserError("no phones to say")
    for piece in pieces:
        parts.tokens.encode(piece.phones)


def check_source(source: str | Path, reads_frames: bool) -> None:
    """Refuse a recording that can't be read, by its header and by whether all of it is there.

    Args:
        source: The file, or the entry of a feats.scp.
        reads_frames: Whether the model reads such entries in place of recordings; these are looked at later.

    Raises:
        AudioError: It is missing, unreadable or truncated.
    """
    if not reads_frames:
        check_wave(source)
