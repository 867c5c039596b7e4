"""A padded batch through networks that are not trained at the moment, in the windows in which they are used.

What is trained on frozen embeddings must see them as it will in use: there no network is given more frames at
once than it was trained on (:mod:`ctap.models.windows`), and over longer crops an encoder gives others.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ctap.data.batch import Batch
from ctap.models.windows import TrainedLengths, windows
from ctap.nn.ctap import CTAP


class Cut:
    """The windows of a batch's utterances as the rows of another batch, and the way back.

    Args:
        mask: [B, T] bool, True on real frames.
        window: The most frames of a row.

    Attributes:
        rows: [N] the utterance of each window.
        starts: [N] its first frame there.
        mask: [N, W] bool, True on real frames of the windows.
    """

    def __init__(self, mask: Tensor, window: int) -> None:
        lengths = mask.sum(dim=1).tolist()
        every = [(row, w) for row, size in enumerate(lengths) for w in windows(size, window)]
        whose, place = torch.zeros((2, *mask.shape), dtype=torch.long)
        for number, (row, w) in enumerate(every):
            whose[row, w.first : w.last] = number
            place[row, w.first : w.last] = torch.arange(w.first - w.start, w.last - w.start)
        self._whose, self._place = whose.to(mask.device), place.to(mask.device)
        self.rows = torch.tensor([row for row, _ in every], device=mask.device)
        self.starts = torch.tensor([w.start for _, w in every], device=mask.device)
        frames = torch.arange(max(w.stop - w.start for _, w in every), device=mask.device)
        sizes = torch.tensor([w.stop - w.start for _, w in every], device=mask.device)
        self.mask = frames < sizes[:, None]
        self._frames = (self.starts[:, None] + frames).clamp(max=mask.shape[1] - 1)

    def windows_of(self, x: Tensor) -> Tensor:
        """``x`` [B, T, D] -> [N, W, D]."""
        return x[self.rows[:, None], self._frames]

    def phones_of(self, tokens: Tensor, durations: Tensor) -> tuple[Tensor, Tensor]:
        """Phones and their frames, [B, L] each -> [N, L], in the windows; cut ones keep what is left."""
        ends = durations.cumsum(dim=1)[self.rows]
        begins, stops = ends - durations[self.rows], self.starts + self.mask.sum(dim=1)
        inside = (ends.minimum(stops[:, None]) - begins.maximum(self.starts[:, None])).clamp(min=0)
        order = (inside == 0).long().argsort(dim=1, stable=True)  # those that are there come first
        there = inside.gather(1, order)
        return tokens[self.rows].gather(1, order) * (there > 0), there

    def whole(self, y: Tensor) -> Tensor:
        """``y`` [N, W, D] -> [B, T, D]: each frame of the window whose edges are farthest from it."""
        return y[self._whose, self._place]


class InUse:
    """The networks of a CTAP, over batches.

    Args:
        ctap: The networks.
        trained: How long their training utterances were.
    """

    def __init__(self, ctap: CTAP, trained: TrainedLengths) -> None:
        self.ctap = ctap
        self.trained = trained

    @torch.no_grad()
    def speech(self, mel: Tensor, mask: Tensor, given: Tensor | None = None) -> Tensor:
        """S [B, T, d], as :meth:`ctap.nn.ctap.CTAP.encode_speech`."""
        window = self.trained.window("speech_encoder")
        if self.ctap.config.given or mask.shape[1] <= window:
            return self.ctap.encode_speech(mel, mask, given)
        cut = Cut(mask, window)
        return cut.whole(self.ctap.encode_speech(cut.windows_of(mel), cut.mask))

    @torch.no_grad()
    def phonemes(self, batch: Batch) -> Tensor:
        """P [B, T, d] of the phones and durations of a batch."""
        mask, window = batch.mask, self.trained.window("phoneme_encoder")
        if mask.shape[1] <= window:
            return self.ctap.phoneme_encoder(batch.tokens, batch.durations, mask.shape[1], mask)
        cut = Cut(mask, window)
        phones = cut.phones_of(batch.tokens, batch.durations)
        return cut.whole(self.ctap.phoneme_encoder(*phones, cut.mask.shape[1], cut.mask))

    @torch.no_grad()
    def speak(self, embedding: Tensor, g: Tensor, mask: Tensor) -> Tensor:
        """Normalised log-mel [B, T, n_mels], as it is to be heard, from S or P [B, T, d] and G [B, D_g]."""
        decoder, window = self.ctap.decoder, self.trained.window("decoder")
        if mask.shape[1] <= window:
            return decoder.speak(embedding, g, mask)
        cut = Cut(mask, window)
        mel = cut.whole(decoder.sharp(cut.windows_of(embedding), g[cut.rows], cut.mask))
        return decoder.spread_out(mel, mask)
