"""Frame and phone retrieval: does the nearest frame of the other modality say the same thing?

This is the task that CTAP's contrastive loss trains (paper section 2.1.2, Eq. 5-6), scored: for every
speech frame the phoneme frame with the largest dot product is looked up, and the other way round.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

__all__ = ["DIRECTIONS", "chance", "retrieval", "right_frames"]

DIRECTIONS = ("speech_to_phone", "phone_to_speech")

WITHIN = (1, 3)
"""Distances in frames for which ``within_<k>`` is given."""

_TILE_ELEMENTS = 1 << 23  # 32 MiB of float32 similarities at a time


def _nearest(S: Tensor, P: Tensor) -> tuple[Tensor, Tensor]:
    """Index of the best row of ``P`` for every row of ``S`` and the reverse, from one pass over tiles."""
    N = S.shape[0]
    rows = max(1, _TILE_ELEMENTS // N)
    to_phone = torch.empty(N, dtype=torch.long, device=S.device)
    to_speech = torch.zeros(N, dtype=torch.long, device=S.device)
    best = torch.full((N,), -torch.inf, device=S.device)
    for start in range(0, N, rows):
        with torch.autocast(S.device.type, enabled=False):  # a validation runs in it
            tile = S[start : start + rows] @ P.T
        to_phone[start : start + rows] = tile.argmax(dim=1)
        value, row = tile.max(dim=0)
        better = value > best
        best = torch.where(better, value, best)
        to_speech = torch.where(better, row + start, to_speech)
    return to_phone, to_speech


def _nearest_within(S: Tensor, P: Tensor, parts: list[slice]) -> list[Tensor]:
    """:func:`_nearest` within each of ``parts``, joined: two times ``[N]``, indices of all rows."""
    pairs = [_nearest(S[part], P[part]) for part in parts]
    return [
        torch.cat([f + part.start for f, part in zip(found, parts, strict=True)])
        for found in zip(*pairs, strict=True)
    ]


def _slices(N: int, lengths: Sequence[int] | Tensor | None) -> list[slice]:
    if lengths is None:
        return [slice(0, N)]
    sizes = [int(n) for n in lengths]
    if sum(sizes) != N or min(sizes, default=0) < 1:
        raise ValueError(f"lengths {sizes} must be positive and sum to the {N} frames given")
    ends = torch.tensor(sizes).cumsum(0).tolist()
    return [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]


def _chance_within(sizes: list[int], k: int, candidates: list[int]) -> float:
    """Expected share of uniform guesses at most ``k`` frames away and in the right utterance."""
    hits = 0.0
    for n, N in zip(sizes, candidates, strict=True):
        reach = min(k, n - 1)
        # every frame has itself and ``k`` neighbours on both sides, less those beyond the two ends
        hits += (n * (2 * reach + 1) - reach * (reach + 1)) / N
    return hits / sum(sizes)


def _check(S: Tensor, P: Tensor, phones: Tensor, lengths: Sequence[int] | Tensor | None) -> list[slice]:
    """The utterances' frames; refuses shapes that do not fit each other."""
    if S.ndim != 2 or S.shape != P.shape or phones.shape != S.shape[:1]:
        raise ValueError(
            f"S {tuple(S.shape)}, P {tuple(P.shape)} and phones {tuple(phones.shape)} "
            "must be [N, d], [N, d] and [N]"
        )
    return _slices(len(S), lengths) if len(S) else []


@torch.no_grad()
def retrieval(
    S: Tensor,
    P: Tensor,
    phones: Tensor,
    *,
    lengths: Sequence[int] | Tensor | None = None,
    scope: Literal["batch", "utterance"] = "batch",
) -> dict[str, float]:
    """Retrieval accuracy both ways between aligned speech and phoneme embeddings.

    Frame ``i`` of ``S`` belongs to frame ``i`` of ``P``. The nearest frame is the one with the largest
    dot product. Frames of one phone are each other's negatives in training, so exact frame accuracy is
    bounded by how well one can tell them apart; ``within_k`` and ``phone`` are reported beside it.

    Args:
        S: speech embeddings ``[N, d]``, padding already taken out.
        P: phoneme embeddings ``[N, d]``.
        phones: phone index of every frame ``[N]`` (integers).
        lengths: frames per utterance, in order, when the rows are several utterances put together.
        scope: ``"batch"`` searches all N frames, ``"utterance"`` only the frames of the same utterance.

    Returns:
        ``speech_to_phone/frame``, ``.../within_1``, ``.../within_3``, ``.../phone``, the same for
        ``phone_to_speech``, the same for ``chance`` (a uniform guess among the candidates), and ``frames``,
        which is N. Accuracies lie in 0..1; with no frame, or with NaN among the embeddings, they are NaN.
        A frame of another utterance is never within reach.

    Raises:
        ValueError: shapes that do not fit each other.
    """
    names = ["frame", *(f"within_{k}" for k in WITHIN), "phone"]
    scores = {f"{way}/{name}": math.nan for way in (*DIRECTIONS, "chance") for name in names}
    scores["frames"] = float(len(S))
    hits = right_frames(S, P, phones, lengths=lengths, scope=scope)
    if not hits:
        return scores
    scores |= {name: hit.double().mean().item() for name, hit in hits.items()}
    guessed = chance(phones.to(S.device), lengths=lengths, scope=scope)
    return scores | {f"chance/{name}": value for name, value in guessed.items()}


@torch.no_grad()
def right_frames(
    S: Tensor,
    P: Tensor,
    phones: Tensor,
    *,
    lengths: Sequence[int] | Tensor | None = None,
    scope: Literal["batch", "utterance"] = "batch",
) -> dict[str, Tensor]:
    """Which frames :func:`retrieval` counts as found, for figures of parts of a set.

    Args:
        S: as in :func:`retrieval`, as are the others.

    Returns:
        ``[N]`` bool of ``speech_to_phone/frame`` and the like, without ``chance``; nothing with no frame, or
        with NaN among the embeddings.

    Raises:
        ValueError: as :func:`retrieval`.
    """
    slices = _check(S, P, phones, lengths)
    N = S.shape[0]
    if not N or not (torch.isfinite(S).all() and torch.isfinite(P).all()):
        return {}

    # bfloat16 products round neighbouring frames onto the same value
    S, P, phones = S.float(), P.float(), phones.to(S.device)
    index = torch.arange(N, device=S.device)
    utterance = torch.cat([torch.full_like(index[part], i) for i, part in enumerate(slices)])
    searched = slices if scope == "utterance" else [slice(0, N)]
    hits = {}
    for way, near in zip(DIRECTIONS, _nearest_within(S, P, searched), strict=True):
        distance = torch.where(utterance[near] == utterance, (near - index).abs(), N + max(WITHIN))
        hits[f"{way}/frame"] = near == index
        hits |= {f"{way}/within_{k}": distance <= k for k in WITHIN}
        hits[f"{way}/phone"] = phones[near] == phones
    return hits


def chance(
    phones: Tensor,
    *,
    lengths: Sequence[int] | Tensor | None = None,
    scope: Literal["batch", "utterance"] = "batch",
) -> dict[str, float]:
    """What a uniform guess among the candidates scores: ``frame``, ``within_1`` and so on.

    Args:
        phones: as in :func:`retrieval`, as are the others; at least one frame.
    """
    N = len(phones)
    slices = _slices(N, lengths)
    sizes = [part.stop - part.start for part in slices]
    searched, candidates = (slices, sizes) if scope == "utterance" else ([slice(0, N)], [N] * len(sizes))
    scores = {}
    for name, k in [("frame", 0), *((f"within_{k}", k) for k in WITHIN)]:
        scores[name] = _chance_within(sizes, k, candidates)
    same = 0.0
    for part in searched:
        frequency = phones[part].unique(return_counts=True)[1].double()
        same += (frequency.square().sum() / frequency.sum()).item()
    return {**scores, "phone": same / N}
