"""Feature matrices in Kaldi arks: checked writing, and reading through a memory map.

The byte layout is that of Kaldi's ``Matrix`` and ``CompressedMatrix`` (Povey et al., "The Kaldi Speech
Recognition Toolkit", ASRU 2011). Writing goes through kaldiio; reading does not, because kaldiio runs a shell
for entries with ``|``, unpickles payloads that say so, and opens the ark again for every utterance.
"""

from __future__ import annotations

import contextlib
import io
import mmap
import os
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from ctap.errors import UserError, writing
from ctap.files.atomic import atomic_write
from ctap.files.tables import read_rows, write_table
from ctap.kaldi.ark_format import decode, header
from ctap.kaldi.ark_sums import ArkSums, sums_path, write_sums
from ctap.kaldi.scp import Places, parse_entry, refuse_command

ONE_BYTE = 5  # Kaldi's kOneByteAuto: one byte a value, scaled over the whole matrix
SPEECH_FEATURE = 2
NEAR = 1 << 20
"""Bytes from one utterance to the next at which both are read in one go, and that the last one may have."""
MOST_OPEN = 256
"""Arks that a reader keeps in memory maps: each holds a file open, of which many systems allow 1024."""


class MatrixWriter:
    """Write matrices to an ark and its scp; both appear when the block ends without an exception.

    With ``shard_frames``, several arks: ``feats.1.1.ark``, ``feats.1.2.ark`` and so on in the place of
    ``feats.1.ark``, each of which appears when it is full. Checksums of the matrices go beside the ark
    (:mod:`ctap.kaldi.ark_sums`).

    Example:
        >>> with MatrixWriter("dump/feats.1.ark", "dump/feats.1.scp") as writer:  # doctest: +SKIP
        ...     writer["SSB00050001"] = mel  # [T, D]

    Args:
        ark: path of the ark; the scp names it as given here, but for the number of a shard.
        scp: path of the scp.
        compression: Kaldi's compression method 1, 2, 3 or 5, or None for plain float32. Method 5 stores one
            byte a value: error at most (max - min) / 510 of the matrix.
        growing: The ark grows in its place, and :meth:`save` lists what is in it so far; so does the end of
            the block, with an exception or without.
        shard_frames: What an ark holds at most, unless a single matrix is longer; not for one that grows.
    """

    def __init__(
        self,
        ark: str | os.PathLike[str],
        scp: str | os.PathLike[str],
        compression: int | None = ONE_BYTE,
        *,
        growing: bool = False,
        shard_frames: int | None = None,
    ) -> None:
        if growing and shard_frames:
            raise ValueError("an ark that grows can't be cut into shards")
        if compression not in (None, 1, SPEECH_FEATURE, 3, ONE_BYTE):
            # Methods 4, 6 and 7 assume a fixed range of values and wrap around outside it.
            raise ValueError(f"compression {compression!r}: expected None, 1, 2, 3 or 5")
        refuse_command(os.fspath(ark), str(scp))
        self.ark, self.scp, self.compression = os.fspath(ark), Path(scp), compression
        self._name, self._shard_frames, self._shards = self.ark, shard_frames, 0
        self._growing = growing
        self._rows: dict[str, str] = {}
        self._offsets: list[int] = []
        self._sums: list[int] = []
        self._size = self._frames = 0
        self._stack = contextlib.ExitStack()
        self._file: Any = None

    def __enter__(self) -> MatrixWriter:
        if self._growing:
            self._forget()
            self._stack.enter_context(writing(self.ark))
            self._file = self._stack.enter_context(Path(self.ark).open("wb"))
        else:
            self._begin()
        return self

    def _begin(self) -> None:
        """Begin an ark that appears when it is finished."""
        self._offsets, self._sums, self._size, self._frames = [], [], 0, 0
        if self._shard_frames:
            self._shards += 1
            self.ark = f"{self._name.removesuffix('.ark')}.{self._shards}.ark"
        self._file = self._stack.enter_context(atomic_write(self.ark, "wb"))

    def _finish(self) -> None:
        """Let it and its checksums appear."""
        self._file = None
        self._forget()
        self._stack.close()
        write_sums(self.ark, self._offsets, self._sums, self._size)

    def save(self) -> None:
        """List in the scp what a growing ark holds so far, if it holds anything."""
        if self._rows:
            self._file.flush()
            os.fsync(self._file.fileno())
            write_sums(self.ark, self._offsets, self._sums, self._size)
            write_table(self.scp, self._rows)

    def _forget(self) -> None:
        """Whenever the process dies: no old scp, no old checksums may be taken for those of a new ark."""
        self.scp.unlink(missing_ok=True)
        sums_path(self.ark).unlink(missing_ok=True)

    def __setitem__(self, utterance: str, matrix: np.ndarray) -> None:
        """Append ``matrix`` [T, D]; float32 and float64 are taken (stored as float32), as is float16.

        Raises:
            UserError: not a matrix, empty, NaN or infinite, or the utterance came before.
        """
        from kaldiio.matio import write_array

        if self._file is None:
            raise RuntimeError("MatrixWriter is written to inside its `with` block")
        if utterance in self._rows:
            raise UserError(f"{self.ark}: {utterance!r} is written a second time")
        if not utterance or utterance.split() != [utterance]:
            raise UserError(f"{self.ark}: {utterance!r} can't be a key: empty or with blanks inside")
        # float16 must be widened: kaldiio's scaling would overflow in it without a word.
        matrix = np.ascontiguousarray(matrix, dtype=np.float32)
        if matrix.ndim != 2 or 0 in matrix.shape:
            raise UserError(
                f"{self.ark}: {utterance!r} has shape {list(matrix.shape)}, expected [T, D] with T, D >= 1"
            )
        bad = ~np.isfinite(matrix)
        if bad.any():
            row, column = np.argwhere(bad)[0]
            raise UserError(
                f"{self.ark}: {utterance!r} has {int(bad.sum())} values that are NaN or infinite, "
                f"the first in frame {row}, bin {column}; one alone spoils the whole matrix when compressed"
            )
        if self._shard_frames and 0 < self._frames > self._shard_frames - len(matrix):
            self._finish()
            self._begin()
        self._frames += len(matrix)
        self._file.write(f"{utterance} ".encode())
        self._offsets.append(self._file.tell())
        self._rows[utterance] = f"{self.ark}:{self._offsets[-1]}"
        content = io.BytesIO()
        write_array(content, matrix, compression_method=self.compression)
        self._sums.append(zlib.crc32(content.getbuffer()))
        self._file.write(content.getbuffer())
        self._size = self._file.tell()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._growing:
            self.save()
            self._file = None
            self._stack.__exit__(kind, error, trace)
        elif kind is None:
            self._finish()
            write_table(self.scp, self._rows)
        else:
            self._file = None
            self._stack.__exit__(kind, error, trace)


class MatrixReader(Mapping[str, np.ndarray]):
    """The matrices of an scp by utterance, each float32 [T, D], writable, decoded when asked for.

    Arks are memory-mapped when used, and the last used stay so; the object may be pickled or forked (each
    process maps for itself). A relative ark path is looked up from the working directory, then from the
    scp's, then by its name alone beside the scp: recipes write paths as they are seen from their own
    directory.

    Args:
        scp: the list of matrices.
        places: what stands in it, if that is known already.
        most_open: how many arks stay mapped.

    Raises:
        UserError: the scp is malformed or holds a command (``|``) or a range; on access: no such ark, a
            truncated or foreign entry.
    """

    def __init__(
        self, scp: str | os.PathLike[str], places: Places | None = None, most_open: int = MOST_OPEN
    ) -> None:
        self.scp, self.most_open = Path(scp), most_open
        self.places = Places.of(read_rows(scp), self.scp) if places is None else places
        self._maps: dict[str, _Ark] = {}

    def __getitem__(self, utterance: str) -> np.ndarray:
        ark, offset = self._entry(utterance)
        return self._map(ark).matrix(offset, f"{ark}:{offset} ({utterance})")

    def __iter__(self) -> Iterator[str]:
        return iter(self.places.names)

    def __len__(self) -> int:
        return len(self.places.names)

    def __contains__(self, utterance: object) -> bool:
        return utterance in self.places.names

    def _entry(self, utterance: str) -> tuple[str, int]:
        place = self.places.names.find(utterance)
        if place < 0:
            raise KeyError(utterance)
        return self.places.arks[self.places.ark[place]], int(self.places.offset[place])

    def shape(self, utterance: str) -> tuple[int, int]:
        """``(T, D)`` of an utterance, from its header alone."""
        ark, offset = self._entry(utterance)
        return header(self._map(ark).data, offset, f"{ark}:{offset} ({utterance})")[1:3]

    def place(self, utterance: str) -> str:
        """Where an utterance is: the name of its ark and the byte at which it begins, ``feats.1.ark:17``."""
        ark, offset = self._entry(utterance)
        return f"{ark.rpartition('/')[2]}:{offset}"

    def rounding(self, utterance: str) -> float:
        """How far an utterance's values may lie from what was written, from its header alone.

        Raises:
            UserError: its compression (Kaldi's method 2) depends on the values and can't tell.
        """
        ark, offset = self._entry(utterance)
        where = f"{ark}:{offset} ({utterance})"
        kind, _, _, _, _, span = header(self._map(ark).data, offset, where)
        if kind == b"CM ":
            raise UserError(f"{where}: compressed by Kaldi's method 2, whose rounding differs by column")
        return span / {b"CM2": 2 * 65535, b"CM3": 2 * 255}.get(kind, np.inf)

    def read_ahead(self, places: np.ndarray) -> None:
        """Let the system read utterances from the disk, in order, before they are asked for.

        Args:
            places: [n] which lines of the scp.
        """
        ark, offset = np.asarray(self.places.ark)[places], np.asarray(self.places.offset)[places]
        order = np.lexsort((offset, ark))
        ark, offset = ark[order], offset[order]
        breaks = np.flatnonzero((np.diff(ark) != 0) | (np.diff(offset) > NEAR)) + 1
        for run in np.split(np.arange(len(order)), breaks) if len(order) else ():
            first, last = run[0], run[-1]
            data = self._map(self.places.arks[ark[first]])
            data.read_ahead(int(offset[first]), int(offset[last]) + NEAR)

    def arks(self) -> list[Path]:
        """The arks that the scp names."""
        return [self._place(ark) for ark in self.places.arks]

    def _place(self, ark: str) -> Path:
        path = Path(ark)
        beside = self.scp.parent
        places = (path,) if path.is_absolute() else (path, beside / path, beside / path.name)
        return next((place for place in places if place.exists()), path)

    def _map(self, ark: str) -> _Ark:
        found = self._maps.pop(ark, None)
        if found is None:
            found = _Ark(self._place(ark), str(self.scp))
            while len(self._maps) >= self.most_open:
                del self._maps[next(iter(self._maps))]
        self._maps[ark] = found  # as the last used
        return found

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_maps": {}}


def read_matrix(spec: str) -> np.ndarray:
    """Read one matrix, float32 [T, D], from ``path.ark:offset`` (or ``path`` for a file of one matrix).

    Raises:
        UserError: the entry is a command (``|``), a range, a pickle or no matrix, or it is cut short.
    """
    ark, offset = parse_entry(spec, spec)
    return _Ark(Path(ark), spec).matrix(offset, spec)


class _Ark:
    """An ark in memory, with its checksums if it has any; ``where`` is what names it."""

    def __init__(self, path: Path, where: str) -> None:
        self.data = _open_map(path, where)
        self.sums = ArkSums(path, len(self.data)) if sums_path(path).exists() else None

    def read_ahead(self, start: int, end: int) -> None:
        """Ask for the bytes from ``start`` to ``end``, or to the end of the file."""
        inside = start < len(self.data)  # else the file is cut short, and reading it says so
        if inside and hasattr(self.data, "madvise"):
            start -= start % mmap.PAGESIZE
            self.data.madvise(mmap.MADV_WILLNEED, start, min(end, len(self.data)) - start)

    def matrix(self, offset: int, where: str) -> np.ndarray:
        """The matrix at ``offset``, checked."""
        matrix, end = decode(self.data, offset, where)
        if self.sums is not None:
            self.sums.check(offset, memoryview(self.data)[offset:end], where)
        return matrix


def _open_map(path: Path, where: str) -> mmap.mmap:
    try:
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except ValueError:
        raise UserError(f"{path}: is empty (named in {where}); make it again") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror} (named in {where})") from None
