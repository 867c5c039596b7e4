"""What was heard, frame by frame and without its repeats."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch
from torch import Tensor

from ctap.errors import UserError

SWITCH_PENALTY = 4.0
"""What a change of phone costs in recognition, in nats, where nothing else is asked for."""


@dataclass
class Recognition:
    """What was heard.

    Attributes:
        frame_phones: One phone a frame, the best sequence when every change has a cost.
        phones: The same, repeats merged and pauses dropped.
        text: Best path of the CTC head, or None without one.
    """

    frame_phones: list[str]
    phones: list[str]
    text: str | None

    def runs(self) -> tuple[list[str], list[int]]:
        """Phones of :attr:`frame_phones`, pauses included, and the frames of each."""
        found = [(phone, len(list(same))) for phone, same in groupby(self.frame_phones)]
        return [phone for phone, _ in found], [frames for _, frames in found]


def check_penalty(penalty: float) -> None:
    """Refuse a cost of a change of phone that is not a number of 0 or more.

    Raises:
        UserError: With the limit.
    """
    if not penalty >= 0:  # also true of NaN
        raise UserError(f"switch_penalty {penalty:g}: expected 0 or more")


def sticky_path(scores: Tensor, penalty: float) -> Tensor:
    """Best sequence of labels when every change of label costs ``penalty``.

    Viterbi over a model in which each label follows each other one alike: a few
    uncertain frames do not split a phone in two.

    Args:
        scores: [T, V] log-probabilities.
        penalty: Cost of a change in nats; 0 gives the best label of every frame.

    Returns:
        [T] int64.

    Raises:
        UserError: The penalty is below 0, or not a number.
    """
    check_penalty(penalty)
    frames = scores.detach().cpu().numpy()
    best = np.zeros(frames.shape[1])  # in double precision: an hour's sum
    changed = np.empty(frames.shape, dtype=bool)
    source = np.empty(len(frames), dtype=np.int64)
    for t, frame in enumerate(frames):
        source[t] = best.argmax()
        value = best[source[t]] - penalty
        np.less(best, value, out=changed[t])
        np.maximum(best, value, out=best)
        best += frame
    path, label = np.empty(len(frames), dtype=np.int64), best.argmax()
    for t in reversed(range(len(frames))):
        path[t] = label
        if changed[t, label]:
            label = source[t]
    return torch.from_numpy(path)
