"""Retrieval against a plain matrix, scikit-learn's neighbours, and counts by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import one_hot

from ctap.metrics import retrieval as module
from ctap.metrics.retrieval import DIRECTIONS, retrieval


def batch(N=300, d=16, noise=0.8, seed=0):
    generator = torch.Generator().manual_seed(seed)
    P = torch.randn(N, d, generator=generator)
    S = P + noise * torch.randn(N, d, generator=generator)
    return S, P, torch.randint(0, 7, (N,), generator=generator)


def by_matrix(S, P, phones, lengths, scope):
    """The same figures from the whole matrix in double precision and loops over frames."""
    C = (S.double() @ P.double().T).numpy()
    utterance = np.repeat(np.arange(len(lengths)), lengths)
    if scope == "utterance":
        C[utterance[:, None] != utterance[None, :]] = -np.inf
    scores = {}
    for way, matrix in zip(DIRECTIONS, (C, C.T), strict=True):
        near = [int(np.argmax(row)) for row in matrix]
        scores[f"{way}/frame"] = np.mean([j == i for i, j in enumerate(near)])
        for k in (1, 3):
            close = [utterance[i] == utterance[j] and abs(i - j) <= k for i, j in enumerate(near)]
            scores[f"{way}/within_{k}"] = np.mean(close)
        scores[f"{way}/phone"] = np.mean([phones[i] == phones[j] for i, j in enumerate(near)])
    return scores


def test_a_validation_in_bfloat16_finds_what_float32_finds():
    """Products of bfloat16 round neighbouring frames onto the same value."""
    S, P, phones = batch(N=400, noise=0.02)
    S, P = S.bfloat16(), (P + torch.linspace(0, 0.5, 400)[:, None]).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        inside = retrieval(S, P, phones)
    assert inside == retrieval(S, P, phones)


@pytest.mark.parametrize("scope", ["batch", "utterance"])
@pytest.mark.parametrize("tile", [1, 7 * 300, 1 << 23])
def test_equals_the_whole_matrix_for_any_tile_size(scope, tile, monkeypatch):
    monkeypatch.setattr(module, "_TILE_ELEMENTS", tile)
    S, P, phones = batch()
    lengths = [120, 1, 79, 100]
    found = retrieval(S, P, phones, lengths=lengths, scope=scope)
    for key, value in by_matrix(S, P, phones, lengths, scope).items():
        assert found[key] == pytest.approx(value, abs=1e-9), key
    assert 0.2 < found["speech_to_phone/frame"] < 0.98  # neither trivial nor hopeless


def test_agrees_with_nearest_neighbours_of_scikit_learn():
    neighbors = pytest.importorskip("sklearn.neighbors")
    S, P, phones = batch()
    S, P = torch.nn.functional.normalize(S, dim=1), torch.nn.functional.normalize(P, dim=1)
    near = neighbors.NearestNeighbors(n_neighbors=1).fit(P.numpy()).kneighbors(S.numpy())[1][:, 0]
    accuracy = (phones.numpy()[near] == phones.numpy()).mean()
    assert retrieval(S, P, phones)["speech_to_phone/phone"] == pytest.approx(accuracy, abs=1e-9)


def test_a_shift_by_two_frames_is_within_three_but_not_within_one():
    P = one_hot(torch.arange(50), 50).float()
    S = P.roll(-2, 0)  # frame i says what phoneme frame i + 2 says
    phones = torch.arange(50) // 5
    scores = retrieval(S, P, phones)
    assert scores["speech_to_phone/frame"] == scores["speech_to_phone/within_1"] == 0
    assert scores["speech_to_phone/within_3"] == pytest.approx(48 / 50)
    # of five frames of a phone, the first three stay inside it when two are added
    assert scores["speech_to_phone/phone"] == pytest.approx(30 / 50)


def test_another_utterance_is_never_within_reach():
    P = one_hot(torch.arange(4), 4).float()
    S = P[[0, 2, 1, 3]]  # the neighbours across the join are exchanged
    phones = torch.zeros(4, dtype=torch.long)
    assert retrieval(S, P, phones)["speech_to_phone/within_1"] == 1
    assert retrieval(S, P, phones, lengths=[2, 2])["speech_to_phone/within_1"] == 0.5
    S, P = one_hot(torch.tensor([0, 1]), 2).float(), one_hot(torch.tensor([1, 0]), 2).float()
    assert retrieval(S, P, phones[:2], lengths=[1, 1])["speech_to_phone/within_3"] == 0


def test_chance_is_what_random_embeddings_get():
    generator = torch.Generator().manual_seed(1)
    lengths = [40, 60, 100]
    phones = torch.randint(0, 3, (200,), generator=generator)
    for scope in ("batch", "utterance"):
        found: dict[str, list[float]] = {}
        for _ in range(150):
            S, P = torch.randn(2, 200, 12, generator=generator)
            scores = retrieval(S, P, phones, lengths=lengths, scope=scope)
            for name in ("frame", "within_1", "within_3", "phone"):
                found.setdefault(name, []).append(scores[f"speech_to_phone/{name}"])
        for name, values in found.items():
            error = np.std(values) / math.sqrt(len(values))
            assert abs(np.mean(values) - scores[f"chance/{name}"]) < 4 * error, (scope, name)


def test_nan_and_nothing_give_nan_and_not_a_number_that_looks_fine():
    S, P, phones = batch(20)
    S[3, 2] = torch.nan
    assert math.isnan(retrieval(S, P, phones)["speech_to_phone/frame"])
    empty = retrieval(torch.zeros(0, 4), torch.zeros(0, 4), torch.zeros(0, dtype=torch.long))
    assert math.isnan(empty["speech_to_phone/phone"]) and empty["frames"] == 0


def test_bfloat16_is_compared_in_float32():
    S, P, phones = batch(noise=0.3)
    S, P = S.bfloat16(), P.bfloat16()
    assert retrieval(S, P, phones) == retrieval(S.float(), P.float(), phones)


@pytest.mark.parametrize(
    ("S", "P", "n"), [((5, 3), (5, 4), 5), ((5, 3), (5, 3), 4), ((2, 5, 3), (2, 5, 3), 2)]
)
def test_shapes_that_do_not_fit(S, P, n):
    with pytest.raises(ValueError, match=r"\[N, d\]"):
        retrieval(torch.zeros(S), torch.zeros(P), torch.zeros(n, dtype=torch.long))


def test_lengths_that_do_not_sum():
    S, P, phones = batch(20)
    with pytest.raises(ValueError, match="sum to the 20"):
        retrieval(S, P, phones, lengths=[10, 9])
