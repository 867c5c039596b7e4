"""Whether all of a recording is in its file, as far as the file tells: libsndfile reads what is left of one.

Compressed audio says how long it is in one place and holds its sound in another: an mp3 by a first frame
that only variable bit rates have, and not all of these (ISO 11172-3, and Xing's and Fraunhofer's headers); an
Ogg file by a flag of its last page (RFC 3533). Files put behind each other are whole each, and read only to
the end of the first.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import soundfile

from ctap.audio.mpeg import behind_tag, count_frames

#: libsndfile's log of a chunk of samples whose size does not fit the file: what is promised, what there is.
_SIZES = re.compile(r"^ ?(?:data| +Data Size|SSND|BODY|riff)\s*: (\d+) \(should be (\d+)\)", re.MULTILINE)
_ODD = ("does not match value from 'ds64' chunk", "seems to be truncated", "Seems to be a truncated file")
_STREAMED = 0x7FFF0000  # writers to a pipe can't go back to fill in the size, and leave about the maximum
_NIST_SAMPLES = re.compile(rb"^sample_count -i (\d+)", re.MULTILINE)
_FLAC_START = b"fLaC\x00\x00\x00\x22"
_NO_LENGTH = 1 << 62  # frames, of a FLAC file that leaves its length open
_FRAMES_SPARE = 4  # of an mp3: what encoders put before and behind the sound, and readers take away
_LAST_PAGE, _FIRST_PAGE = 4, 2
_SEVERAL = "several streams"
_NO_END = "its last samples are not there"


class Header(Protocol):
    """What :mod:`soundfile` says of a file."""

    format: str
    frames: int
    samplerate: int
    extra_info: str


def missing(path: str | Path, info: Header) -> str:
    """What of a recording is not in its file, or not read from it, for a message; ``""`` if nothing is.

    Args:
        path: the file; its content is looked at only where the header can't tell.
        info: its header, as libsndfile reads it.

    Raises:
        OSError: the file can't be read.
        SoundFileError: libsndfile can't read it, for another reason.
    """
    if lost := lost_samples(info.extra_info):
        return f"{lost[0]} of {lost[1]} bytes of samples are there"
    if any(words in info.extra_info for words in _ODD):
        return "there are fewer samples than the header says"
    look = _LOOKS.get(info.format)
    return look(Path(path), info) if look else ""


def lost_end(path: str | Path) -> str:
    """Why libsndfile does not open a file or read it to its end, if that is because its end is missing.

    Returns:
        For a message; ``""`` if it is for another reason, or can't be told.

    Raises:
        OSError: the file can't be read.
    """
    content = _untagged(path)
    if content[:4] == b"OggS":
        return _pages(content).replace(_SEVERAL, "")
    return _end_of_flac(content) if content[:4] == b"fLaC" else ""


def _untagged(path: str | Path) -> bytes:
    """A file without the ID3 tags in front of it, with which libsndfile does not find its last samples."""
    content = Path(path).read_bytes()
    while start := behind_tag(content):
        content = content[start:]
    return content


def lost_samples(log: str) -> tuple[int, int] | None:
    """How many bytes of samples a truncated file without compression holds, and how many its header promises.

    libsndfile reads what is left of one, and only notes it in its log.

    Args:
        log: what libsndfile noted: ``extra_info`` of soundfile.

    Returns:
        ``None`` if the file is whole, or was written to a pipe and promises no number.
    """
    sizes = _SIZES.search(log)
    if not sizes or not int(sizes[2]) < int(sizes[1]) < _STREAMED:
        return None
    return int(sizes[2]), int(sizes[1])


def _joined(info: Header) -> str:
    return f"several files in one: only the first, of {info.frames / info.samplerate:.2f} s, can be read"


def _of_flac(path: Path, info: Header) -> str:
    if info.frames >= _NO_LENGTH:
        return "it does not say how long it is: written to a pipe?"
    content = _untagged(path)
    if content.find(_FLAC_START, 4) > 0:
        return _joined(info)
    return _end_of_flac(content)


def _end_of_flac(content: bytes) -> str:
    """FLAC keeps the length in front, and libsndfile refuses to seek to a sample that is not there."""
    try:
        return _last_sample(io.BytesIO(content))
    except soundfile.SoundFileError:
        return _NO_END


def _last_sample(file: str | io.BytesIO) -> str:
    """Whether the last sample can be read, which decodes one block.

    Not every format is asked this way: of some whole files libsndfile does not find the end (PAF, SDS).
    """
    with soundfile.SoundFile(file) as sound:
        if sound.frames <= 0:
            return ""
        sound.seek(sound.frames - 1)
        return "" if len(sound.read(1)) == 1 else _NO_END


def _of_nist(path: Path, info: Header) -> str:
    with path.open("rb") as file:
        told = _NIST_SAMPLES.search(file.read(1024))
    lost = told is not None and info.frames < int(told[1])
    return f"{info.frames} of {told[1].decode()} samples are there" if lost else ""


def _of_mp3(path: Path, info: Header) -> str:
    found = count_frames(path.read_bytes())
    if found is None:
        return _last_sample(str(path))
    read, held = info.frames / info.samplerate, found.samples / found.sample_rate
    spare = _FRAMES_SPARE * found.frame_samples
    if found.samples - info.frames > spare:
        return (
            f"{held:.2f} s of sound, of which only {read:.2f} s can be read: no true length stands in front"
        )
    if info.frames - found.samples > spare:
        return f"{held:.2f} s of sound, where {read:.2f} s stand in front"
    return "it ends within a frame" if found.cut else _last_sample(str(path))


def _of_ogg(path: Path, info: Header) -> str:
    lost = _pages(path.read_bytes())
    if lost == _SEVERAL:
        return _joined(info)
    return f"{lost}, {info.frames / info.samplerate:.2f} s are left" if lost else ""


def _pages(content: bytes) -> str:
    """What an Ogg file lacks, by its pages: header of 27 bytes, a table of segments, the segments."""
    at, ended, numbers = 0, False, {}
    while content[at : at + 4] == b"OggS" and len(content) >= at + 27:
        table = content[at + 27 : at + 27 + content[at + 26]]
        flags, serial = content[at + 5], content[at + 14 : at + 18]
        number = int.from_bytes(content[at + 18 : at + 22], "little")
        at += 27 + content[at + 26] + sum(table)
        if at > len(content):
            return "it ends within a page"
        if ended and flags & _FIRST_PAGE:
            return _SEVERAL
        if serial in numbers and number != numbers[serial] + 1:
            return f"page {numbers[serial] + 1} is not there"
        numbers[serial], ended = number, bool(flags & _LAST_PAGE)
    return "" if ended else "the last page has no end-of-stream flag"


_LOOKS: dict[str, Callable[[Path, Header], str]] = {
    "FLAC": _of_flac,
    "NIST": _of_nist,
    "MP3": _of_mp3,
    "OGG": _of_ogg,
}
