"""Batches through the networks in use, against one utterance after the other; which trainings read them."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ctap.bin.train import train
from ctap.config import from_dict
from ctap.data.batch import Batch, lengths_to_mask
from ctap.data.dataset import dev_loader
from ctap.models.in_use import Cut, InUse
from ctap.models.windows import AnyLength, TrainedLengths
from ctap.nn.ctap import CTAP, CTAPConfig
from ctap.nn.length_regulator import frame_phones
from ctap.tasks.build import TRAININGS, Sources
from test import tiny

LENGTHS = st.lists(st.integers(1, 200), min_size=1, max_size=5)


def batch_of(lengths, phones=12):
    """Random utterances of ``lengths`` frames, of up to so many phones."""
    size, durations = max(lengths), torch.zeros(len(lengths), phones, dtype=torch.long)
    for row, length in zip(durations, lengths, strict=True):
        count = min(phones, length)
        cuts = torch.randperm(length - 1)[: count - 1].sort().values + 1
        row[:count] = torch.diff(torch.tensor([0, *cuts.tolist(), length]))
    tokens = torch.randint(2, 20, durations.shape) * (durations > 0)
    sizes, mel = torch.tensor(lengths), torch.randn(len(lengths), size, 40)
    mel *= lengths_to_mask(sizes, size)[..., None]
    given = dict.fromkeys(("utts", "speakers", "whole", "units", "unit_lengths"))
    return Batch(
        mel=mel, lengths=sizes, prompt=torch.randn(len(lengths), 16, 40), tokens=tokens,
        durations=durations, phone_lengths=(durations > 0).sum(1), **given,
    )  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(LENGTHS, st.integers(12, 90))
def test_a_batch_that_is_cut_and_joined_is_the_batch(lengths, window):
    batch = batch_of(lengths)
    cut = Cut(batch.mask, window)
    assert cut.mask.shape[1] == min(window, max(lengths)) and cut.mask.any(dim=1).all()
    joined = cut.whole(cut.windows_of(batch.mel))
    assert torch.equal(joined[batch.mask], batch.mel[batch.mask])
    tokens, durations = cut.phones_of(batch.tokens, batch.durations)
    assert torch.equal(durations.sum(1), cut.mask.sum(1)) and torch.equal(tokens > 0, durations > 0)
    size = cut.mask.shape[1]
    phones = frame_phones(batch.tokens, batch.durations, batch.mel.shape[1])[..., None]
    there = frame_phones(tokens, durations, size)
    assert torch.equal(there[cut.mask], cut.windows_of(phones)[..., 0][cut.mask])


@pytest.mark.parametrize("positions", ["absolute", "rotary"])
@settings(max_examples=10, deadline=None)
@given(LENGTHS)
def test_each_utterance_of_a_batch_is_as_alone(positions, lengths):
    torch.manual_seed(0)
    stack = {**tiny.STACK, "positions": positions}
    sizes = {**tiny.MODEL, "speech_encoder": stack, "decoder": stack}
    sizes["phoneme_encoder"] = {**stack, "phone_layers": 1, "places": True}
    ctap = CTAP(from_dict(CTAPConfig, sizes, "test"), 20).eval()
    trained, batch = TrainedLengths(60, 80, 100, 80, 80), batch_of(lengths)
    alone, networks = AnyLength(ctap, trained), InUse(ctap, trained)
    s, p = networks.speech(batch.mel, batch.mask), networks.phonemes(batch)
    g = ctap.encode_prompt(batch.prompt)[0]
    ctap.decoder.spread.fill_(1.1)
    mel = networks.speak(s, g, batch.mask)
    for i, size in enumerate(lengths):
        spans = batch.durations[i][batch.durations[i] > 0]
        torch.testing.assert_close(s[i, :size], alone.speech(ctap.normalize(batch.mel[i, :size])))
        torch.testing.assert_close(p[i, :size], alone.phonemes(batch.tokens[i, : len(spans)], spans))
        torch.testing.assert_close(mel[i, :size], alone.speak(s[i, :size], g[i]), atol=1e-4, rtol=1e-4)


def training_of(name, **more):
    values = {"data": tiny.DATA, "optim": tiny.OPTIM, "trainer": tiny.TRAINER, **more}
    return from_dict(TRAININGS[name][0], values, "test")


@pytest.fixture(scope="module")
def of_short_crops(dump, tmp_path_factory):
    """A model whose encoders are given no more than 30 frames at once."""
    out = tmp_path_factory.mktemp("short")
    chosen = training_of("pretrain", model=tiny.MODEL, data={**tiny.DATA, "max_frames": 30})
    return train("pretrain", chosen, Sources(dump / "train"), out)


@pytest.mark.parametrize(
    ("name", "reads"),
    [("finetune", "speech"), ("finetune", "phonemes"), ("asr", "speech"), ("semantic", "speech")],
)
def test_trainings_on_frozen_encoders_read_what_a_model_in_use_would(name, reads, of_short_crops, dump):
    more = {"reads": reads} if name == "finetune" else {}
    chosen = training_of(name, **more)
    training = TRAININGS[name][1](chosen, Sources(dump / "train", init=of_short_crops))
    task, read = training.task.eval(), []
    in_use = getattr(task.in_use, reads)
    setattr(task.in_use, reads, lambda *given: read.append(in_use(*given)) or read[-1])
    batch = next(iter(dev_loader(training.train, chosen.data, prompt_frames=training.prompt_frames)))
    task.losses(batch)
    assert min(batch.lengths) > 30 and len(batch) > 1
    networks = AnyLength(task.ctap, training.parts.trained)
    for i, size in enumerate(batch.lengths):
        if reads == "speech":
            expected = networks.speech(task.ctap.normalize(batch.mel[i, :size]))
        else:
            count = batch.phone_lengths[i]
            expected = networks.phonemes(batch.tokens[i, :count], batch.durations[i, :count])
        torch.testing.assert_close(read[0][i, :size], expected, atol=1e-5, rtol=1e-4)
