"""Crops for a vocoder: their sizes, their variation in pitch and level, their band, one stream by seed."""

import numpy as np
import pytest
import soundfile
import torch

from ctap.audio.logmel import log_mel
from ctap.audio.settings import AudioSettings
from ctap.data.batching import BatchRequest
from ctap.data.waves import WaveDataConfig, WaveSet, coloured, held_band, train_loader
from ctap.errors import UserError
from ctap.files.tables import write_table
from ctap.kaldi.ark import MatrixWriter

SETTINGS = AudioSettings()


@pytest.fixture(scope="module")
def waves(tmp_path_factory):
    folder = tmp_path_factory.mktemp("waves")
    time = np.arange(44100 * 2) / 44100
    tone = sum(np.sin(2 * np.pi * 150 * k * time) / k for k in range(1, 20)) * 0.1
    for name, seconds in (("long", 2.0), ("short", 0.3)):
        soundfile.write(folder / f"{name}.wav", tone[: int(44100 * seconds)], 44100)
    write_table(folder / "wav.scp", {n: folder / f"{n}.wav" for n in ("long", "short")})
    return WaveSet(folder, SETTINGS, crop_frames=51)


def test_long_recordings_give_more_crops_and_short_ones_are_filled(waves):
    assert [utt for utt, _ in waves.crops] == ["long"] * 4 + ["short"]
    crop = waves.read(4, WaveDataConfig(), None)
    assert crop.wave.shape == (12000,) and crop.f0.shape == (51,)
    assert (crop.wave[7300:] == 0).all()
    assert abs(float(crop.f0[20]) - 150) < 1


def test_pitch_and_level_vary_within_their_ranges(waves):
    config = WaveDataConfig(pitch_range=4.0, level_range=12.0)
    crops = [waves.read(0, config, np.random.default_rng(i)) for i in range(30)]
    heights = np.array([float(c.f0[25]) for c in crops])
    assert heights.min() < 130 and heights.max() > 170
    assert (np.abs(12 * np.log2(heights / 150)) < 4.2).all()
    assert max(float(c.wave.abs().max()) for c in crops) <= 0.991


def test_level_and_colour_vary_as_far_as_is_asked(waves):
    """In dB, at the harmonics of the tone, beside the same crop as it was."""
    still = {"pitch_range": 0.0, "level_range": 0.0, "colour_range": 0.0}
    found = {"level_range": [], "colour_range": []}
    for seed in range(20):
        spectra = []
        for more in ({}, {"level_range": 12.0}, {"colour_range": 4.0}):
            crop = waves.read(0, WaveDataConfig(**{**still, **more}), np.random.default_rng(seed))
            spectra.append(20 * np.log10(np.abs(np.fft.rfft(crop.wave.numpy()))[75:1400:75]))
        found["level_range"].append(spectra[1] - spectra[0])
        found["colour_range"].append(spectra[2] - spectra[0])
    level, colour = map(np.array, found.values())
    assert np.ptp(level, axis=1).max() < 0.01  # all harmonics alike
    assert -12.01 < level.min() < -9 and 5 < level.max() < 12.01
    assert np.ptp(colour, axis=1).max() > 2 and 4 < np.abs(colour).max() < 12


def test_batches_are_a_function_of_the_seed(waves):
    config = WaveDataConfig(batch_size=3, num_workers=0)

    def first(seed, position=0):
        loader = train_loader(waves, config, epoch_steps=2, max_steps=4, position=lambda: position, seed=seed)
        return [b.wave for b in loader]

    assert all(torch.equal(a, b) for a, b in zip(first(1), first(1), strict=True))
    assert not torch.equal(first(1)[0], first(2)[0])
    crops = train_loader(waves, config, epoch_steps=2, max_steps=4, position=lambda: 0, seed=1).dataset
    one, again, other = (crops[BatchRequest((0,), number)].wave for number in (5, 5, 6))
    assert torch.equal(one, again) and not torch.equal(one, other)  # of one recording


def test_channels_and_scales_are_those_of_the_whole_recording(tmp_path):
    """As a corpus's are read elsewhere: channels that cancel, one that is dead, samples off scale."""
    tone = 0.3 * np.sin(2 * np.pi * 150 * np.arange(48000) / 24000)
    sounds = {
        "opposite": np.stack([tone, -tone], 1),
        "dead": np.stack([tone, 0 * tone], 1),
        "off": np.rint(tone * 2**15),
    }
    for name, sound in sounds.items():
        soundfile.write(tmp_path / f"{name}.wav", sound, 24000, subtype="FLOAT")
    write_table(tmp_path / "wav.scp", {name: tmp_path / f"{name}.wav" for name in sounds})
    found = WaveSet(tmp_path, SETTINGS, crop_frames=51)
    for index, (utt, _) in enumerate(found.crops):
        crop = found.read(index, WaveDataConfig(), None)
        assert float(crop.wave.abs().max()) == pytest.approx(0.3, abs=0.01), utt


def test_quiet_crops_of_floats_are_on_the_scale_of_their_file(tmp_path, monkeypatch):
    tone = 0.3 * np.sin(2 * np.pi * 150 * np.arange(48000) / 24000)
    tone[:24000] *= 1e-4  # at most 1 of 32768: by itself this passes for floats of full scale
    soundfile.write(tmp_path / "off.wav", np.rint(tone * 2**15), 24000, subtype="FLOAT")
    soundfile.write(tmp_path / "on.wav", tone, 24000, subtype="FLOAT")
    write_table(tmp_path / "wav.scp", {name: tmp_path / f"{name}.wav" for name in ("off", "on")})
    found = WaveSet(tmp_path, SETTINGS, crop_frames=51)
    quiet = [found.crops.index((utt, 0)) for utt in ("off", "on")]
    for index in quiet:
        assert float(found.read(index, WaveDataConfig(), None).wave.abs().max()) < 1e-4
    monkeypatch.setattr(soundfile, "read", None)  # what is on scale is not read whole again
    found.read(quiet[1], WaveDataConfig(), None)


def test_a_flac_behind_a_tag_is_read_to_its_end(tmp_path):
    noise = 0.1 * np.random.default_rng(0).standard_normal(48000)
    soundfile.write(tmp_path / "a.flac", noise, 24000)
    size = bytes(20_000 >> shift & 127 for shift in (21, 14, 7, 0))
    data = b"ID3\4\0\0" + size + bytes(20_000) + (tmp_path / "a.flac").read_bytes()
    (tmp_path / "a.flac").write_bytes(data)
    write_table(tmp_path / "wav.scp", {"a": tmp_path / "a.flac"})
    found = WaveSet(tmp_path, SETTINGS, crop_frames=51)
    last = found.read(len(found.crops) - 1, WaveDataConfig(), None).wave
    np.testing.assert_allclose(last, noise[-12002:-2], atol=1e-4)  # two more are read, to resample


def test_the_band_of_a_recording_is_found():
    noise = np.random.default_rng(0).normal(size=24000)
    spectrum = np.fft.rfft(noise)
    spectrum[8000:] = 0
    assert held_band(noise) == 1.0
    assert abs(held_band(np.fft.irfft(spectrum)) - 8000 / 12000) < 0.02


@pytest.mark.parametrize("samples", [1, 80, 197, 198])
@pytest.mark.filterwarnings("error")
def test_a_short_crop_counts_as_holding_all(samples):
    assert held_band(np.random.default_rng(0).normal(size=samples).astype(np.float32)) == 1.0


def test_no_recordings_are_an_error(tmp_path):
    (tmp_path / "wav.scp").write_text("")
    with pytest.raises(UserError, match="no recording"):
        WaveSet(tmp_path, SETTINGS, 51)


def test_colours_are_gains_over_frequency_that_keep_the_level_between():
    noise = np.random.default_rng(0).normal(size=24000)
    ratio = np.abs(np.fft.rfft(coloured(noise, np.array([6.0, 0.0, 0.0])))) / np.abs(np.fft.rfft(noise))
    assert 20 * np.log10(ratio[[1, 6000, 11999]]) == pytest.approx([6.0, 0.0, -6.0], abs=0.01)


def test_predicted_mels_go_with_their_recordings_and_their_level(waves, tmp_path):
    mels = {u: log_mel(torch.from_numpy(waves.whole(u)), SETTINGS).numpy() for u in waves.utts}
    with MatrixWriter(tmp_path / "feats.ark", tmp_path / "feats.scp", None) as writer:
        for utt, mel in mels.items():
            writer[utt] = mel
    given = WaveSet(waves.path, SETTINGS, 51, tmp_path)
    for rng in (None, np.random.default_rng(0)):
        crop = given.read(1, WaveDataConfig(), rng)
        own = log_mel(crop.wave, SETTINGS)
        loud = own > own.max() - 5
        assert (crop.mel - own)[4:-4][loud[4:-4]].abs().max() < 0.01  # but where the crop is reflected
    short = given.read(4, WaveDataConfig(), None)
    assert short.mel.shape == (51, 40) and (short.mel[32:] == np.log(np.float32(1e-5))).all()
    for seed in range(6):  # silence is silence at any level
        crop = given.read(4, WaveDataConfig(level_range=20.0), np.random.default_rng(seed))
        assert crop.mel.min() == short.mel[-1, 0] and (crop.mel[32:] == short.mel[-1, 0]).all()

    mels["long"] = mels["long"][:-1]
    with MatrixWriter(tmp_path / "feats.ark", tmp_path / "feats.scp", None) as writer:
        writer["long"] = mels["long"]
    with pytest.raises(UserError, match=r"long: expected a mel \[201, 40\], found \(200, 40\)"):
        WaveSet(waves.path, SETTINGS, 51, tmp_path)


def test_predicted_mels_and_recordings_are_cut_at_one_place(tmp_path):
    """Mels whose values are the numbers of their frames, beside noise."""
    soundfile.write(tmp_path / "a.wav", 0.1 * np.random.default_rng(0).standard_normal(48000), 24000)
    write_table(tmp_path / "wav.scp", {"a": tmp_path / "a.wav"})
    with MatrixWriter(tmp_path / "feats.ark", tmp_path / "feats.scp", None) as writer:
        writer["a"] = np.tile(np.arange(201.0)[:, None], 40)
    given, config = WaveSet(tmp_path, SETTINGS, 51, tmp_path), WaveDataConfig(level_range=0.0)
    starts = []
    for rng in (None, *map(np.random.default_rng, range(9))):
        crop = given.read(2, config, rng)
        starts.append(int(crop.mel[0, 0]))
        here = slice(240 * starts[-1], 240 * (starts[-1] + 50))
        np.testing.assert_array_equal(crop.wave, given.whole("a")[here])
    assert starts[0] == 100 and len(set(starts)) > 5
