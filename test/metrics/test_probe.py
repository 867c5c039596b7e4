"""Linear probes against scikit-learn, and on data whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ctap.metrics.probe import _folds, _score, _split, linear_probe, phone_probe, speaker_probe
from ctap.metrics.representation import SETTINGS


def blobs(n=240, d=6, C=4, spread=1.5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(C, d, generator=generator)
    y = torch.arange(n) % C
    return centres[y] + spread * torch.randn(n, d, generator=generator), y


def test_agrees_with_scikit_learn():
    linear_model = pytest.importorskip("sklearn.linear_model")
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    x, y = blobs()
    x = x * torch.tensor([1, 10, 0.1, 1, 1, 1]) + 3
    found = linear_probe(x[:160], y[:160], x[160:], l2=1e-2).exp()
    scaler = preprocessing.StandardScaler().fit(x[:160].numpy())
    # scikit-learn sums the losses: C = 1 / (n l2)
    model = linear_model.LogisticRegression(C=1 / (160 * 1e-2), tol=1e-10, max_iter=1000)
    model.fit(scaler.transform(x[:160].numpy()), y[:160].numpy())
    expected = torch.tensor(model.predict_proba(scaler.transform(x[160:].numpy())))
    assert (found - expected).abs().max() < 1e-3


def test_penalties_are_those_on_record(monkeypatch):
    used = []
    monkeypatch.setattr(
        "ctap.metrics.probe.linear_probe", lambda *x, l2: used.append(l2) or linear_probe(*x, l2=l2)
    )
    features = [torch.randn(9, 2) for _ in range(4)]
    speaker_probe(features, ["x", "y"] * 2)
    phone_probe(features, [["a", "b", "c"] * 3] * 4)
    assert used == [SETTINGS["speaker_probe"]["l2"]] * 2 + [SETTINGS["phone_probe"]["l2"]]


def test_speakers_that_differ_are_found_and_those_that_do_not_are_guessed():
    generator = torch.Generator().manual_seed(1)
    speakers = [f"s{i % 4}" for i in range(160)]
    voices = torch.randn(4, 8, generator=generator)
    plain = [torch.randn(50, 8, generator=generator) for _ in speakers]
    marked = [x + voices[i % 4] for i, x in enumerate(plain)]
    assert speaker_probe(marked, speakers).accuracy == 1
    blind = speaker_probe(plain, speakers)
    assert blind.accuracy < 0.5 and blind.chance == pytest.approx(0.25)
    assert blind.classes == 4 and sorted(blind.utterance) == list(range(160))  # each is scored, and once


@pytest.mark.parametrize("counts", [(2, 2, 2), (2, 7, 30), (3, 1, 5)])
def test_nobody_is_scored_without_having_been_heard(counts):
    speakers = [f"s{k}" for k, count in enumerate(counts) for _ in range(count)]
    folds = _folds(speakers, 0)
    assert sorted(i for fold in folds for i in fold) == list(range(len(speakers)))
    for fold in folds:
        heard = {speakers[i] for i in range(len(speakers)) if i not in fold}
        assert {speakers[i] for i in fold if speakers.count(speakers[i]) > 1} <= heard
    assert _folds(speakers, 0) == folds != _folds(speakers, 1)


def test_phones_are_probed_without_pauses_and_across_utterances():
    generator = torch.Generator().manual_seed(2)
    names = ["sil", "a1", "b", "c"]
    means = 4 * torch.randn(4, 8, generator=generator)
    labels = [torch.randint(0, 4, (60,), generator=generator) for _ in range(10)]
    features = [means[y] + torch.randn(60, 8, generator=generator) for y in labels]
    phones = [[names[i] for i in y.tolist()] for y in labels]
    probe = phone_probe(features, phones)
    assert probe.accuracy > 0.95 and probe.classes == 3 and len(set(probe.utterance)) == 3
    assert probe.chance < 0.5
    assert len(phone_probe(features, phones, max_frames=50).correct) == 50
    again = phone_probe(features, phones, max_frames=50)
    assert torch.equal(again.correct, phone_probe(features, phones, max_frames=50).correct)


def test_a_phone_never_trained_on_is_wrong():
    x = torch.zeros(20, 2)
    train, test = _split(3, 0)
    phones = [["a1"] * 20 for _ in range(3)]
    phones[test[0]] = ["b"] * 20
    assert len(train) == 2
    assert phone_probe([x] * 3, phones).accuracy == 0


def test_a_split_loses_nothing_and_is_the_seeds():
    train, test = _split(12, 0)
    assert sorted(train + test) == list(range(12)) and len(test) == 4
    assert _split(12, np.int64(0)) == (train, test) != _split(12, 1)
    assert [len(side) for side in _split(2, 0)] == [1, 1]


def test_what_they_refuse():
    x = torch.zeros(3, 2)
    with pytest.raises(ValueError, match="two speakers"):
        speaker_probe([x, x, x], ["a", "a", "b"])
    with pytest.raises(ValueError, match="3 frames but 2 phones"):
        phone_probe([x, x], [["a", "b", "c"], ["a", "b"]])
    with pytest.raises(ValueError, match="other than pauses"):
        phone_probe([x, x], [["sil"] * 3, ["sp"] * 3])


def test_chance_says_what_training_had_most_of():
    """What testing has most of is not known to a guess."""
    x = torch.randn(3, 2)
    assert _score(x, ["a", "a", "b"], x, ["b", "b", "a"], [0, 1, 2]).chance == pytest.approx(1 / 3)
