"""Vocoders by name; the neural one: whole and streamed, repeatable, on recordings better than Griffin-Lim."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch

from ctap.audio.f0 import extract_f0
from ctap.audio.logmel import log_mel
from ctap.audio.settings import AudioSettings
from ctap.audio.wave import load_wave
from ctap.errors import UserError
from ctap.files.sums import SUMS
from ctap.metrics.pitch import log_f0
from ctap.models.vocoder import CHUNK, PRETRAINED, NeuralVocoder, VocoderParts, load_vocoder
from ctap.nn.vocoder import VocoderUse

SETTINGS = AudioSettings()
#: A sentence of eSpeak NG, which the small recipe speaks (docs/sounds).
SPEECH = Path(__file__).parents[2] / "docs" / "sounds" / "vc_source.ogg"


@pytest.fixture(scope="module")
def wave() -> np.ndarray:
    return load_wave(SPEECH, SETTINGS.sample_rate)


@pytest.fixture(scope="module")
def mel(wave) -> torch.Tensor:
    return log_mel(torch.from_numpy(wave), SETTINGS)


@pytest.fixture(scope="module")
def vocoder() -> NeuralVocoder:
    return load_vocoder("pretrained", SETTINGS)


def test_the_pretrained_one_says_what_was_recorded_and_better_than_griffin_lim(wave, mel, vocoder):
    reference = extract_f0(wave, SETTINGS)
    error, voicing = {}, {}
    for name, run in (("pretrained", vocoder), ("griffin_lim", load_vocoder("griffin_lim", SETTINGS))):
        f0 = extract_f0(run(mel), SETTINGS)[: len(reference)]
        error[name] = log_f0(reference[: len(f0)], f0).rmse
        voicing[name] = np.mean((reference[: len(f0)] > 0) != (f0 > 0))
    assert error["pretrained"] < error["griffin_lim"]
    assert voicing["pretrained"] < voicing["griffin_lim"]
    again = log_mel(torch.from_numpy(vocoder(mel)), SETTINGS)[: len(mel)]
    loud = mel[: len(again)] > mel.max() - 7
    assert (again - mel[: len(again)])[loud].abs().mean() < 0.25  # 2.2 dB


@pytest.mark.parametrize("chunk", [1, 37, 1000])
def test_streaming_gives_the_same_samples(mel, vocoder, chunk):
    mel = mel[:200]
    pieces = list(vocoder.stream(mel.split(chunk)))
    whole = vocoder(mel)
    assert np.abs(np.concatenate(pieces) - whole).max() < 1e-3
    if chunk == 1:
        assert len(pieces) > 200 - vocoder.reach - 2  # one for each frame, once the look-ahead is there


@pytest.mark.parametrize("ratio", [0.6, 0.8, 1.25, 1.5])
def test_an_f0_from_outside_is_followed(mel, vocoder, ratio):
    """However far it is from the mel's own, whose harmonics stand elsewhere."""
    read = vocoder.f0(mel)
    moved = extract_f0(vocoder(mel, read * ratio), SETTINGS)
    error = log_f0(read.numpy()[: len(moved)], moved / ratio)
    assert error.rmse < 0.05
    assert error.pairs > 0.9 * int((read > 0).sum())


def test_the_f0_of_the_mel_itself_changes_nothing(mel, vocoder):
    once = NeuralVocoder(copy.deepcopy(vocoder.net))
    once.net.config.use.voiced_above = 0.0
    once.updates = once.guided_updates
    assert once.updates < vocoder.updates
    assert np.abs(once(mel, once.f0(mel)) - once(mel)).max() < 1e-3


def test_frames_that_may_be_voiced_are_said_with_pulses(mel, vocoder):
    """But what is read as F0, and said under an F0 from outside, is likelier voiced than not."""
    strict = NeuralVocoder(copy.deepcopy(vocoder.net))
    strict.net.config.use.voiced_above = 0.0
    read = vocoder.f0(mel)
    assert torch.equal(read, strict.f0(mel))
    assert np.array_equal(vocoder(mel, read), strict(mel, read))
    wide = vocoder.said_f0(mel)
    assert torch.equal(wide[read > 0], read[read > 0]) and (wide > 0).sum() > (read > 0).sum()
    assert torch.equal(strict.said_f0(mel), read)
    assert not np.array_equal(vocoder(mel), strict(mel))


def test_an_f0_from_outside_is_streamed_too(mel, vocoder):
    read = vocoder.f0(mel)
    pieces = list(vocoder.stream(mel.split(37), read * 1.25))
    assert np.abs(np.concatenate(pieces) - vocoder(mel, read * 1.25)).max() < 1e-3
    assert len(vocoder(mel[:1], read[:1])) == SETTINGS.hop_length - 1
    with pytest.raises(ValueError, match=r"expected F0 \[200\] for a mel of as many frames, found \(199,\)"):
        vocoder(mel[:200], read[:199])


def test_f0_of_a_long_mel_is_that_of_the_whole(mel, vocoder):
    long = mel.repeat(4, 1)
    whole = vocoder.net.f0(long[None])[0]
    assert len(long) > 2 * CHUNK
    assert torch.allclose(vocoder.f0(long), whole, rtol=1e-4)


def test_the_page_says_how_far_the_pretrained_vocoder_looks_ahead(vocoder):
    ahead = vocoder.reach
    page = (Path(__file__).parents[2] / "docs" / "vocoder.md").read_text(encoding="utf-8")
    assert f"once {ahead} frames ({ahead / 100:.2f} s) of mel after it are known" in page


def test_a_sample_does_not_depend_on_what_is_beyond_the_look_ahead(mel, vocoder):
    frames = 150 - vocoder.reach
    changed = mel.clone()
    changed[150:] = -4.0
    samples = (frames - 1) * SETTINGS.hop_length
    assert np.abs(vocoder(mel)[:samples] - vocoder(changed)[:samples]).max() < 1e-3


@pytest.mark.parametrize("frames", [1, 2, 3, 40])
def test_samples_are_as_many_as_the_frames_ask_for(mel, vocoder, frames):
    said = vocoder(mel[:frames])
    assert len(said) == max(SETTINGS.hop_length - 1, (frames - 1) * SETTINGS.hop_length)
    assert said.dtype == np.float32
    assert np.isfinite(said).all()


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -1.0])
def test_an_f0_that_is_no_number_somewhere_is_refused(mel, vocoder, wrong):
    """NaN is what some readers of F0 say of unvoiced frames; all that is said would be NaN."""
    f0 = torch.full((60,), 150.0)
    f0[20:30] = wrong
    with pytest.raises(ValueError, match="expected Hz, 0 where unvoiced"):
        vocoder(mel[:60], f0)
    with pytest.raises(ValueError, match="expected Hz, 0 where unvoiced"):
        list(vocoder.stream([mel[:60]], f0))


def test_a_stream_needs_f0_of_all_its_frames(mel, vocoder):
    for frames, message in (
        (50, "found 50 for"),
        (70, "expected F0 of 60 frames, as many as came, found 70"),
    ):
        with pytest.raises(ValueError, match=message):
            list(vocoder.stream(mel[:60].split(20), torch.full((frames,), 150.0)))


def test_one_mel_gives_the_same_samples(mel, vocoder):
    mel = mel[:60]
    assert np.array_equal(vocoder(mel), vocoder(mel))


def test_the_noise_has_the_level_that_is_asked_for(mel, vocoder):
    said = []
    for noise_db in (-20.0, 0.0):
        net = copy.deepcopy(vocoder.net)
        net.config.use = VocoderUse(guided_updates=0, noise_db=noise_db)
        said.append(NeuralVocoder(net)(mel[:60], torch.zeros(60)))
    np.testing.assert_allclose(said[0], 0.1 * said[1], atol=1e-6)


def test_the_networks_compute_in_float32_under_autocast_too(mel, vocoder):
    with torch.autocast("cpu", torch.bfloat16):
        said = vocoder(mel[:60])
    np.testing.assert_allclose(said, vocoder(mel[:60]), atol=0.005)  # F0 in bfloat16 would be 0.09 away


def test_silence_and_outliers_are_bounded(vocoder):
    assert np.abs(vocoder(torch.full((50, 40), float(np.log(1e-5))))).max() < 1e-3
    assert np.abs(vocoder(torch.full((50, 40), 60.0))).max() <= 1.0


@pytest.mark.parametrize(
    "mel", [torch.zeros(40), torch.zeros(5, 80), torch.zeros(0, 40), torch.full((5, 40), np.nan)]
)
def test_wrong_mels_are_refused(mel, vocoder):
    with pytest.raises(ValueError, match="mel"):
        vocoder(mel)


def test_other_settings_and_unknown_names_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"vocoder pretrained: .*n_mels is 40, expected 80"):
        load_vocoder("pretrained", AudioSettings(n_mels=80))
    with pytest.raises(UserError, match="known: pretrained, griffin_lim"):
        load_vocoder("wavenet", SETTINGS)
    with pytest.raises(UserError, match=r"model\.yaml is missing"):
        load_vocoder(tmp_path, SETTINGS)


def test_a_directory_is_written_and_read(tmp_path, mel):
    VocoderParts.load(PRETRAINED).save(tmp_path / "model")
    there, here = load_vocoder(tmp_path / "model", SETTINGS), load_vocoder("pretrained", SETTINGS)
    assert np.array_equal(there(mel[:40]), here(mel[:40]))
    (tmp_path / "model" / "vocoder.safetensors").write_bytes(b"no weights")
    with pytest.raises(UserError, match=r"vocoder\.safetensors: is damaged"):
        load_vocoder(tmp_path / "model", SETTINGS)
    (tmp_path / "model" / SUMS).unlink()
    with pytest.raises(UserError, match="can't read the weights"):
        load_vocoder(tmp_path / "model", SETTINGS)
