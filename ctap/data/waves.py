"""Recordings with their fundamental frequency, cropped, varied in pitch and level: batches for a vocoder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ctap.audio.f0 import extract_f0
from ctap.audio.levels import HEADROOM, LevelError, one_channel
from ctap.audio.settings import AudioSettings
from ctap.audio.wave import load_wave, resample, utterance_frames, wave_info
from ctap.data.batching import BatchRequest, BatchStream, FixedBatches
from ctap.data.workers import make_loader
from ctap.errors import UserError
from ctap.files.tables import read_table
from ctap.kaldi.ark import MatrixReader
from ctap.ranges import NOT_NEGATIVE, POSITIVE, Range, check_ranges

_FLOATS = ("FLOAT", "DOUBLE")  # what may be on another scale


@dataclass
class WaveDataConfig:
    """How recordings become batches.

    Args:
        batch_size: Crops of a batch, per process.
        crop_frames: Frames of a crop.
        pitch_range: Most semitones by which a crop is played higher or lower, faster or slower with it.
        level_range: Most dB by which a crop is made louder or softer; never beyond full scale.
        colour_range: Most dB by which each of three slow waves over frequency colours a crop: other
            microphones, other voices.
        num_workers: Loader processes; 0 reads in the main process.
    """

    batch_size: int = 16
    crop_frames: int = 96
    pitch_range: float = 4.0
    level_range: float = 12.0
    colour_range: float = 4.0
    num_workers: int = 1

    def __post_init__(self) -> None:
        check_ranges(self, batch_size=POSITIVE, crop_frames=Range(2), num_workers=NOT_NEGATIVE)
        decibels = Range(0, 60)
        check_ranges(self, pitch_range=Range(0, 24), level_range=decibels, colour_range=decibels)


@dataclass
class WaveBatch:
    """Crops.

    Attributes:
        wave: Samples ``[B, (T - 1) * hop_length]``.
        f0: Hz of every frame ``[B, T]``, 0 where unvoiced.
        band: Share of the frequencies up to half the sampling rate that the recording holds ``[B]``.
        mel: Log-mel ``[B, T, M]`` that a model predicted, where the vocoder is to learn from these.
    """

    wave: Tensor
    f0: Tensor
    band: Tensor
    mel: Tensor | None = None


class WaveSet:
    """Recordings of a directory.

    Args:
        path: Data or dump directory (wav.scp with plain paths).
        settings: Audio settings.
        crop_frames: Frames of a crop.
        mels: Directory with a feats.scp of mels that a model predicted, frame by frame with the recordings.

    Raises:
        UserError: There is no recording, or one that can't be read, or without a mel of its length.
    """

    def __init__(
        self, path: str | Path, settings: AudioSettings, crop_frames: int, mels: Path | None = None
    ) -> None:
        self.path, self.settings, self.crop = Path(path), settings, crop_frames
        self.waves = read_table(self.path / "wav.scp")
        self.utts = sorted(self.waves)
        if not self.utts:
            raise UserError(f"{self.path}/wav.scp: no recording in it")
        info = {u: wave_info(self.waves[u]) for u in self.utts}
        # A long recording counts as several crops, so that every second is heard as often.
        seconds = (crop_frames - 1) * settings.frame_shift
        self.crops = [(u, k) for u in self.utts for k in range(max(1, round(info[u].seconds / seconds)))]
        self.info = info
        self.on_scale: set[str] = set()  # files of floats that were read and need nothing done to them
        self.mels = None if mels is None else MatrixReader(mels / "feats.scp")
        for utt in () if self.mels is None else self.utts:
            wanted = (utterance_frames(info[utt], settings), settings.n_mels)
            if utt not in self.mels or self.mels.shape(utt) != wanted:
                there = self.mels.shape(utt) if utt in self.mels else "nothing"
                raise UserError(f"{mels}/feats.scp: {utt}: expected a mel {list(wanted)}, found {there}")

    @property
    def samples(self) -> int:
        """Samples of a crop."""
        return (self.crop - 1) * self.settings.hop_length

    def read(self, index: int, config: WaveDataConfig, rng: np.random.Generator | None) -> WaveBatch:
        """Crop ``index``: anywhere and varied by ``rng``, or at its own place as it is.

        Where mels are given, the level alone is varied: they would not fit another pitch or colour.
        """
        if self.mels is not None:
            return self._read_predicted(index, config, rng)
        utt, part = self.crops[index]
        info, rate = self.info[utt], self.settings.sample_rate
        faster = 1.0 if rng is None else 2 ** (rng.uniform(-1, 1) * config.pitch_range / 12)
        played = round(info.sample_rate * faster)
        wanted = -(-self.samples * played // rate) + 2
        room = max(0, info.num_samples - wanted)
        start = min(room, part * wanted) if rng is None else int(rng.integers(room + 1))
        wave = resample(self._heard(utt, start, wanted), played, rate)[: self.samples]
        wave = np.pad(wave, (0, self.samples - len(wave)))
        f0 = extract_f0(wave, self.settings)
        if rng is not None:
            wave = coloured(wave, rng.uniform(-1, 1, 3) * config.colour_range)
            wave = wave * _gain(wave, config, rng)
        return WaveBatch(torch.from_numpy(wave), torch.from_numpy(f0), torch.tensor(held_band(wave)))

    def _heard(self, utt: str, start: int, count: int) -> np.ndarray:
        """Samples of a recording at its own rate, as one channel on one scale; all of it decides which."""
        if (part := self._part(utt, start, count)) is not None:
            return part
        path = self.waves[utt]
        whole, _ = soundfile.read(path, dtype="float32", always_2d=True)
        try:
            wave, remarks = one_channel(whole)
        except LevelError as error:
            raise UserError(f"{path}: {error}") from None
        if not remarks:
            self.on_scale.add(utt)
        return wave[start : start + count]

    def _part(self, utt: str, start: int, count: int) -> np.ndarray | None:
        """The same from that part of the file alone; ``None`` where all of it has to be read."""
        try:
            with soundfile.SoundFile(self.waves[utt]) as file:
                if file.channels > 1 or (file.subtype in _FLOATS and utt not in self.on_scale):
                    return None
                file.seek(start)
                heard = file.read(count, dtype="float32")
        except soundfile.SoundFileError:  # libsndfile does not find the end of a FLAC file behind a tag
            return None
        return heard if np.abs(heard).max(initial=0.0) <= HEADROOM else None

    def _read_predicted(
        self, index: int, config: WaveDataConfig, rng: np.random.Generator | None
    ) -> WaveBatch:
        utt, part = self.crops[index]
        mel, wave, hop = self.mels[utt], self.whole(utt), self.settings.hop_length
        floor = np.log(self.settings.log_floor)
        room = max(0, len(mel) - self.crop)
        start = min(room, part * (self.crop - 1)) if rng is None else int(rng.integers(room + 1))
        mel = mel[start : start + self.crop]
        wave = wave[start * hop : start * hop + self.samples]
        wave = np.pad(wave, (0, self.samples - len(wave)))
        f0 = extract_f0(wave, self.settings)
        if rng is not None:
            gain = _gain(wave, config, rng)
            # what lies at the floor is silence, at any level
            wave, mel = wave * gain, np.where(mel > floor, np.maximum(mel + np.log(gain), floor), mel)
        mel = np.pad(mel, ((0, self.crop - len(mel)), (0, 0)), constant_values=floor)
        wave, mel = wave.astype(np.float32), mel.astype(np.float32)
        held = torch.tensor(held_band(wave))
        return WaveBatch(torch.from_numpy(wave), torch.from_numpy(f0), held, torch.from_numpy(mel))

    def whole(self, utt: str) -> np.ndarray:
        """Recording ``utt`` ``[N]``."""
        return load_wave(self.waves[utt], self.settings.sample_rate)


def _gain(wave: np.ndarray, config: WaveDataConfig, rng: np.random.Generator) -> float:
    gain = 10 ** (rng.uniform(-1, 1) * config.level_range / 20)
    return min(gain, 0.99 / max(1e-3, float(np.abs(wave).max())))


def coloured(wave: np.ndarray, waves: np.ndarray) -> np.ndarray:
    """Filter ``wave`` [N] by half a period, one and so on of cosines over frequency, each of so many dB."""
    spectrum = np.fft.rfft(wave)
    angle = np.pi * np.linspace(0, 1, len(spectrum))
    gain = sum(dB * np.cos((k + 1) * angle) for k, dB in enumerate(waves))
    return np.fft.irfft(spectrum * 10 ** (gain / 20), len(wave)).astype(np.float32)


def held_band(wave: np.ndarray) -> float:
    """Share of the frequencies up to half the sampling rate that ``wave`` [N] holds, from its spectrum.

    A recording that was once sampled more slowly has nothing above (80 dB below its loudest band), whatever
    its file says; a model must not learn that there is nothing. Of less than 198 samples it can't be told,
    and they count as holding all.
    """
    power = np.abs(np.fft.rfft(wave)) ** 2
    if len(power) < 100:
        return 1.0
    power = power[: len(power) // 100 * 100].reshape(100, -1).mean(axis=1)
    held = np.flatnonzero(power > 1e-8 * power.max())
    return float(held[-1] / 100) if len(held) and held[-1] < 99 else 1.0


class _Crops(Dataset[WaveBatch]):
    def __init__(self, waves: WaveSet, config: WaveDataConfig, seed: int) -> None:
        self.waves, self.config, self.seed = waves, config, seed

    def __getitem__(self, request: BatchRequest) -> WaveBatch:
        read = []
        for i in request.indices:
            rng = None if request.number is None else np.random.default_rng([self.seed, request.number, i])
            read.append(self.waves.read(i, self.config, rng))
        names = ("wave", "f0", "band") if self.waves.mels is None else ("wave", "f0", "band", "mel")
        return WaveBatch(*(torch.stack([getattr(r, k) for r in read]) for k in names))


def train_loader(
    waves: WaveSet, config: WaveDataConfig, *, seed: int, **stream: Any
) -> DataLoader[WaveBatch]:
    """Seeded, endless, resumable batches of crops.

    Args:
        waves: What is read.
        config: Batches, and how crops are varied.
        seed: Of batches and crops.
        stream: More of :class:`ctap.data.batching.BatchStream`: steps, position, processes.
    """
    batches = BatchStream(**_crops_of(waves, config), seed=seed, **stream)
    dataset = _Crops(waves, config, seed)
    return make_loader(dataset, batches, config.num_workers)


def dev_loader(
    waves: WaveSet, config: WaveDataConfig, *, rank: int = 0, world: int = 1
) -> DataLoader[WaveBatch]:
    """Every crop once, as it is, in a fixed order."""
    batches = FixedBatches(**_crops_of(waves, config), rank=rank, world=world)
    return DataLoader(_Crops(waves, config, 0), sampler=batches, batch_size=None)


def _crops_of(waves: WaveSet, config: WaveDataConfig) -> dict[str, Any]:
    """Lengths and sizes of batches of crops, which are all of one length."""
    lengths, size = np.full(len(waves.crops), waves.crop), config.batch_size
    return {"lengths": lengths, "batch_frames": size * waves.crop, "batch_size": size}
