"""What a model is to say or hear, looked at before the work: thousands may stand behind a bad one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ctap.audio.wave import check_wave
from ctap.errors import UserError
from ctap.models.model_dir import Parts
from ctap.models.timing import check_length, given
from ctap.text.frontend import text_to_phones
from ctap.text.sentences import Piece, phones_to_pieces, text_to_pieces


def read_phones(text: str | list[str], parts: Parts) -> list[str]:
    """Phones of a text as the model's training read it, or phones as they stand.

    Raises:
        UserError: The text can't be read.
    """
    rules = parts.text
    if not isinstance(text, str):
        return text
    return text_to_phones(text, sandhi=rules.sandhi, spell_latin=rules.spell_latin)


def read_pieces(text: str | list[str], parts: Parts) -> list[Piece]:
    """The same in pieces that the duration model can time."""
    most = parts.trained.window("duration")
    return text_to_pieces(text, parts.text, most) if isinstance(text, str) else phones_to_pieces(text, most)


def check_text(
    text: str | list[str], parts: Parts, durations: Sequence[int] | None, max_seconds: float
) -> None:
    """Refuse what :meth:`ctap.models.inference.Model.synthesize` would refuse, but for predicted lengths.

    Args:
        text: Hanzi or pinyin, or phones as they stand.
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
