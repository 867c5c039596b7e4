"""Figures of a representation that are known beforehand, and what stands beside them."""

from __future__ import annotations

import json
import math

import pytest
import torch

from ctap.metrics.representation import (
    SETTINGS,
    guessed,
    metric_of_loss,
    metrics_of_probes,
    metrics_of_retrieval,
    metrics_of_size,
    metrics_of_utterances,
    retrieved,
)


@pytest.fixture
def aligned() -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Two utterances whose every frame is a direction of its own, and their phones, two frames each."""
    frames = torch.eye(12)
    return [frames[:8], frames[8:]], [torch.tensor([0, 0, 1, 1, 2, 2, 3, 3]), torch.tensor([0, 0, 4, 4])]


def test_what_is_the_same_is_found_and_what_is_turned_round_is_not(aligned) -> None:
    frames, labels = aligned
    turned = [x.roll(2, dims=0) for x in frames]
    counts, chance = retrieved(frames, turned, frames, labels), guessed(labels)
    assert counts.keys() == chance.keys()
    assert counts["frame_retrieval"] == counts["phone_retrieval"] == [8, 4]
    assert counts["across/phone_to_speech/phone"] == [8, 4]
    assert counts["phone_retrieval_shifted"] == [0, 0]  # the nearest frame is always that of another phone
    assert chance["across/speech_to_phone/phone"] < chance["phone_retrieval"] < 1


def test_shares_of_frames_have_intervals_and_what_each_utterance_adds() -> None:
    key = "phone_retrieval"
    args = ({key: [2.0, 6.0]}, {key: [1.0, 1.0]}, {key: 0.05}, [4, 8], ["a", "b"])
    found = metrics_of_retrieval(*args)[key]
    assert found.value == pytest.approx(8 / 12) and found.n == 2 and found.better == "higher"
    assert found.interval == pytest.approx((0.5, 0.75)) and found.items == {"a": (2, 4), "b": (6, 8)}
    assert found.against == {"untrained": pytest.approx(2 / 12), "chance": 0.05}
    assert found.note.startswith("speech to phoneme")


def test_retrieval_among_nan_is_undefined(aligned) -> None:
    frames, labels = aligned
    broken = [frames[0], frames[1] * torch.nan]
    counts, chance = retrieved(broken, broken, frames, labels), guessed(labels)
    found = metrics_of_retrieval(counts, counts, chance, [8, 4], ["a", "b"])["phone_retrieval"]
    assert math.isnan(found.value) and found.n == 2


def test_a_loss_of_the_set_is_better_lower() -> None:
    loss = metric_of_loss(2.0, 9.0, 7, 8)
    assert (loss.value, loss.n, loss.unit, loss.better) == (2.0, 7, "nats", "lower")
    assert loss.note == "Eq. 6 over the frames of 8 utterances at a time"
    assert loss.against == {"untrained": 9.0}


def test_means_over_utterances_stand_beside_those_of_random_weights() -> None:
    metrics = metrics_of_utterances({"kl": [1.0, 3.0]}, {"kl": [5.0, 5.0]}, ["a", "b"])
    assert metrics["kl"].value == 2 and metrics["kl"].against == {"untrained": 5.0}
    assert metrics["kl"].better == "neither"


def test_probes_are_left_out_where_there_is_nobody_to_tell_apart() -> None:
    generator = torch.Generator().manual_seed(0)
    speech = [torch.randn(40, 4, generator=generator) for _ in range(8)]
    phones = [["a", "b"] * 20 for _ in speech]
    utts = [f"u{i}" for i in range(8)]
    several = metrics_of_probes(speech, speech, phones, ["x", "y"] * 4, utts, seed=0)
    assert several.keys() == {"phone_probe", "speaker_probe"}
    assert several["phone_probe"].against["log-mel"] == several["phone_probe"].value
    assert several["speaker_probe"].better == "lower"
    assert metrics_of_probes(speech, speech, phones, ["x"] * 8, utts, seed=0).keys() == {"phone_probe"}
    assert metrics_of_probes(speech, speech, phones, ["x"] * 7 + ["y"], utts, seed=0).keys() == {
        "phone_probe"
    }
    assert not metrics_of_probes(speech[:1], speech[:1], phones[:1], ["x"], utts[:1], seed=0)


def test_what_phonemes_tell_of_speakers_stands_beside() -> None:
    """Two speakers who say different phones: P tells them apart, though it knows no voice."""
    speakers, utts = ["x", "y"] * 6, [f"u{i}" for i in range(12)]
    phones = [[("a", "b")[i % 2]] * 30 for i in range(12)]
    phonemes = [torch.eye(2)[[i % 2] * 30] for i in range(12)]
    speech = [torch.zeros(30, 2) for _ in utts]
    found = metrics_of_probes(speech, speech, phones, speakers, utts, 0, phonemes)["speaker_probe"]
    assert found.against["P"] == 1.0 and found.value <= 0.5 == found.against["chance"]


def test_what_is_noted_of_the_shift_is_what_it_was() -> None:
    key = "phone_retrieval_shifted"
    note = metrics_of_retrieval({key: [1.0]}, {key: [0.0]}, {key: 0.1}, [2], ["a"])[key].note
    assert f"by 1 to {SETTINGS['max_shift']} frames" in note and json.loads(json.dumps(SETTINGS)) == SETTINGS


def test_size() -> None:
    metrics = metrics_of_size(256, 819200.0, 5)
    assert metrics["dimension"].value == 256 and metrics["bits_per_second"].unit == "bit/s"
