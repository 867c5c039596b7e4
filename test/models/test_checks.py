"""Arrays, tensors, phones and voices as a notebook hands them over: taken, or refused in words."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch

import ctap
from ctap.audio.wave import AudioError, samples_of
from ctap.errors import UserError
from test.tiny_model import RATE, save_model, save_tone

PHONES, FRAMES = ["n", "i3"], [8, 15]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return ctap.load(save_model(tmp_path_factory.mktemp("model") / "model"), device="cpu")


@pytest.fixture(scope="module")
def wav(tmp_path_factory):
    return save_tone(tmp_path_factory.mktemp("wav") / "a.wav")


@pytest.fixture(scope="module")
def voice(model, wav):
    return model.prompt(wav)


@pytest.mark.parametrize("scale", [5.0, 2.0**15, 1e30, 1e39])
def test_samples_off_scale_are_refused_and_not_heard_as_noise(wav, scale):
    wave = soundfile.read(wav)[0]
    with pytest.raises(AudioError, match=r"samples that go to .*: expected full scale 1"):
        samples_of(wave / np.abs(wave).max() * scale, RATE)
    assert np.abs(samples_of(3.9 * wave / np.abs(wave).max(), RATE)).max() == pytest.approx(3.9)


def test_an_array_that_is_read_only_is_taken_without_a_warning(model, wav):
    wave = soundfile.read(wav, dtype="float32")[0]
    fixed = np.frombuffer(wave.tobytes(), np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.equal(model.embed(fixed), model.embed(wave))


def test_tensors_are_float32_under_autocast_too(model, voice):
    wave = np.sin(np.arange(RATE, dtype=np.float32) / 20)
    with torch.autocast("cpu", torch.bfloat16):
        found = model.embed(wave), model.embed_phones(PHONES, FRAMES), model.mel_of(PHONES, FRAMES, voice.g)
        mel = model.log_mel(wave)
    assert {x.dtype for x in (*found, mel)} == {torch.float32} and torch.equal(mel, model.log_mel(wave))


def test_phones_are_a_list_a_tuple_or_an_array(model, voice):
    p, mel = model.embed_phones(PHONES, FRAMES), model.predict_mel(PHONES, FRAMES, voice)
    spans = model.predict_durations(PHONES, voice)
    for phones, frames in ((tuple(PHONES), iter(FRAMES)), (np.array(PHONES), torch.tensor(FRAMES))):
        assert torch.equal(model.embed_phones(phones, frames), p)
    assert torch.equal(model.predict_mel(np.array(PHONES), np.array(FRAMES), voice), mel)
    assert model.predict_durations(np.array(PHONES), voice) == spans
    said = model.synthesize(np.array(PHONES), voice).phones
    assert said == PHONES and {type(phone) for phone in said} == {str}
    for wrong, says in (("n", "the text 'n'"), ([3, 4], "found 3"), (None, "found None")):
        for call in (
            lambda phones: model.embed_phones(phones, [5]),
            lambda phones: model.predict_mel(phones, [5], voice),
            lambda phones: model.mel_of(phones, [5], voice.g),
            lambda phones: model.predict_durations(phones, voice),
        ):
            with pytest.raises(UserError, match=rf"a list of phones, .*{says}"):
                call(wrong)


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ([-3, 5], "is -3"),
        ([4.5, 5], r"is 4\.5"),
        ([5], "1 durations"),
        ([None, 5], "None: expected"),
    ],
)
def test_frames_of_phones_are_checked_wherever_they_are_given(model, voice, frames, message):
    for use in (
        lambda: model.embed_phones(PHONES, frames),
        lambda: model.predict_mel(PHONES, frames, voice),
        lambda: model.mel_of(PHONES, frames, voice.g),
    ):
        with pytest.raises(UserError, match=message):
            use()


def test_mel_of_is_predict_mel_of_g_and_has_no_gradient(model, voice):
    mel = model.mel_of(PHONES, FRAMES, voice.g.double())
    assert torch.equal(mel, model.predict_mel(PHONES, FRAMES, voice)) and not mel.requires_grad
    other = replace(voice, g=voice.g[:4])
    for g in (voice, voice.g.numpy(), voice.g[None], other.g):
        with pytest.raises(UserError, match=r"expected a prompt embedding of this model, a tensor \[6\]"):
            model.mel_of(PHONES, FRAMES, g)
    with pytest.raises(UserError, match="NaN or infinite values in place of a prompt embedding"):
        model.mel_of(PHONES, FRAMES, voice.g * float("nan"))
    with pytest.raises(UserError, match=r"Tensor \[4\]: expected a prompt embedding of this model"):
        model.synthesize("你好", other)


def test_what_is_no_log_mel_or_no_f0_is_not_spoken(model, voice):
    mel = model.predict_mel(PHONES, FRAMES, voice)
    hertz = torch.full((len(mel),), 200.0)
    assert np.array_equal(model.speak(mel.double(), hertz.long()).wave, model.speak(mel, hertz).wave)
    for wrong in (mel.numpy(), mel[None], mel.T, mel[:0], None):
        with pytest.raises(UserError, match=r"expected a log-mel, a tensor \[T, 40\] with T >= 1"):
            model.speak(wrong)
    with pytest.raises(UserError, match="NaN or infinite values in place of a log-mel"):
        model.speak(mel / 0)
    for wrong in (hertz.numpy(), hertz[:3], hertz[:, None], hertz.tolist()):
        with pytest.raises(UserError, match=r"expected F0 of every frame, a tensor \[23\]$"):
            model.speak(mel, wrong)
    for wrong, says in ((-hertz, "negative values"), (hertz / 0, "NaN or infinite")):
        with pytest.raises(UserError, match=says):
            model.speak(mel, wrong)


def test_embeddings_of_any_precision_are_recognised_and_broken_ones_refused(model, wav):
    s = model.embed(wav)
    assert model.recognize_embedding(s.double()) == model.recognize_embedding(s)
    assert len(model.recognize_embedding(s.half()).frame_phones) == len(s)
    with pytest.raises(UserError, match="NaN or infinite values in place of speech embeddings"):
        model.recognize_embedding(s * float("nan"))
