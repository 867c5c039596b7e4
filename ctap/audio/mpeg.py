"""Counting the frames of MPEG audio (mp3): ISO/IEC 11172-3 and 13818-3, and what others put around them."""

from __future__ import annotations

from dataclasses import dataclass

_RATES = {
    3: (44100, 48000, 32000),
    2: (22050, 24000, 16000),
    0: (11025, 12000, 8000),
}  # of versions 1, 2, 2.5
_KILOBITS = {  # by version 1 or not, and layer
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_KILOBITS[False, 3] = _KILOBITS[False, 2]
_HEADER = 4


@dataclass(frozen=True)
class Counted:
    """What the frames of a file come to.

    Attributes:
        samples: samples per channel, at the rate of the first frame, with what encoders put before and behind
            the sound.
        frame_samples: samples of a frame.
        sample_rate: Hz.
        cut: whether the last frame is not all there.
    """

    samples: int
    frame_samples: int
    sample_rate: int
    cut: bool


@dataclass(frozen=True)
class _Frame:
    size: int
    samples: int
    rate: int
    layer: int


_NONE = _Frame(0, 0, 0, 0)


def count_frames(content: bytes) -> Counted | None:
    """Count the frames of sound; tags, and frames that only say how many there are, do not count.

    Returns:
        ``None`` if there is no frame, or frames are of the free format, which do not tell their size.
    """
    at, seconds, cut, first = 0, 0.0, False, None
    while at < len(content):
        frame = _frame(content, at)
        if frame is None or (first and not _follows(content, at, frame, first)):
            at = _next(content, at)
            continue
        first = first or frame
        cut = at + frame.size > len(content)
        if not cut and not _tells_only(content[at : at + min(frame.size, 64)]):
            seconds += frame.samples / frame.rate
        at += frame.size
    if first is None:
        return None
    return Counted(round(seconds * first.rate), first.samples, first.rate, cut)


def behind_tag(content: bytes, at: int = 0) -> int:
    """Where the ID3 tag ends that begins at ``at``; ``at`` if none does."""
    if content[at : at + 3] != b"ID3" or len(content) < at + 10:
        return at
    size = 0
    for byte in content[at + 6 : at + 10]:
        size = size << 7 | byte & 0x7F
    return at + 10 + size


def _frame(content: bytes, at: int) -> _Frame | None:
    """The frame that begins at ``at``, if one does."""
    head = content[at : at + _HEADER]
    if len(head) < _HEADER or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    bits, rate, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version == 1 or layer == 4 or bits in (0, 15) or rate == 3:
        return None
    hertz = _RATES[version][rate]
    samples = 384 if layer == 1 else 576 if layer == 3 and version != 3 else 1152
    bit_rate = _KILOBITS[version == 3, layer][bits - 1] * 1000
    slot = 4 if layer == 1 else 1
    return _Frame((samples * bit_rate // (8 * slot * hertz) + padding) * slot, samples, hertz, layer)


def _tells_only(head: bytes) -> bool:
    """Whether a frame holds a length (Xing, Info, VBRI) in place of sound."""
    return any(word in head for word in (b"Xing", b"Info", b"VBRI"))


def _follows(content: bytes, at: int, frame: _Frame, first: _Frame) -> bool:
    """Whether a frame counts: like the first, or (where files are joined) one of at least two in a row."""
    if (frame.rate, frame.layer) == (first.rate, first.layer):
        return True
    after = _frame(content, at + frame.size)
    return after is not None and (after.rate, after.layer) == (frame.rate, frame.layer)


def _next(content: bytes, at: int) -> int:
    """Where to continue after what is not a frame: after a tag, or at the next two frames in a row."""
    if (end := behind_tag(content, at)) > at:
        return end
    if content[at : at + 3] == b"TAG":
        return at + 128
    while (at := content.find(b"\xff", at + 1)) >= 0:
        frame = _frame(content, at)
        if frame and _follows(content, at, frame, _NONE):
            return at
    return len(content)
