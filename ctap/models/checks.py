"""Checks of a model's inputs before processing starts: thousands of inputs may follow a bad one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ctap.audio.wave import check_wave
from ctap.errors import UserError
from ctap.kaldi.ark import read_matrix
from ctap.models.model_dir import Parts
from ctap.models.timing import check_length, given, listed
from ctap.text.languages import language_of
from ctap.text.pieces import Piece


def read_phones(text: str | list[str], parts: Parts) -> list[str]:
    """Phones of a text as the model's training read it, or phones as they stand.

    Raises:
        UserError: The text can't be read.
    """
    return language_of(parts.text).to_phones(_whole(text)) if isinstance(text, str) else listed(text)


def read_pieces(text: str | list[str], parts: Parts) -> list[Piece]:
    """The same in pieces that the duration model can time."""
    language, most = language_of(parts.text), parts.trained.window("duration")
    if isinstance(text, str):
        return language.to_pieces(_whole(text), most)
    return language.cut(listed(text), most)


def _whole(text: str) -> str:
    """``text``, in which a command line in an encoding other than UTF-8 leaves bytes that are not letters.

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


def read_frames(entry: str | Path | np.ndarray, parts: Parts) -> Tensor:
    """Frames [T, d] float32 of another representation, for a model that reads one.

    Args:
        entry: An entry of its feats.scp, or frames [T, d].
        parts: The model.

    Raises:
        UserError: It is a recording or something else, or frames of another dimension, or not all finite.
    """
    if not isinstance(entry, np.ndarray):
        if not isinstance(entry, (str, Path)):
            raise UserError(f"{type(entry).__name__}: expected an entry of a feats.scp, or a numpy array")
        if Path(entry).suffix == ".wav":
            raise UserError(
                f"{entry}: {parts.path or 'this model'} reads frames of another representation, no waves; "
                "give the feats.scp of its dump"
            )
    named = "an array" if isinstance(entry, np.ndarray) else str(entry)
    frames = entry if isinstance(entry, np.ndarray) else read_matrix(named)
    dim = parts.ctap.config.embed_dim
    if frames.ndim != 2 or not len(frames) or frames.shape[1] != dim:
        raise UserError(f"{named}: frames {list(frames.shape)}, expected [T, {dim}]")
    if not np.isfinite(frames).all():
        raise UserError(f"{named}: holds NaN or infinite values")
    return torch.from_numpy(np.require(frames, np.float32, ["C_CONTIGUOUS", "WRITEABLE", "ENSUREARRAY"]))


def check_embedding(embedding: object, parts: Parts) -> Tensor:
    """Speech embeddings [T, d] of this model, in float32.

    Raises:
        UserError: They are something else; the message says what.
    """
    return _tensor(embedding, [None, parts.ctap.config.embed_dim], "speech embeddings")


def check_mel(mel: object, parts: Parts) -> Tensor:
    """Log-mel [T, n_mels], in float32.

    Raises:
        UserError: It is something else; the message says what.
    """
    return _tensor(mel, [None, parts.audio.n_mels], "a log-mel")


def check_f0(f0: object, frames: int) -> Tensor:
    """F0 [T] in Hz of so many frames, in float32.

    Raises:
        UserError: It is something else; the message says what.
    """
    hertz = _tensor(f0, [frames], "F0 of every frame")
    if (hertz < 0).any():
        raise UserError("F0 holds negative values: expected Hz, 0 where unvoiced")
    return hertz


def check_g(g: object, parts: Parts) -> Tensor:
    """Prompt embedding G [D_g] of this model, in float32.

    Raises:
        UserError: It is something else, or of a model of other sizes; the message says what.
    """
    return _tensor(g, [parts.ctap.config.prompt_encoder.dim], "a prompt embedding of this model")


def _tensor(found: object, sizes: Sequence[int | None], what: str) -> Tensor:
    """``found`` in float32 if it is a tensor of these sizes, None standing for T, and of finite numbers."""
    shape = [*getattr(found, "shape", ())]
    fits = len(shape) == len(sizes) and all(
        n == size if size else n for n, size in zip(shape, sizes, strict=True)
    )
    if not isinstance(found, Tensor) or not fits:
        wanted = ", ".join("T" if size is None else str(size) for size in sizes)
        least = " with T >= 1" if None in sizes else ""
        raise UserError(f"{type(found).__name__} {shape}: expected {what}, a tensor [{wanted}]{least}")
    if not found.isfinite().all():
        raise UserError(f"NaN or infinite values in place of {what}")
    return found.float()
