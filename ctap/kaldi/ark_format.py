"""The bytes of a matrix in an ark: Kaldi's ``Matrix`` and ``CompressedMatrix``."""

from __future__ import annotations

import mmap
import struct

import numpy as np

from ctap.errors import UserError

_FLOATS = {b"FM ": np.dtype("<f4"), b"DM ": np.dtype("<f8")}
_GLOBAL = struct.Struct("<ffii")
_FOREIGN = {
    b"PKL": "a pickled object",
    b"NPY": "a numpy file",
    b"RIF": "audio",
    b"fLa": "audio",
    b"AUD": "audio",
}


def header(data: mmap.mmap, offset: int, where: str) -> tuple[bytes, int, int, int, float, float]:
    """Kind, rows, columns, offset of the values, minimum, range."""
    if data[offset : offset + 2] != b"\0B":
        if foreign := _FOREIGN.get(data[offset : offset + 3]):
            raise UserError(f"{where}: holds {foreign}, expected a Kaldi matrix")
        if offset + 2 > len(data):
            raise UserError(f"{where}: the ark ends before this entry, it is cut short; make it again")
        raise UserError(f"{where}: no binary Kaldi matrix here; is the scp older than its ark?")
    at = offset + 2
    kind = data[at : at + 3]
    try:
        if kind in _FLOATS:
            at += 3
            size_row, rows, size_column, columns = struct.unpack_from("<bibi", data, at)
            if (size_row, size_column) != (4, 4):
                raise UserError(f"{where}: malformed matrix header")
            result = kind, rows, columns, at + 10, 0.0, 0.0
        elif kind in (b"CM ", b"CM2", b"CM3"):
            at += 3 if kind == b"CM " else 4
            low, span, rows, columns = _GLOBAL.unpack_from(data, at)
            result = kind, rows, columns, at + _GLOBAL.size, low, span
        elif len(kind) < 3:
            raise UserError(f"{where}: the ark is cut short; make it again")
        else:
            raise UserError(f"{where}: holds {kind!r}, expected a Kaldi matrix (FM, DM, CM, CM2 or CM3)")
    except struct.error:
        raise UserError(f"{where}: the ark is cut short; make it again") from None
    if rows < 0 or columns < 0:
        raise UserError(f"{where}: malformed matrix header ({rows} rows, {columns} columns)")
    return result


def decode(data: mmap.mmap, offset: int, where: str) -> tuple[np.ndarray, int]:
    """The matrix at an offset, and where it ends."""
    kind, rows, columns, at, low, span = header(data, offset, where)
    per_value = {b"FM ": 4, b"DM ": 8, b"CM2": 2}.get(kind, 1)
    end = at + rows * columns * per_value + (8 * columns if kind == b"CM " else 0)
    if end > len(data):
        raise UserError(f"{where}: the ark is cut short, {end - len(data)} bytes are missing; make it again")
    count = rows * columns
    if kind in _FLOATS:
        return np.frombuffer(data, _FLOATS[kind], count, at).astype(np.float32).reshape(rows, columns), end
    if kind == b"CM ":
        return _decode_columns(data, at, rows, columns, low, span), end
    dtype, steps = (np.dtype("<u2"), 65535) if kind == b"CM2" else (np.dtype("u1"), 255)
    matrix = np.frombuffer(data, dtype, count, at).astype(np.float32)
    matrix *= np.float32(span / steps)
    matrix += np.float32(low)
    return matrix.reshape(rows, columns), end


def _decode_columns(data: mmap.mmap, at: int, rows: int, columns: int, low: float, span: float) -> np.ndarray:
    """Kaldi's method 2: each column is piecewise linear between four of its percentiles."""
    marks = np.frombuffer(data, "<u2", 4 * columns, at).reshape(columns, 4).astype(np.float32)
    marks = marks * np.float32(span / 65535) + np.float32(low)
    pieces = [np.arange(65) / 64, np.arange(1, 129) / 128, np.arange(1, 64) / 63]
    levels = np.concatenate(
        [
            marks[:, k, None] + (marks[:, k + 1] - marks[:, k])[:, None] * piece.astype(np.float32)
            for k, piece in enumerate(pieces)
        ],
        axis=1,
    )
    values = np.frombuffer(data, "u1", rows * columns, at + 8 * columns).reshape(columns, rows)
    index = values + (256 * np.arange(columns))[:, None]
    return np.ascontiguousarray(levels.ravel()[index].T)
