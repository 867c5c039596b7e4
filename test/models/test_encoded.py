"""The contrastive loss of held-out speech is that of the paper's Eq. 6 over a few utterances at a time."""

from __future__ import annotations

import pytest
import torch

from ctap.loss.contrastive_plain import plain_contrastive
from ctap.models.encoded import Encoded


@pytest.mark.parametrize(
    ("utterances", "groups"), [(2, [(0, 2), (2, 3)]), (1, [(0, 1), (1, 2), (2, 3)]), (8, [(0, 3)])]
)
def test_utterances_are_compared_so_many_at_a_time(utterances: int, groups: list[tuple[int, int]]) -> None:
    generator = torch.Generator().manual_seed(0)
    encoded = object.__new__(Encoded)
    encoded.speech = [torch.randn(n, 4, generator=generator) for n in (3, 5, 4)]
    encoded.phonemes = [torch.randn(n, 4, generator=generator) for n in (3, 5, 4)]
    encoded.scale = torch.tensor(0.7)
    expected = []
    for first, last in groups:
        s, p = (torch.cat(x[first:last]) for x in (encoded.speech, encoded.phonemes))
        expected.append(plain_contrastive(s, p, encoded.scale).item())
    assert encoded.contrastive(utterances) == pytest.approx(sum(expected) / len(expected), rel=1e-5)
