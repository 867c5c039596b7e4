"""Linear probes against scikit-learn, and on data whose answer is known."""

from __future__ import annotations

import pytest
import torch

from ctap.metrics.probe import _split, linear_probe, phone_probe, speaker_probe


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


def test_speakers_that_differ_are_found_and_those_that_do_not_are_guessed():
    generator = torch.Generator().manual_seed(1)
    speakers = [f"s{i % 4}" for i in range(160)]
    voices = torch.randn(4, 8, generator=generator)
    plain = [torch.randn(50, 8, generator=generator) for _ in speakers]
    marked = [x + voices[i % 4] for i, x in enumerate(plain)]
    assert speaker_probe(marked, speakers).accuracy == 1
    blind = speaker_probe(plain, speakers)
    assert blind.accuracy < 0.5 and blind.chance == pytest.approx(0.25)
    assert (blind.classes, blind.train_items, blind.test_items) == (4, 112, 48)
    assert blind.accuracy == pytest.approx(blind.correct.double().mean().item())


def test_phones_are_probed_without_pauses_and_across_utterances():
    generator = torch.Generator().manual_seed(2)
    names = ["sil", "a1", "b", "c"]
    means = 4 * torch.randn(4, 8, generator=generator)
    labels = [torch.randint(0, 4, (60,), generator=generator) for _ in range(10)]
    features = [means[y] + torch.randn(60, 8, generator=generator) for y in labels]
    phones = [[names[i] for i in y.tolist()] for y in labels]
    probe = phone_probe(features, phones)
    assert probe.accuracy > 0.95 and probe.classes == 3 and probe.test_utterances == 3
    assert probe.chance < 0.5
    assert phone_probe(features, phones, max_frames=50).test_items == 50
    again = phone_probe(features, phones, max_frames=50)
    assert torch.equal(again.correct, phone_probe(features, phones, max_frames=50).correct)


def test_a_phone_never_trained_on_is_wrong():
    x = torch.zeros(20, 2)
    train, test = _split([0, 0, 0], 0)
    phones = [["a1"] * 20 for _ in range(3)]
    phones[test[0]] = ["b"] * 20
    assert len(train) == 2
    assert phone_probe([x] * 3, phones).accuracy == 0


def test_split_keeps_some_of_every_group_on_both_sides():
    groups = ["a"] * 2 + ["b"] * 10
    train, test = _split(groups, 0)
    assert sorted(train + test) == list(range(12))
    assert {groups[i] for i in train} == {groups[i] for i in test} == {"a", "b"}
    assert _split(groups, 0) == (train, test) != _split(groups, 1)


def test_what_they_refuse():
    x = torch.zeros(3, 2)
    with pytest.raises(ValueError, match="two speakers"):
        speaker_probe([x, x, x], ["a", "a", "b"])
    with pytest.raises(ValueError, match="3 frames but 2 phones"):
        phone_probe([x, x], [["a", "b", "c"], ["a", "b"]])
    with pytest.raises(ValueError, match="no pause"):
        phone_probe([x, x], [["sil"] * 3, ["sp"] * 3])
