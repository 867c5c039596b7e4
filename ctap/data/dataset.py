"""Features, phones and durations of a dump directory, served as batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from torch.utils.data import DataLoader, Dataset

from ctap.data.arrays import Arrays, column, read_arrays, stored_arrays
from ctap.data.batch import Batch, Example, collate
from ctap.data.batching import BatchRequest, BatchStream, FixedBatches
from ctap.data.cropping import clip_window, crop_durations
from ctap.data.workers import make_loader
from ctap.errors import UserError
from ctap.files.columns import Names, Ragged, places_of
from ctap.kaldi.ark import MatrixReader
from ctap.kaldi.scp import Places
from ctap.ranges import NOT_NEGATIVE, POSITIVE, check_ranges
from ctap.text.tokens import TokenTable

PromptSource = Literal["utterance", "speaker"]
EMPTY = np.zeros(0, np.int64)
NONE = Ragged.of([])


@dataclass
class DataConfig:
    """How utterances become batches. All sizes count per process.

    Args:
        batch_frames: Most frames of a batch, padding included.
        batch_size: Most utterances of a batch; null for no limit of its own.
        max_frames: Longer utterances are cropped at random to this many frames in training.
        prompt: Where a prompt is clipped from, in training and validation: the utterance itself (the paper),
            or another of its speaker's.
        buffer_frames: Frames of the corpus that training batches are drawn from at a time, such as those of
            100 hours: they are read from the disk in order, ahead of their batches. Null: any utterance may
            come next. For corpora larger than memory on a slow or a network disk.
        num_workers: Loader processes; 0 collates in the main process, which is fastest for small batches.
    """

    batch_frames: int = 8000
    batch_size: int | None = 8
    max_frames: int = 1000
    prompt: PromptSource = "utterance"
    buffer_frames: int | None = None
    num_workers: int = 0

    def __post_init__(self) -> None:
        counts = ("batch_frames", "batch_size", "max_frames", "buffer_frames")
        check_ranges(self, **dict.fromkeys(counts, POSITIVE), num_workers=NOT_NEGATIVE)


class FeatureSet:
    """What a dump directory holds.

    Args:
        path: Dump directory of one set (feats.scp, utt2num_frames, utt2spk; aligned_phones and durations).
        tokens: Token table of the model.
        labeled: Read phones and durations too; without, the set is speech only.
        units: Turns a text into sentencepiece units, for the CTC head.
        given: Dump directory of the same utterances in another representation, for a model that reads one.

    Raises:
        UserError: A table is missing, or phones and frames do not fit each other, or the two dumps do not.
    """

    def __init__(
        self,
        path: str | Path,
        tokens: TokenTable,
        *,
        labeled: bool = True,
        units: Callable[[str], list[int]] | None = None,
        given: str | Path | None = None,
    ) -> None:
        self.path = Path(path)
        arrays = read_arrays(self.path, labeled=labeled)
        self.utts = _names(arrays, "utts")
        self.lengths = arrays["lengths"].astype(np.int64)
        self.mels = _reader(self.path, self.utts, arrays)
        self.given = None if given is None else self._read_given(Path(given), arrays)
        self.speakers, self.speaker = list(_names(arrays, "speakers")), arrays["speaker"]
        self.tokens, self.durations = NONE, NONE
        if labeled:
            bounds = arrays["labels.bounds"]
            self.tokens = Ragged(arrays["phones"], bounds, self._ids(arrays, tokens))
            self.durations = Ragged(arrays["durations"], bounds)
        self.units: Ragged | None = None
        if units is not None:
            texts = column(self.utts, self.path / "text")
            self.units = Ragged.of(units(text) for _, text in texts)

    def _ids(self, arrays: Arrays, tokens: TokenTable) -> np.ndarray:
        """Ids of the phones that there are."""
        inventory = list(_names(arrays, "inventory"))
        for number, phone in enumerate(inventory):
            if phone not in tokens:
                place = int(np.argmax(arrays["phones"] == number))
                utt = self.utts[int(np.searchsorted(arrays["labels.bounds"], place, "right")) - 1]
                raise UserError(
                    f"{self.path}/aligned_phones: {utt}: phone {phone!r} is not in the token table of "
                    f"{len(tokens)}"
                )
        return np.array(tokens.encode(inventory), np.int64)

    def mel(self, index: int) -> np.ndarray:
        """Log-mel [T, n_mels] of an utterance.

        Raises:
            UserError: Its number of frames differs from that in utt2num_frames.
        """
        utt = self.utts[index]
        mel = self.mels[utt]
        if len(mel) != self.lengths[index]:
            raise UserError(
                f"{self.path}/utt2num_frames: {utt}: {self.lengths[index]} frames, {len(mel)} in feats.scp; "
                "run stage 2 again"
            )
        return mel

    def read_ahead(self, stretches: Sequence[tuple[int, int]]) -> None:
        """Let the system read utterances from the disk, in order, that will be asked for.

        Args:
            stretches: the first of some that follow each other, and the one after the last.
        """
        indices = np.concatenate([np.arange(*stretch) for stretch in stretches])
        for reader in (self.mels, self.given):
            if reader is not None and len(reader) == len(self):  # else its places are not the indices
                reader.read_ahead(indices)

    def _read_given(self, path: Path, arrays: Arrays) -> MatrixReader:
        there = stored_arrays(path, labeled=False)
        compared = ("utts", "utts.bounds", "lengths")
        if there is not None and all(np.array_equal(there[name], arrays[name]) for name in compared):
            return _reader(path, self.utts, there)
        found = MatrixReader(path / "feats.scp")
        for utt, frames in zip(self.utts, self.lengths, strict=True):
            own = found.shape(utt)[0] if utt in found else 0
            if own != frames:
                raise UserError(
                    f"{path}/feats.scp: {utt}: {own} frames, {frames} in {self.path}: dump this "
                    "representation again from the same data directory"
                )
        return found

    def __len__(self) -> int:
        return len(self.utts)


def _names(arrays: Arrays, name: str) -> Names:
    return Names.of(arrays[name], arrays[f"{name}.bounds"])


def _reader(dump: Path, utts: Names, arrays: Arrays) -> MatrixReader:
    """The features of a dump directory, whose arrays say where they are."""
    places = Places(utts, list(_names(arrays, "arks")), arrays["ark"], arrays["offset"])
    return MatrixReader(dump / "feats.scp", places)


class CTAPDataset(Dataset[Batch]):
    """Batches of a feature set, one for each :class:`BatchRequest`.

    Args:
        features: The set.
        max_frames: Crop longer utterances when the request is a training one; None never crops.
        prompt_frames: Prompt window in frames.
        prompt: See :class:`DataConfig`.
        seed: With the request's number, seeds crops and prompts.
    """

    def __init__(
        self,
        features: FeatureSet,
        *,
        max_frames: int | None,
        prompt_frames: int,
        prompt: PromptSource,
        seed: int,
    ) -> None:
        self.features = features
        self.max_frames = max_frames
        self.prompt_frames = prompt_frames
        self.seed = seed
        self.same_speaker = places_of(features.speaker) if prompt == "speaker" else None

    def __getitem__(self, request: BatchRequest) -> Batch:
        if request.ahead:
            self.features.read_ahead(request.ahead)
        return collate([self.example(i, request.number) for i in request.indices])

    def example(self, index: int, number: int | None) -> Example:
        """Utterance ``index``; cropped and prompted at random by ``number``, or whole and fixed when None."""
        features = self.features
        rng = None if number is None else np.random.default_rng([self.seed, number, index])
        mel = features.mel(index)
        given = features.given[features.utts[index]] if features.given is not None else None
        tokens = features.tokens[index] if len(features.tokens) else EMPTY
        durations = features.durations[index] if len(features.tokens) else EMPTY
        units = features.units[index] if features.units is not None else EMPTY
        whole = None
        prompt = clip_window(self._prompt_source(index, mel, rng), self.prompt_frames, rng)
        if rng is not None and self.max_frames and len(mel) > self.max_frames:
            start = int(rng.integers(len(mel) - self.max_frames + 1))
            mel = mel[start : start + self.max_frames]
            given = given if given is None else given[start : start + self.max_frames]
            if len(tokens):
                whole, _ = crop_durations(durations, durations, start, self.max_frames)
                tokens, durations = crop_durations(tokens, durations, start, self.max_frames)
            units = EMPTY  # the text of a crop is not known
        speaker = int(features.speaker[index])
        return Example(features.utts[index], speaker, mel, prompt, tokens, durations, units, given, whole)

    def _prompt_source(self, index: int, mel: np.ndarray, rng: np.random.Generator | None) -> np.ndarray:
        """The utterance itself, or with ``prompt: speaker`` another of its speaker's, if there is one."""
        if self.same_speaker is None:
            return mel
        own = self.same_speaker[self.features.speaker[index]]
        if len(own) == 1:
            return mel
        step = 1 if rng is None else int(rng.integers(1, len(own)))
        other = own[(np.searchsorted(own, index) + step) % len(own)]
        return self.features.mel(int(other))


def train_loader(
    features: FeatureSet,
    config: DataConfig,
    *,
    prompt_frames: int,
    seed: int,
    **stream: Any,
) -> DataLoader[Batch]:
    """Seeded, endless, resumable training batches.

    Args:
        features: What is read.
        config: Batches, and how utterances are cropped.
        prompt_frames: Frames of a prompt.
        seed: Of batches, crops and prompts.
        stream: More of :class:`ctap.data.batching.BatchStream`: steps, position, processes.
    """
    dataset = CTAPDataset(
        features, max_frames=config.max_frames, prompt_frames=prompt_frames, prompt=config.prompt, seed=seed
    )
    lengths = np.minimum(features.lengths, config.max_frames)
    batches = BatchStream(
        lengths,
        batch_frames=config.batch_frames,
        batch_size=config.batch_size,
        buffer_frames=config.buffer_frames,
        seed=seed,
        **stream,
    )
    return make_loader(dataset, batches, config.num_workers)


def dev_loader(
    features: FeatureSet,
    config: DataConfig,
    *,
    prompt_frames: int,
    rank: int = 0,
    world: int = 1,
    most: int | None = None,
) -> DataLoader[Batch]:
    """Every utterance once, whole, in a fixed order; or ``most`` batches, of short and of long ones."""
    dataset = CTAPDataset(
        features, max_frames=None, prompt_frames=prompt_frames, prompt=config.prompt, seed=0
    )
    size = {"batch_frames": config.batch_frames, "batch_size": config.batch_size}
    batches = FixedBatches(features.lengths, **size, rank=rank, world=world, most=most)
    return DataLoader(dataset, sampler=batches, batch_size=None)
