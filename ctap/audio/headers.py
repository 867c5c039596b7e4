"""A look and a listen at every recording of a corpus before anything is computed on it."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import soundfile
from tqdm import tqdm

from ctap.audio.levels import SILENCE, LevelError, Remark, examine, one_channel
from ctap.audio.opening import RecordingError, opened, require_whole
from ctap.files.skips import SkipList
from ctap.files.sums import digest_of

_AT_ONCE = 10_000  # recordings in a pool's queue, each of which takes 2 KB there


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
    wav_scp: Iterable[tuple[str, str]],
    skipped: SkipList,
    notices: SkipList,
    *,
    min_seconds: float = 0.1,
    max_seconds: float = 60.0,
    min_rate: int = 16000,
    num_threads: int = 8,
    total: int | None = None,
) -> Iterator[Recording | None]:
    """Look at every recording, leave out what can't be used, and say why.

    Files are read whole: the next stages do so too, and a digest of less would miss that a click was taken
    out.

    Args:
        wav_scp: utterances with the paths of their audio files (not commands), read block by block.
        skipped: takes the recordings left out: missing, empty, unreadable, truncated, too short, too long,
            silent.
        notices: takes those kept with a remark: what is done to samples when they are read, clipping and DC
            offset (:mod:`ctap.audio.levels`), a sample rate below ``min_rate`` (the bands above half of it
            will be empty).
        min_seconds: shortest usable recording.
        max_seconds: longest usable recording: one stray hour would exhaust the memory of all later stages.
        min_rate: Hz.
        num_threads: files read at a time.
        total: number of recordings, if known, for the bar of progress.

    Yields:
        Each recording in order; None where it is left out.
    """
    look = functools.partial(_look, min_seconds=min_seconds, max_seconds=max_seconds)
    rows = iter(wav_scp)
    with (
        ThreadPoolExecutor(num_threads) as pool,
        tqdm(total=total, desc="recordings", unit="file", disable=None) as progress,
    ):
        while block := list(itertools.islice(rows, _AT_ONCE)):
            for (utt, path), what in zip(block, pool.map(look, (p for _, p in block)), strict=True):
                progress.update()
                if not isinstance(what, _Found):
                    skipped.add(utt, what[0], f"{what[1]}: {path}")
                    yield None
                    continue
                for remark, detail in what.remarks:
                    notices.add(utt, remark, f"{detail}: {path}")
                if what.rate < min_rate:
                    notices.add(utt, f"sample rate below {min_rate} Hz", f"{what.rate} Hz: {path}")
                yield Recording(what.seconds, what.digest)


@dataclass(frozen=True)
class _Found:
    seconds: float
    rate: int
    digest: str
    remarks: list[Remark]


def _look(path: str, min_seconds: float, max_seconds: float) -> _Found | tuple[str, str]:
    """What is in a recording that can be used, or why it can't be: reason and detail."""
    if "|" in path:
        return "wav.scp entry is a command", "expected the path of a file"
    try:
        with opened(path) as file:
            require_whole(path, file)
            return _sound(path, file, min_seconds, max_seconds)
    except RecordingError as fault:
        return f"recording {fault.kind}", fault.detail
    except OSError as error:
        return "recording unreadable", str(error.strerror)


def _sound(
    path: str, file: soundfile.SoundFile, min_seconds: float, max_seconds: float
) -> _Found | tuple[str, str]:
    seconds = file.frames / file.samplerate
    if seconds < min_seconds:
        return "recording too short", f"{seconds:.3f} s < {min_seconds:g} s"
    if seconds > max_seconds:
        return "recording too long", f"{seconds:.1f} s > {max_seconds:g} s"
    # most corpora: nothing needs correction, and integers are read fastest
    plain = file.subtype == "PCM_16" and file.channels == 1
    samples = file.read(dtype="int16" if plain else "float32", always_2d=True)
    if len(samples) != file.frames:
        raise RecordingError("truncated", f"{len(samples)} of {file.frames} samples are there")
    wave, remarks = samples[:, 0], []
    if not plain:
        try:
            wave, remarks = one_channel(samples)
        except LevelError as error:
            raise RecordingError("unreadable", str(error)) from None
    silent, odd = examine(wave, 32768.0 if plain else 1.0)
    if silent:
        return "recording silent", f"no sample is further than {SILENCE:g} of full scale from their mean"
    return _Found(seconds, file.samplerate, digest_of(path)[:16], [*remarks, *odd])
