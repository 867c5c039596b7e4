"""Datasets: crops with their durations, prompts, and tables that do not fit."""

import shutil

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ctap.data.batching import BatchRequest
from ctap.data.cropping import clip_window, crop_durations
from ctap.data.dataset import CTAPDataset, DataConfig, FeatureSet, dev_loader, train_loader
from ctap.errors import UserError
from ctap.files.tables import read_table, write_table
from ctap.text.languages import older

TOKENS = older().tokens


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.data())
def test_cropped_durations_are_those_of_the_cropped_frames(spans, data):
    durations = np.array(spans)
    tokens = np.arange(10, 10 + len(durations))
    start = data.draw(st.integers(0, int(durations.sum()) - 1))
    size = data.draw(st.integers(1, int(durations.sum()) - start))
    kept, cut = crop_durations(tokens, durations, start, size)
    expected = np.repeat(tokens, durations)[start : start + size]
    np.testing.assert_array_equal(np.repeat(kept, cut), expected)


def test_batches_hold_what_the_dump_holds(dump):
    features = FeatureSet(dump / "train", TOKENS)
    data = CTAPDataset(features, max_frames=None, prompt_frames=40, prompt="utterance", seed=0)
    batch = data[BatchRequest((0, 3, 5), None)]
    assert batch.lengths.tolist() == features.lengths[[0, 3, 5]].tolist()
    assert (batch.durations.sum(dim=1) == batch.lengths).all()
    assert batch.prompt.shape == (3, 40, 40)
    table = read_table(dump / "train" / "aligned_phones")
    for i, utt in enumerate(batch.utts):
        assert TOKENS.decode(batch.tokens[i, : batch.phone_lengths[i]].tolist()) == table[utt].split()
        torch.testing.assert_close(
            batch.mel[i, : batch.lengths[i]], torch.from_numpy(features.mels[utt].copy())
        )
    assert batch.mel[~batch.mask].abs().sum() == 0


def test_batches_in_buffers_hold_what_they_hold_otherwise(dump):
    """With what comes next read ahead, in loader processes as well."""
    features = FeatureSet(dump / "train", TOKENS)
    config = DataConfig(batch_frames=300, max_frames=100, buffer_frames=600, num_workers=1)
    step = {"epoch_steps": 12, "max_steps": 12, "position": lambda: 0}
    loader = train_loader(features, config, prompt_frames=20, seed=3, **step)
    plain = CTAPDataset(features, max_frames=100, prompt_frames=20, prompt="utterance", seed=3)
    requests = list(loader.sampler)
    assert any(r.ahead for r in requests[1:])
    for batch, request in zip(loader, requests, strict=True):
        torch.testing.assert_close(batch.mel, plain[BatchRequest(request.indices, request.number)].mel)


def test_crops_are_random_by_step_and_repeat_by_step(dump):
    features = FeatureSet(dump / "train", TOKENS)
    data = CTAPDataset(features, max_frames=30, prompt_frames=20, prompt="speaker", seed=0)
    first, again, other = (data[BatchRequest((2, 4), step)] for step in (5, 5, 6))
    torch.testing.assert_close(first.mel, again.mel)
    torch.testing.assert_close(first.prompt, again.prompt)
    assert not torch.equal(first.prompt, other.prompt)
    assert first.lengths.max() == 30
    assert (first.durations.sum(dim=1) == first.lengths).all()


def test_every_utterance_and_every_seed_has_crops_and_prompts_of_its_own(dump, monkeypatch):
    features = FeatureSet(dump / "train", TOKENS, labeled=False)
    monkeypatch.setattr(features, "mel", lambda index: np.arange(500)[:, None])  # all of one length
    crops, prompts = set(), set()
    for seed in (0, 1):
        data = CTAPDataset(features, max_frames=30, prompt_frames=20, prompt="utterance", seed=seed)
        for index in range(6):
            example = data.example(index, 5)
            crops.add(int(example.mel[0, 0]))
            prompts.add(int(example.prompt[0, 0]))
    assert len(crops) > 10 and len(prompts) > 10


@pytest.mark.parametrize("prompt", ["utterance", "speaker"])
def test_loaders_take_prompts_from_where_they_are_asked_and_fill_batches_with_crops(dump, prompt):
    features, config = FeatureSet(dump / "train", TOKENS), DataConfig(300, None, 30, prompt)
    step = {"epoch_steps": 9, "max_steps": 9, "position": lambda: 0}
    training = train_loader(features, config, prompt_frames=20, seed=0, **step)
    for loader in (training, dev_loader(features, config, prompt_frames=20)):
        own = np.array_equal(loader.dataset.example(2, None).prompt, clip_window(features.mel(2), 20))
        assert own == (prompt == "utterance")
    assert max(len(request.indices) for request in training.sampler) == 300 / 30


def test_a_prompt_of_the_speaker_is_another_utterance_of_theirs(dump, monkeypatch):
    features = FeatureSet(dump / "train", TOKENS)
    data = CTAPDataset(features, max_frames=None, prompt_frames=20, prompt="speaker", seed=0)
    monkeypatch.setattr(features, "mel", lambda index: np.full((30, 40), index))
    for index, speaker in enumerate(features.speaker):
        others = set(np.flatnonzero(features.speaker == speaker)) - {index}
        assert {data.example(index, step).prompt[0, 0] for step in range(40)} == others
        assert data.example(index, None).prompt[0, 0] in others


def test_a_crop_has_its_frames_and_their_phones_from_one_place(dump):
    """Those of another representation, too; its text is not known."""
    known = {"units": lambda text: [len(text)], "given": dump / "train"}
    features = FeatureSet(dump / "train", TOKENS, **known)
    data = CTAPDataset(features, max_frames=30, prompt_frames=20, prompt="utterance", seed=0)
    whole = data.example(2, None)
    phones, starts = np.repeat(whole.tokens, whole.durations), set()
    for step in range(20):
        crop = data.example(2, step)
        (start,) = (k for k in range(len(phones) - 29) if np.array_equal(whole.mel[k : k + 30], crop.mel))
        np.testing.assert_array_equal(crop.given, crop.mel)
        np.testing.assert_array_equal(np.repeat(crop.tokens, crop.durations), phones[start : start + 30])
        assert len(crop.units) == 0 < len(whole.units)
        starts.add(start)
    assert len(starts) > 5


def test_a_crop_knows_how_long_the_phones_are_that_it_cuts(dump):
    features = FeatureSet(dump / "train", TOKENS)
    data = CTAPDataset(features, max_frames=30, prompt_frames=20, prompt="utterance", seed=0)
    cut = 0
    for step in range(20):
        example = data.example(2, step)
        ids, spans = features.tokens[2], features.durations[2]
        found = [
            n for n in range(len(ids))
            if np.array_equal(ids[n : n + len(example.tokens)], example.tokens)
            and np.array_equal(spans[n : n + len(example.tokens)], example.whole)
        ]  # fmt: skip
        assert found
        assert np.array_equal(example.whole[1:-1], example.durations[1:-1])
        cut += (example.whole > example.durations).sum()
    assert cut
    uncut = CTAPDataset(features, max_frames=10_000, prompt_frames=20, prompt="utterance", seed=0)
    batch = uncut[BatchRequest((2, 4), 5)]
    assert torch.equal(batch.whole, batch.durations)


def test_durations_that_do_not_sum_to_the_frames_are_refused(dump, tmp_path):
    shutil.copytree(dump / "dev", tmp_path / "dev")
    table = read_table(tmp_path / "dev" / "durations")
    utt = sorted(table)[1]
    first, rest = table[utt].split(maxsplit=1)
    write_table(tmp_path / "dev" / "durations", table | {utt: f"{int(first) + 1} {rest}"})
    with pytest.raises(UserError, match=f"{utt}.*frames"):
        FeatureSet(tmp_path / "dev", TOKENS)


def test_an_unknown_phone_is_named(dump, tmp_path):
    shutil.copytree(dump / "dev", tmp_path / "dev")
    table = read_table(tmp_path / "dev" / "aligned_phones")
    utt = sorted(table)[0]
    write_table(tmp_path / "dev" / "aligned_phones", table | {utt: table[utt].replace("sil", "qq9")})
    with pytest.raises(UserError, match="qq9"):
        FeatureSet(tmp_path / "dev", TOKENS)


def test_speech_without_text_needs_no_labels(dump, tmp_path):
    shutil.copytree(dump / "dev", tmp_path / "dev")
    for name in ("durations", "aligned_phones", "text"):
        (tmp_path / "dev" / name).unlink()
    features = FeatureSet(tmp_path / "dev", TOKENS, labeled=False)
    data = CTAPDataset(features, max_frames=50, prompt_frames=20, prompt="utterance", seed=0)
    batch = data[BatchRequest((0, 1), 3)]
    assert batch.phone_lengths.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("table", "change", "message"),
    [
        ("utt2num_frames", lambda old: "many", "'many' is not a whole number"),
        ("durations", lambda old: old + " x", "'x' is not a whole number"),
        ("utt2num_frames", lambda old: str(int(old) - 1), r"frames, \d+ in feats\.scp"),
        ("feats.scp", lambda old: None, r"feats\.scp: \S+ of utt2num_frames is missing"),
    ],
)
def test_a_dump_whose_tables_do_not_fit_is_named(dump, tmp_path, table, change, message):
    shutil.copytree(dump / "dev", tmp_path / "dev")
    rows = read_table(tmp_path / "dev" / table)
    utt = sorted(rows)[0]
    changed = {**rows, utt: change(rows[utt])}
    write_table(tmp_path / "dev" / table, {k: v for k, v in changed.items() if v is not None})
    with pytest.raises(UserError, match=message):
        features = FeatureSet(tmp_path / "dev", TOKENS, labeled=table == "durations")
        CTAPDataset(features, max_frames=50, prompt_frames=20, prompt="utterance", seed=0)[
            BatchRequest((0,), 3)
        ]


@pytest.mark.parametrize(
    "wrong", [{"max_frames": 0}, {"batch_frames": -5}, {"batch_size": 0}, {"num_workers": -1}]
)
def test_sizes_of_batches_have_bounds(wrong):
    with pytest.raises(UserError, match=f"^{next(iter(wrong))}: expected"):
        DataConfig(**wrong)
