"""Opening a recording, or saying why it can't be used: what all that read or check recordings decide by."""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Iterator
from pathlib import Path

import soundfile

from ctap.audio.whole import lost_end, missing

_RAW = "a name in .raw is that of samples without a header: rename the file if it has one, else make it a wav"


class RecordingError(Exception):
    """Why a recording can't be used.

    Attributes:
        kind: ``"missing"``, ``"empty"``, ``"truncated"`` or ``"unreadable"``.
        detail: what was found, without the file's name.
    """

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind, self.detail = kind, detail


@contextlib.contextmanager
def opened(path: str | Path) -> Iterator[soundfile.SoundFile]:
    """Open a recording that has samples; what fails as they are read is told in the same words.

    Raises:
        RecordingError: the file is missing, empty or unreadable; or it is truncated, so far as that keeps it
            from being opened or read (for the rest, :func:`require_whole`).
    """
    try:
        status = Path(path).stat()
    except OSError as error:
        raise RecordingError("missing", str(error.strerror)) from None
    if not stat.S_ISREG(status.st_mode):
        raise RecordingError("missing", "not a file")
    if not status.st_size:
        raise RecordingError("empty", "0 bytes")
    if Path(path).suffix.lower() == ".raw":  # soundfile takes the name for that of samples without a header
        raise RecordingError("unreadable", _RAW)
    try:
        with soundfile.SoundFile(str(path)) as file:
            if file.frames <= 0:
                require_whole(path, file)
                raise RecordingError("empty", "no samples after the header")
            if not file.seekable():
                raise RecordingError("unreadable", f"{file.subtype_info} is not supported")
            yield file
    except soundfile.SoundFileError as error:
        raise _fault(str(path), error) from None


def require_whole(path: str | Path, file: soundfile.SoundFile) -> None:
    """Refuse a recording of which a part is missing; of its content at most the end is decoded.

    Raises:
        RecordingError: it is truncated, or can't be read.
    """
    try:
        lost = missing(path, file)
    except OSError as error:
        raise RecordingError("unreadable", str(error.strerror)) from None
    if lost:
        raise RecordingError("truncated", lost)


def _fault(path: str, error: soundfile.SoundFileError) -> RecordingError:
    """What is wrong with a file that libsndfile does not open, or not read to its end."""
    try:
        lost = lost_end(path)
    except OSError as refused:
        return RecordingError("unreadable", str(refused.strerror))
    if lost:
        return RecordingError("truncated", lost)
    said = (str(error) or type(error).__name__).splitlines()[0]
    return RecordingError("unreadable", said.removeprefix(f"Error opening {path!r}: "))
