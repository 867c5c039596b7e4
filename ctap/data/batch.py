"""One padded batch, and how utterances become one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass
class Example:
    """One utterance as the networks see it.

    Attributes:
        utt: Utterance id.
        speaker: Index of the speaker.
        mel: [T, n_mels] log-mel, not normalised.
        prompt: [F, n_mels] log-mel of the prompt window.
        tokens: [L] phone ids, or empty for speech without text.
        durations: [L] frames of each phone, summing to T, or empty.
        units: [U] sentencepiece units of the text, or empty.
        given: [T, D] frames of another representation, for models that read one.
        whole: [L] frames of each phone in the utterance, where this is a crop of one, which may cut the first
            phone and the last; otherwise None.
    """

    utt: str
    speaker: int
    mel: np.ndarray
    prompt: np.ndarray
    tokens: np.ndarray
    durations: np.ndarray
    units: np.ndarray
    given: np.ndarray | None = None
    whole: np.ndarray | None = None


@dataclass
class Batch:
    """Padded examples; padding is 0 everywhere.

    Attributes:
        utts: Utterance ids, B of them.
        speakers: [B] int64.
        mel: [B, T, n_mels].
        lengths: [B] frames of each utterance.
        prompt: [B, F, n_mels].
        tokens: [B, L] int64.
        durations: [B, L] int64.
        whole: [B, L] int64, durations of phones that no crop has cut.
        phone_lengths: [B] phones of each utterance.
        units: [B, U] int64.
        unit_lengths: [B] units of each utterance.
        given: [B, T, D] frames of another representation, or None.
    """

    utts: list[str]
    speakers: Tensor
    mel: Tensor
    lengths: Tensor
    prompt: Tensor
    tokens: Tensor
    durations: Tensor
    whole: Tensor
    phone_lengths: Tensor
    units: Tensor
    unit_lengths: Tensor
    given: Tensor | None = None

    def __len__(self) -> int:
        return len(self.utts)

    @property
    def mask(self) -> Tensor:
        """[B, T] bool, True on real frames."""
        return lengths_to_mask(self.lengths, self.mel.shape[1])

    @property
    def phone_mask(self) -> Tensor:
        """[B, L] bool, True on real phones."""
        return lengths_to_mask(self.phone_lengths, self.tokens.shape[1])


def lengths_to_mask(lengths: Tensor, size: int) -> Tensor:
    """Mark the real frames of a padded batch.

    Args:
        lengths: [B] number of real frames of each utterance.
        size: Padded length T.

    Returns:
        [B, T] bool, True on real frames.
    """
    return torch.arange(size, device=lengths.device) < lengths[:, None]


def pad(arrays: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
    """Stack arrays [N_i, ...] into [B, max N, ...] filled up with 0, and their lengths [B]."""
    lengths = torch.tensor([len(a) for a in arrays])
    padded = np.zeros((len(arrays), max(1, int(lengths.max())), *arrays[0].shape[1:]), arrays[0].dtype)
    for row, array in zip(padded, arrays, strict=True):
        row[: len(array)] = array
    return torch.from_numpy(padded), lengths


def collate(examples: Sequence[Example]) -> Batch:
    """Pad examples into a batch."""
    mel, lengths = pad([e.mel for e in examples])
    tokens, phone_lengths = pad([e.tokens for e in examples])
    durations, _ = pad([e.durations for e in examples])
    whole, _ = pad([e.durations if e.whole is None else e.whole for e in examples])
    units, unit_lengths = pad([e.units for e in examples])
    return Batch(
        utts=[e.utt for e in examples],
        speakers=torch.tensor([e.speaker for e in examples]),
        mel=mel,
        lengths=lengths,
        prompt=torch.from_numpy(np.stack([e.prompt for e in examples])),
        tokens=tokens,
        durations=durations,
        whole=whole,
        phone_lengths=phone_lengths,
        units=units,
        unit_lengths=unit_lengths,
        given=None if examples[0].given is None else pad([e.given for e in examples])[0],
    )
