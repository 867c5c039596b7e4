"""Linear probes: what a representation still tells about the speaker, and about the phone.

A good frame-level representation for speech tasks keeps the phones and gives up the speaker (paper sections
1 and 3.4). Both are read off with a multinomial logistic regression trained on part of the utterances and
scored on the others, always beside the accuracy of guessing. An utterance says who speaks once, so speakers
are cross-validated: every utterance is scored once. Frames are many, and one split is enough.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from ctap.text.pauses import PAUSES

__all__ = ["Probe", "linear_probe", "phone_probe", "speaker_probe"]

TEST_SHARE = 0.3
"""Of the utterances, those whose phones are scored; the rest is trained on."""

FOLDS = 5
"""Parts of the utterances, each of which is scored once by a probe trained on the others."""

PHONE_L2, SPEAKER_L2 = 1e-3, 1e-2
"""Weight penalties: a speaker's probe learns from a vector an utterance, a phone's from one a frame."""

STEPS = 200
"""Iterations of a probe's training at most."""


@dataclass(frozen=True)
class Probe:
    """Outcome of a probe.

    Attributes:
        classes: number of classes in training.
        correct: of each scored item (utterance or frame) whether it is right, for an interval.
        guessed: whether it would be if the class most frequent in training were always said.
        utterance: which utterance each scored item comes from, as an index into what was given.
    """

    classes: int
    correct: Tensor
    guessed: Tensor
    utterance: list[int]

    @property
    def accuracy(self) -> float:
        """Share of the held-out items classified right."""
        return self.correct.double().mean().item()

    @property
    def chance(self) -> float:
        """Share right by saying the same always."""
        return self.guessed.double().mean().item()

    def by_utterance(self) -> dict[int, tuple[int, int]]:
        """Utterance -> its items classified right, and all its items that were scored."""
        counts: dict[int, tuple[int, int]] = {}
        for utt, hit in zip(self.utterance, self.correct.tolist(), strict=True):
            right, total = counts.get(utt, (0, 0))
            counts[utt] = (right + hit, total + 1)
        return counts


def linear_probe(
    train_x: Tensor, train_y: Tensor, test_x: Tensor, *, l2: float = PHONE_L2, steps: int = STEPS
) -> Tensor:
    """Multinomial logistic regression on standardised features, by L-BFGS (convex, started at zero).

    Minimises the mean cross-entropy plus ``l2 / 2`` times the squared weights (biases free).

    Args:
        train_x: ``[n, d]``.
        train_y: class indices ``[n]``, 0..C-1.
        test_x: ``[m, d]``.
        l2: weight penalty.
        steps: most iterations.

    Returns:
        Class log-probabilities ``[m, C]``, float64.
    """
    x, test = train_x.double(), test_x.double()
    mean, scale = x.mean(0), x.std(0, correction=0)
    scale = torch.where(scale > 1e-8, scale, torch.ones_like(scale))
    x, test = (x - mean) / scale, (test - mean) / scale
    C = int(train_y.max()) + 1
    W = torch.zeros(x.shape[1], C, dtype=torch.float64, device=x.device, requires_grad=True)
    b = torch.zeros(C, dtype=torch.float64, device=x.device, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [W, b], max_iter=steps, tolerance_grad=1e-6, tolerance_change=1e-10, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = cross_entropy(x @ W + b, train_y) + 0.5 * l2 * W.square().sum()
        loss.backward()
        return loss

    with torch.enable_grad():
        optimizer.step(closure)
    return (test @ W.detach() + b.detach()).log_softmax(dim=1)


def _split(count: int, seed: int) -> tuple[list[int], list[int]]:
    """Seeded split of so many items, two or more, into train and test."""
    order = torch.randperm(count, generator=torch.Generator().manual_seed(operator.index(seed))).tolist()
    held = min(count - 1, max(1, round(count * TEST_SHARE)))
    return sorted(order[held:]), sorted(order[:held])


def _folds(groups: Sequence[Hashable], seed: int) -> list[list[int]]:
    """Items dealt out at random, group by group, to as many folds as the largest group has items for."""
    generator = torch.Generator().manual_seed(operator.index(seed))
    folds: list[list[int]] = [[] for _ in range(FOLDS)]
    dealt = Counter[Hashable]()
    for i in torch.randperm(len(groups), generator=generator).tolist():
        folds[dealt[groups[i]] % FOLDS].append(i)
        dealt[groups[i]] += 1
    return [sorted(fold) for fold in folds if fold]


def _score(
    train_x: Tensor, train_y: list, test_x: Tensor, test_y: list, utterance: list[int], **fit: Any
) -> Probe:
    names = sorted(set(train_y))
    index = {name: i for i, name in enumerate(names)}
    y = torch.tensor([index[name] for name in train_y], device=train_x.device)
    # a class that training never saw is always wrong
    truth = torch.tensor([index.get(name, -1) for name in test_y], device=train_x.device)
    guess = linear_probe(train_x, y, test_x, **fit).argmax(dim=1)
    return Probe(len(names), (guess == truth).cpu(), (truth == y.bincount().argmax()).cpu(), utterance)


@torch.no_grad()
def speaker_probe(features: Sequence[Tensor], speakers: Sequence[str], *, seed: int = 0) -> Probe:
    """Who speaks, from the mean over the frames of each utterance; lower is better for CTAP.

    Args:
        features: ``[T, d]`` of each utterance.
        speakers: of each utterance; every one needs two utterances or more (one to train on, one to test).
        seed: of the deal into :data:`FOLDS`, some of every speaker's utterances in each.

    Raises:
        ValueError: fewer than two speakers with two utterances.
    """
    if len(features) != len(speakers):
        raise ValueError(f"{len(features)} utterances but {len(speakers)} speakers")
    counts = {speaker: speakers.count(speaker) for speaker in set(speakers)}
    kept = [i for i, speaker in enumerate(speakers) if counts[speaker] > 1]
    if len({speakers[i] for i in kept}) < 2:
        raise ValueError(f"a speaker probe needs two speakers with two utterances each, got {counts}")
    x = torch.stack([features[i].double().mean(0) for i in kept])
    y = [speakers[i] for i in kept]
    parts = []
    for test in _folds(y, seed):
        train = [i for i in range(len(y)) if i not in test]
        said, truth = [y[i] for i in train], [y[i] for i in test]
        parts.append(_score(x[train], said, x[test], truth, [kept[i] for i in test], l2=SPEAKER_L2))
    return Probe(
        classes=parts[0].classes,
        correct=torch.cat([part.correct for part in parts]),
        guessed=torch.cat([part.guessed for part in parts]),
        utterance=[i for part in parts for i in part.utterance],
    )


@torch.no_grad()
def phone_probe(
    features: Sequence[Tensor],
    phones: Sequence[Sequence[str]],
    *,
    max_frames: int = 20000,
    seed: int = 0,
) -> Probe:
    """Which phone is said, frame by frame; train and test share no utterance. Higher is better.

    Frames of pauses are left out: they would make it look easy.

    Args:
        features: ``[T, d]`` of each utterance.
        phones: ``T`` phones of each utterance.
        max_frames: frames drawn at random on each side, at most.
        seed: of the split, which holds out :data:`TEST_SHARE` of the utterances, and of the draw.

    Raises:
        ValueError: fewer than two utterances, labels that don't fit, or nothing but pauses.
    """
    if len(features) < 2 or len(features) != len(phones):
        raise ValueError(
            f"a phone probe needs two or more utterances, got {len(features)} with {len(phones)} labels"
        )
    generator = torch.Generator().manual_seed(operator.index(seed))
    sides = []
    for part in _split(len(features), seed):
        rows, names, origin = [], [], []
        for i in part:
            if len(features[i]) != len(phones[i]):
                raise ValueError(f"utterance {i}: {len(features[i])} frames but {len(phones[i])} phones")
            keep = [t for t, phone in enumerate(phones[i]) if phone not in PAUSES]
            rows.append(features[i][keep])
            names += [phones[i][t] for t in keep]
            origin += [i] * len(keep)
        if not names:
            raise ValueError("a phone probe needs frames other than pauses on both sides of the split")
        x = torch.cat(rows)
        drawn = torch.randperm(len(names), generator=generator)[:max_frames].sort().values
        order = drawn.tolist()
        sides.append((x[drawn.to(x.device)], [names[j] for j in order], [origin[j] for j in order]))
    (train_x, train_y, _), (test_x, test_y, utterance) = sides
    return _score(train_x, train_y, test_x, test_y, utterance, l2=PHONE_L2)
