"""A look at every recording of a corpus before anything is computed on it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import soundfile
from tqdm import tqdm

from ctap.files.skips import SkipList

#: libsndfile's log of a data chunk whose size does not fit the file: what the header says, what there is.
_DATA_SIZE = re.compile(r"^data\s*: (\d+) \(should be (\d+)\)", re.MULTILINE)
_STREAMED = 0x7FFF0000  # writers to a pipe can't go back to fill in the size, and leave about the maximum
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Recording:
    """A usable recording.

    Attributes:
        seconds: its length.
        digest: 64 bits of the SHA-256 of its file's content, in hexadecimal.
    """

    seconds: float
    digest: str


def check_recordings(
    wav_scp: Mapping[str, str],
    skipped: SkipList,
    notices: SkipList,
    *,
    min_seconds: float = 0.1,
    max_seconds: float = 60.0,
    min_rate: int = 16000,
    num_threads: int = 8,
) -> dict[str, Recording]:
    """Look at every recording, leave out what can't be used, and say why.

    Files are read whole: the next stages do so too, and a digest of less would miss that a click was taken
    out.

    Args:
        wav_scp: utterance to the path of its audio file (not a command).
        skipped: takes the recordings left out: missing, empty, unreadable, truncated, too short, too long.
        notices: takes those kept with a remark: more channels than one (averaged when read), a sample rate
            below ``min_rate`` (the bands above half of it will be empty).
        min_seconds: shortest usable recording.
        max_seconds: longest usable recording: one stray hour would exhaust the memory of all later stages.
        min_rate: Hz.
        num_threads: files read at a time.

    Returns:
        The usable recordings by utterance.
    """
    usable: dict[str, Recording] = {}
    with ThreadPoolExecutor(num_threads) as pool:
        found = pool.map(_look, wav_scp.values())
        progress = tqdm(found, total=len(wav_scp), desc="recordings", unit="file", disable=None)
        for (utt, path), (info, what) in zip(wav_scp.items(), progress, strict=True):
            if info is None:
                skipped.add(utt, *what)
                continue
            duration = info.frames / info.samplerate
            if duration < min_seconds:
                skipped.add(utt, "recording too short", f"{duration:.3f} s < {min_seconds:g} s: {path}")
            elif duration > max_seconds:
                skipped.add(utt, "recording too long", f"{duration:.1f} s > {max_seconds:g} s: {path}")
            else:
                usable[utt] = Recording(duration, *what)
                if info.channels > 1:
                    notices.add(utt, "several channels, averaged", f"{info.channels} channels: {path}")
                if info.samplerate < min_rate:
                    notices.add(utt, f"sample rate below {min_rate} Hz", f"{info.samplerate} Hz: {path}")
    return usable


def _look(path: str) -> tuple[soundfile._SoundFileInfo | None, tuple[str, ...]]:
    """The header and the content's digest, or None with reason and detail."""
    try:
        header = _header(path)
        return (None, header) if isinstance(header, tuple) else (header, (_digest(path),))
    except OSError as error:
        return None, ("recording unreadable", f"{error.strerror}: {path}")


def _digest(path: str) -> str:
    found = hashlib.sha256()
    with Path(path).open("rb", buffering=0) as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest()[:16]


def _header(path: str) -> soundfile._SoundFileInfo | tuple[str, str]:
    if "|" in path:
        return "wav.scp entry is a command", f"expected the path of a file: {path}"
    try:
        size = Path(path).stat().st_size
    except OSError as error:
        return "recording missing", f"{error.strerror}: {path}"
    if size == 0:
        return "recording empty", f"0 bytes: {path}"
    try:
        info = soundfile.info(path)
    except (soundfile.SoundFileError, RuntimeError) as error:
        return "recording unreadable", str(error).replace(repr(path), path)
    if info.frames <= 0:
        return "recording empty", f"no samples after the header: {path}"
    if lost := lost_samples(info.extra_info):
        return "recording truncated", f"{lost[0]} of {lost[1]} bytes of samples are there: {path}"
    return info


def lost_samples(log: str) -> tuple[int, int] | None:
    """How many bytes of samples a truncated wav file holds, and how many its header promises.

    libsndfile reads what is left of one, and only notes it in its log.

    Args:
        log: what libsndfile noted: ``extra_info`` of soundfile.

    Returns:
        ``None`` if the file is whole, or was written to a pipe and promises no number.
    """
    sizes = _DATA_SIZE.search(log)
    if not sizes or not int(sizes[2]) < int(sizes[1]) < _STREAMED:
        return None
    return int(sizes[2]), int(sizes[1])
