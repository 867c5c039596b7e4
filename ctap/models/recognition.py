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
    from ctap.models.sticky import search

    path = np.empty(len(scores), np.int64)
    search(np.ascontiguousarray(scores.detach().cpu().numpy()), float(penalty), path)
    return torch.from_numpy(path)
