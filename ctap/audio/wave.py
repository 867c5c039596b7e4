"""Reading and writing waveforms."""

from __future__ import annotations

import contextlib
import io
import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from ctap.audio import levels
from ctap.audio.frames import num_frames, resampled_length
from ctap.audio.opening import RecordingError, opened, require_whole
from ctap.audio.settings import AudioSettings
from ctap.errors import UserError
from ctap.files.atomic import atomic_write

_log = logging.getLogger(__name__)


class AudioError(UserError):
    """An audio file that is missing, empty, unreadable or of an unexpected length."""


@dataclass(frozen=True)
class WaveInfo:
    """What an audio file's header says.

    Attributes:
        num_samples: samples per channel.
        sample_rate: Hz.
        channels: number of channels.
    """

    num_samples: int
    sample_rate: int
    channels: int

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.num_samples / self.sample_rate


def wave_info(path: str | Path) -> WaveInfo:
    """Read an audio file's header.

    Raises:
        AudioError: the file is missing, not audio, or has no samples.
    """
    with _refusals(path), opened(path) as file:
        return _info(file)


def check_wave(path: str | Path) -> WaveInfo:
    """Look at an audio file before the work: the same, and that nothing of it is missing.

    Raises:
        AudioError: the file is missing, not audio, has no samples, or is truncated.
    """
    with _refusals(path), opened(path) as file:
        require_whole(path, file)
        return _info(file)


def utterance_frames(source: str | Path | WaveInfo, settings: AudioSettings) -> int:
    """Frames that an audio file will have, from its header alone.

    Args:
        source: the file, or what :func:`wave_info` says of it.
        settings: the audio settings.

    Raises:
        AudioError: the file is missing, unreadable or empty.
    """
    if isinstance(source, (str, Path)):
        source = wave_info(source)
    return num_frames(
        resampled_length(source.num_samples, source.sample_rate, settings.sample_rate), settings
    )


def samples_of(wave: str | Path | np.ndarray, sample_rate: int) -> np.ndarray:
    """Samples ``[N]`` float32 of a file, or of an array at ``sample_rate``, checked.

    Raises:
        AudioError: as :func:`load_wave`; or it is neither a file nor one channel of finite floats in -1..1
            (12 dB more pass, as in files).
    """
    if isinstance(wave, (str, Path)):
        return load_wave(wave, sample_rate)
    if not isinstance(wave, np.ndarray):
        raise AudioError(f"{type(wave).__name__}: expected a file or a numpy array (of a tensor, .numpy())")
    if wave.ndim != 1 or not wave.size or not np.issubdtype(wave.dtype, np.floating):
        raise AudioError(
            f"an array of {wave.dtype} {list(wave.shape)}: expected one channel [N] of floats, full scale 1 "
            f"(int16 divided by 32768), at {sample_rate} Hz"
        )
    peak = max(-float(wave.min()), float(wave.max()))
    if not np.isfinite(peak):
        raise AudioError("an array of samples that are not all finite")
    if peak > levels.HEADROOM:
        raise AudioError(
            f"an array of samples that go to {peak:g}: expected full scale 1 (integers of 16 bits divided by "
            "32768)"
        )
    # one that is read-only is copied: torch warns of it
    return np.require(wave, np.float32, ["C_CONTIGUOUS", "WRITEABLE", "ENSUREARRAY"])


def load_wave(path: str | Path, sample_rate: int, *, max_seconds: float | None = None) -> np.ndarray:
    """Read an audio file as one channel at the wanted rate.

    Samples are brought to one scale and one channel (:func:`ctap.audio.levels.one_channel`; what that did
    beyond averaging is logged); resampling is soxr's high quality.

    Args:
        path: any file that libsndfile reads (wav, flac, ogg, mp3).
        sample_rate: wanted rate, Hz.
        max_seconds: refuse longer files before reading them (a stray long recording exhausts memory).

    Returns:
        ``[N]`` float32, ``N = resampled_length(samples in the file, its rate, sample_rate)``.

    Raises:
        AudioError: the file is missing, unreadable, empty, truncated, too long, not finite or on no scale.
    """
    with _refusals(path), opened(path) as file:
        seconds, rate = file.frames / file.samplerate, file.samplerate
        if max_seconds is not None and seconds > max_seconds:
            raise AudioError(f"{path}: {seconds:.1f} s is longer than the limit of {max_seconds:g} s")
        require_whole(path, file)
        samples = file.read(dtype="float32", always_2d=True)
        if len(samples) != file.frames:
            raise RecordingError("truncated", f"{len(samples)} of {file.frames} samples are there")
    try:
        wave, remarks = levels.one_channel(samples)
    except levels.LevelError as error:
        raise AudioError(f"{path}: {error}") from None
    for remark, detail in remarks:
        if remark != levels.AVERAGED:
            _log.warning("%s: %s: %s", path, remark, detail)
    return resample(wave, rate, sample_rate)


def resample(wave: np.ndarray, rate_in: int, rate_out: int) -> np.ndarray:
    """Resample ``[N]`` float32 to exactly ``resampled_length(N, rate_in, rate_out)`` samples."""
    if rate_in == rate_out:
        return np.ascontiguousarray(wave, dtype=np.float32)
    import soxr

    out = soxr.resample(np.asarray(wave, dtype=np.float32), rate_in, rate_out, quality="HQ")
    length = resampled_length(len(wave), rate_in, rate_out)
    if len(out) < length:  # soxr rounds the length, we take the ceiling
        out = np.pad(out, (0, length - len(out)))
    return np.ascontiguousarray(out[:length], dtype=np.float32)


def save_wave(path: str | Path, wave: np.ndarray, rate: int) -> int:
    """Write ``[N]`` samples in -1..1 as PCM-16 wav, whole or not at all.

    Args:
        path: target file.
        wave: ``[N]`` float samples; those outside -1..1 are clipped, and the count is reported.
        rate: Hz.

    Returns:
        The number of clipped samples, also said on stderr if not 0.

    Raises:
        AudioError: the samples are empty, not one channel, or not finite.
    """
    wave = np.asarray(wave, dtype=np.float32)
    if wave.ndim != 1 or len(wave) == 0:
        raise AudioError(f"{path}: expected one channel of samples to write, found shape {wave.shape}")
    if not np.isfinite(wave).all():
        raise AudioError(f"{path}: refusing to write NaN or infinite samples")
    clipped = int(np.count_nonzero(np.abs(wave) > 1.0))
    if clipped:
        peak = float(np.abs(wave).max())
        print(f"warning: {path}: {clipped} of {len(wave)} samples clipped (peak {peak:.2f})", file=sys.stderr)
    with atomic_write(path, mode="wb") as file:
        file.write(encode_wave(to_pcm(wave), rate))
    return clipped


def to_pcm(wave: np.ndarray) -> np.ndarray:
    """Float samples to int16, those outside -1..1 clipped."""
    return np.clip(np.rint(wave.astype(np.float64) * 32768.0), -32768, 32767).astype(np.int16)


def encode_wave(pcm: np.ndarray, rate: int) -> bytes:
    """The wav file of ``[N]`` int16 samples. (libsndfile does not say why it can't write to a disk.)"""
    buffer = io.BytesIO()
    soundfile.write(buffer, pcm, rate, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def _info(file: soundfile.SoundFile) -> WaveInfo:
    return WaveInfo(int(file.frames), int(file.samplerate), int(file.channels))


_REFUSALS = {
    "missing": "no such audio file",
    "empty": "the audio file is empty ({})",
    "truncated": "truncated: {}",
    "unreadable": "not a readable audio file: {}",
}


@contextlib.contextmanager
def _refusals(path: str | Path) -> Iterator[None]:
    """What is wrong with a recording, as an error that names it."""
    try:
        yield
    except RecordingError as fault:
        raise AudioError(f"{path}: {_REFUSALS[fault.kind].format(fault.detail)}") from None
