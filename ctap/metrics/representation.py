"""Figures of a representation: retrieval, losses, probes, size; beside each its floor."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor

from ctap.metrics.intervals import bootstrap_mean, bootstrap_ratio, interval_of_share
from ctap.metrics.probe import (
    FOLDS,
    PHONE_L2,
    SPEAKER_L2,
    STEPS,
    TEST_SHARE,
    Probe,
    phone_probe,
    speaker_probe,
)
from ctap.metrics.results import Metric, items
from ctap.metrics.retrieval import DIRECTIONS, chance, right_frames

__all__ = [
    "MAX_SHIFT",
    "SETTINGS",
    "guessed",
    "metric_of_loss",
    "metrics_of_probes",
    "metrics_of_retrieval",
    "metrics_of_size",
    "metrics_of_utterances",
    "retrieved",
]

LEVELS = ("frame", "within_1", "within_3", "phone")
MAX_SHIFT = 1000
"""Frames by which the speech encoder's positions are shifted at most, where they are."""
PROBE_FRAMES = 4000
SETTINGS = {
    "max_shift": MAX_SHIFT,
    "phone_probe": {"frames": PROBE_FRAMES, "test_share": TEST_SHARE, "l2": PHONE_L2, "steps": STEPS},
    "speaker_probe": {"folds": FOLDS, "l2": SPEAKER_L2, "steps": STEPS},
}
"""What these figures hang on besides the model and the speech, for the record."""
UNITS = {"contrastive": "nats", "kl": "nats", "mel_cepstral_distortion": "dB"}
NOTES = {
    "kl": "before the margin of Eq. 2",
    "mel_cepstral_distortion": "mel from P, the recording's durations, prompts as in training; no warping",
    "phone_retrieval": "speech to phoneme, within the utterance",
    "phone_retrieval_shifted": (
        f"the same, speech encoder's positions shifted at random by 1 to {MAX_SHIFT} frames"
    ),
}


def retrieved(
    speech: Sequence[Tensor], shifted: Sequence[Tensor], phonemes: Sequence[Tensor], labels: Sequence[Tensor]
) -> dict[str, list[float]]:
    """Retrieval of every direction and level, within utterances and (``across/``) in the whole set.

    Args:
        speech: S of each utterance, [T, d].
        shifted: The same with the speech encoder's positions shifted.
        phonemes: P of each utterance, [T, d].
        labels: Phone of every frame, [T].

    Returns:
        Of each figure the number of frames of every utterance that were found (NaN with NaN among the
        embeddings).
    """
    lengths = [len(x) for x in speech]
    s, p, phones = torch.cat(list(speech)), torch.cat(list(phonemes)), torch.cat(list(labels))

    def found(s: Tensor, scope: Literal["batch", "utterance"]) -> dict[str, list[float]]:
        hits = right_frames(s, p, phones, lengths=lengths, scope=scope)
        undefined = [math.nan] * len(lengths)
        keys = [f"{way}/{level}" for way in DIRECTIONS for level in LEVELS]
        return {
            key: [float(part.sum()) for part in hits[key].split(lengths)] if hits else undefined
            for key in keys
        }

    inside, across = found(s, "utterance"), found(s, "batch")
    moved = found(torch.cat(list(shifted)), "utterance")
    figures = {
        "frame_retrieval": inside["speech_to_phone/frame"],
        "phone_retrieval": inside["speech_to_phone/phone"],
        "phone_retrieval_shifted": moved["speech_to_phone/phone"],
    }
    return figures | inside | {f"across/{key}": counts for key, counts in across.items()}


def guessed(labels: Sequence[Tensor]) -> dict[str, float]:
    """The rate of guessing of each figure of :func:`retrieved`, which depends on the phones alone."""
    lengths, phones = [len(x) for x in labels], torch.cat(list(labels))
    inside = chance(phones, lengths=lengths, scope="utterance")
    rates = {"frame_retrieval": inside["frame"]}
    rates |= dict.fromkeys(("phone_retrieval", "phone_retrieval_shifted"), inside["phone"])
    for prefix, table in (("", inside), ("across/", chance(phones, lengths=lengths))):
        rates |= {f"{prefix}{way}/{level}": table[level] for way in DIRECTIONS for level in LEVELS}
    return rates


def metrics_of_retrieval(
    found: Mapping[str, Sequence[float]],
    untrained: Mapping[str, Sequence[float]],
    chance: Mapping[str, float],
    lengths: Sequence[int],
    utts: Sequence[str],
) -> dict[str, Metric]:
    """Shares of frames that are found, those of :func:`retrieved`, with intervals.

    Args:
        found: Figure to the number of frames of each utterance.
        untrained: The same of a model with random weights.
        chance: The rate of guessing, :func:`guessed`.
        lengths: Frames of each utterance.
        utts: The utterances.
    """
    return {
        key: Metric.of(
            bootstrap_ratio(counts, lengths),
            n=len(utts),
            better="higher",
            against={"untrained": sum(untrained[key]) / sum(lengths), "chance": chance[key]},
            note=NOTES.get(key, ""),
            items=items(utts, counts, lengths),
        )
        for key, counts in found.items()
    }


def metric_of_loss(value: float, untrained: float, count: int, utts_at_once: int) -> Metric:
    """The contrastive loss, of which no utterance has its own.

    Args:
        value: nats.
        untrained: The same of a model with random weights.
        count: Utterances.
        utts_at_once: Those whose frames are told apart.
    """
    note = f"Eq. 6 over the frames of {utts_at_once} utterances at a time"
    unit = UNITS["contrastive"]
    return Metric(value, count, unit, "lower", against={"untrained": untrained}, note=note)


def metrics_of_utterances(
    found: Mapping[str, Sequence[float]], untrained: Mapping[str, Sequence[float]], utts: Sequence[str]
) -> dict[str, Metric]:
    """Means over utterances of figures that each has of its own, with intervals.

    Args:
        found: Figure to its value of each utterance.
        untrained: The same of a model with random weights.
        utts: The utterances.
    """
    return {
        key: Metric.of(
            bootstrap_mean(values),
            unit=UNITS.get(key, ""),
            better="neither" if key == "kl" else "lower",
            against={"untrained": sum(untrained[key]) / len(utts)},
            note=NOTES.get(key, ""),
            items=items(utts, values),
        )
        for key, values in found.items()
    }


def metrics_of_size(dim: int, bits_per_second: float, count: int) -> dict[str, Metric]:
    """Dimension, and bits a second."""
    note = "codes as such, floats as 32 bits"
    return {
        "dimension": Metric(dim, count),
        "bits_per_second": Metric(bits_per_second, count, "bit/s", "lower", note=note),
    }


def metrics_of_probes(
    speech: Sequence[Tensor],
    mels: Sequence[Tensor],
    phones: Sequence[Sequence[str]],
    speakers: Sequence[str],
    utts: Sequence[str],
    seed: int,
    phonemes: Sequence[Tensor] | None = None,
) -> dict[str, Metric]:
    """Linear probes for phone and speaker, beside those on the log-mel and the rate of guessing.

    Args:
        speech: The representation of each utterance, [T, d].
        mels: Its log-mel, [T, n_mels].
        phonemes: P of each utterance, [T, d], if there is one: the speakers that it tells are told by what
            they say and how fast, since P knows no voice.
        phones: Phone of every frame.
        speakers: Who speaks.
        utts: The utterances.
        seed: Of the division into training and test.
    """
    metrics = {}
    if len(speech) > 1:
        on_mel, own = (phone_probe(x, phones, max_frames=PROBE_FRAMES, seed=seed) for x in (mels, speech))
        metrics["phone_probe"] = _metric_of(own, "higher", {"log-mel": on_mel}, utts)
    if sum(list(speakers).count(s) > 1 for s in set(speakers)) > 1:
        others = {"log-mel": mels} | ({} if phonemes is None else {"P": phonemes})
        own, *beside = (speaker_probe(x, speakers, seed=seed) for x in (speech, *others.values()))
        metrics["speaker_probe"] = _metric_of(own, "lower", dict(zip(others, beside, strict=True)), utts)
    return metrics


def _metric_of(probe: Probe, better: str, beside: Mapping[str, Probe], utts: Sequence[str]) -> Metric:
    counts = {utts[i]: pair for i, pair in probe.by_utterance().items()}
    right, total = zip(*counts.values(), strict=True)
    against = {"chance": probe.chance} | {name: other.accuracy for name, other in beside.items()}
    interval = interval_of_share([right]) if set(total) == {1} else bootstrap_ratio(right, total)
    return Metric.of(interval, better=better, against=against, items=items(counts, right, total))
