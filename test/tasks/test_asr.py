"""The losses of recognition: CTC against the sum over paths, written out, and its weight."""

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ctap.models.windows import TrainedLengths
from ctap.tasks.asr import ASRConfig, ASRTask, ctc_loss


def test_ctc_counts_a_unit_of_every_utterance_alike_and_leaves_out_those_without_text():
    logits = torch.randn(3, 3, 4, requires_grad=True)
    batch = SimpleNamespace(
        units=torch.tensor([[2, 3], [0, 0], [1, 0]]),
        unit_lengths=torch.tensor([2, 0, 1]),
        lengths=torch.tensor([2, 3, 2]),  # the rest is padding
    )
    p = logits.softmax(-1)
    two = p[0, 0, 2] * p[0, 1, 3]
    one = p[2, 0, 1] * (p[2, 1, 1] + p[2, 1, 0]) + p[2, 0, 0] * p[2, 1, 1]
    torch.testing.assert_close(ctc_loss(logits, batch), -(two.log() / 2 + one.log()) / 2)
    batch.unit_lengths = torch.zeros(3, dtype=torch.long)
    none = ctc_loss(logits, batch)
    none.backward()  # there is a gradient, as training on several processes asks
    assert none == 0 and not logits.grad.any()


@pytest.mark.parametrize("weight", [0.0, 0.3])
def test_the_total_is_the_cross_entropy_of_the_frames_phones_and_the_weighted_ctc(weight):
    ctap, decoder = nn.Module(), nn.Module()
    phones, units = torch.randn(1, 4, 6), torch.randn(1, 4, 5)
    ctap.config, ctap.encode_speech = SimpleNamespace(given=False), lambda mel, mask, given: mel
    decoder.forward = lambda embedding, mask: (phones, units)
    batch = SimpleNamespace(
        mask=torch.tensor([[True, True, True, False]]), mel=torch.zeros(1, 4, 2), given=None,
        tokens=torch.tensor([[4, 2]]), durations=torch.tensor([[1, 2]]), lengths=torch.tensor([3]),
        units=torch.tensor([[3]]), unit_lengths=torch.tensor([1]),
    )  # fmt: skip
    found = ASRTask(ctap, TrainedLengths(), decoder, ASRConfig(ctc_weight=weight)).losses(batch)
    torch.testing.assert_close(found["phones"], F.cross_entropy(phones[0, :3], torch.tensor([4, 2, 2])))
    torch.testing.assert_close(found["loss"], found["phones"] + weight * ctc_loss(units, batch))
    assert ("ctc" in found) == bool(weight)
