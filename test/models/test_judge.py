"""The judge: its loss, its model directory, and what may not be done with either."""

import numpy as np
import pytest
import torch

import ctap
from ctap.audio.settings import AudioSettings
from ctap.config import from_dict
from ctap.data.dataset import BatchRequest, CTAPDataset, FeatureSet
from ctap.errors import UserError
from ctap.models.judge import JudgeModel, JudgeParts, load_recognizer
from ctap.nn.judge import Judge
from ctap.nn.transformer import StackConfig
from ctap.tasks.build import TRAININGS, Sources
from ctap.text.languages import older
from test import tiny

CONFIG, BUILD = TRAININGS["judge"]
STACK = StackConfig(**{**tiny.STACK, "dropout": 0.0})


@pytest.fixture
def parts():
    torch.manual_seed(0)
    tokens = older().tokens
    judge = Judge(len(tokens), 40, STACK, [-3.0] * 40, [1.5] * 40)
    return JudgeParts(tokens, AudioSettings(n_mels=40), judge.eval(), longest=120)


def test_loss_and_accuracy_are_those_of_the_frames_phones(dump):
    config = from_dict(CONFIG, {"model": {**tiny.STACK, "dropout": 0.0}}, "test")
    task = BUILD(config, Sources(dump / "train")).task
    features = FeatureSet(dump / "train", older().tokens)
    data = CTAPDataset(features, max_frames=None, prompt_frames=1, prompt="utterance", seed=0)
    batch = data[BatchRequest((0, 1, 2), None)]
    found = task.losses(batch)
    losses, right = [], []
    for i, utt in enumerate(batch.utts):
        spans = (dump / "train" / "durations").read_text().split(f"{utt} ")[1].split("\n")[0].split()
        phones = batch.tokens[i][: len(spans)].repeat_interleave(torch.tensor([*map(int, spans)]))
        mel = torch.from_numpy(np.array(features.mels[utt]))
        scores = task.judge(mel[None])[0].log_softmax(-1)
        losses.append(-scores[torch.arange(len(phones)), phones])
        right.append(scores.argmax(-1) == phones)
    torch.testing.assert_close(found["loss"], torch.cat(losses).mean(), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found["frame_accuracy"], torch.cat(right).float().mean())


def test_voices_are_moved_in_training_alone(dump):
    values = {"model": {**tiny.STACK, "dropout": 0.0}, "voice": {"warp": 0.3, "tilt": 2.0}}
    task = BUILD(from_dict(CONFIG, values, "test"), Sources(dump / "train")).task
    features = FeatureSet(dump / "train", older().tokens)
    data = CTAPDataset(features, max_frames=None, prompt_frames=1, prompt="utterance", seed=0)
    batch = data[BatchRequest((0, 1, 2), None)]
    for mode, same in ((True, False), (False, True)):
        task.train(mode)
        assert torch.equal(*(task.losses(batch)["loss"] for _ in range(2))) == same


def test_a_model_directory_gives_back_the_judge(parts, tmp_path):
    parts.save(tmp_path / "model")
    again = JudgeParts.load(tmp_path / "model")
    mel = torch.randn(2, 30, 40) - 3
    torch.testing.assert_close(again.judge(mel), parts.judge(mel))
    plain = Judge(len(parts.tokens), 40, STACK).eval()
    plain.load_state_dict({**parts.judge.state_dict(), "mean": plain.mean, "std": plain.std})
    torch.testing.assert_close(again.judge(mel), plain((mel + 3.0) / 1.5))
    assert (again.audio, len(again.tokens), again.longest) == (parts.audio, len(parts.tokens), 120)


def test_it_hears_files_and_arrays_of_any_length_alike(parts, tmp_path):
    from ctap.audio.wave import save_wave

    rate = parts.audio.sample_rate
    wave = (0.1 * np.random.default_rng(0).normal(size=4 * rate)).astype(np.float32)
    save_wave(tmp_path / "a.wav", wave, rate)
    model, seen = JudgeModel(parts), []
    parts.judge.register_forward_pre_hook(lambda _, given: seen.append(given[0].shape[1]))
    from_file, from_array = model.recognize(tmp_path / "a.wav"), model.recognize(wave)
    assert len(from_array.frame_phones) == 1 + 4 * rate // parts.audio.hop_length
    assert set(seen) == {120}  # frames of a window
    same = np.mean([a == b for a, b in zip(from_file.frame_phones, from_array.frame_phones, strict=True)])
    assert same > 0.95  # 16 bits
    assert from_file.text is None


def test_what_is_no_judges_business_is_refused(parts, tmp_path, dump):
    parts.save(tmp_path / "judge")
    assert isinstance(load_recognizer(tmp_path / "judge", "cpu"), JudgeModel)
    with pytest.raises(UserError, match=r"judge: no part 'ctap' but judge"):
        ctap.load(tmp_path / "judge", device="cpu")
    config = from_dict(CONFIG, {"model": tiny.STACK}, "test")
    with pytest.raises(UserError, match=r"--init .*: this training does not read it; leave it out"):
        BUILD(config, Sources(dump / "train", init=tmp_path / "judge"))
    with pytest.raises(UserError, match=r"nothing: no model directory"):
        load_recognizer(tmp_path / "nothing", "cpu")
