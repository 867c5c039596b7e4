import hashlib

import numpy as np
import pytest
import soundfile

from ctap.audio import headers
from ctap.files.skips import SkipList


def check_recordings(paths, *lists, **options):
    """Usable recordings by name."""
    found = headers.check_recordings(paths.items(), *lists, **options)
    return {utt: own for utt, own in zip(paths, found, strict=True) if own is not None}


@pytest.fixture
def tone():
    return (0.1 * np.sin(np.arange(44100) / 20)).astype(np.float32)


def test_each_recording_is_used_or_named(tmp_path, tone):
    def write(name, samples, rate=44100):
        soundfile.write(tmp_path / f"{name}.wav", samples, rate, subtype="PCM_16")

    write("good", tone)
    write("stereo8k", np.stack([tone[:8000], tone[:8000]], axis=1), 8000)
    write("short", tone[:1000])
    write("long", np.tile(tone[:8000], 21), 8000)
    write("none", tone[:0])
    write("cut", tone)
    whole = (tmp_path / "cut.wav").read_bytes()
    (tmp_path / "cut.wav").write_bytes(whole[:50000])
    streamed = whole[:40] + b"\xff\xff\xff\xff" + whole[44:]  # as ffmpeg writes to a pipe
    (tmp_path / "streamed.wav").write_bytes(streamed)
    (tmp_path / "zero.wav").write_bytes(b"")
    (tmp_path / "noise.wav").write_bytes(b"not a wav file at all")
    names = ["good", "stereo8k", "short", "long", "none", "cut", "streamed", "zero", "noise", "missing"]
    skipped, notices = SkipList(), SkipList()
    usable = check_recordings(
        {**{name: str(tmp_path / f"{name}.wav") for name in names}, "pipe": "sox a.wav -t wav - |"},
        skipped,
        notices,
        max_seconds=20,
    )
    assert {utt: own.seconds for utt, own in usable.items()} == {
        "good": 1.0,
        "stereo8k": 1.0,
        "streamed": 1.0,
    }
    for utt, own in usable.items():
        assert own.digest == hashlib.sha256((tmp_path / f"{utt}.wav").read_bytes()).hexdigest()[:16]
    assert {utt: why for utt, why, _ in skipped} == {
        "short": "recording too short",
        "long": "recording too long",
        "none": "recording empty",
        "cut": "recording truncated",
        "zero": "recording empty",
        "noise": "recording unreadable",
        "missing": "recording missing",
        "pipe": "wav.scp entry is a command",
    }
    assert sorted((utt, why) for utt, why, _ in notices) == [
        ("stereo8k", "sample rate below 16000 Hz"),
        ("stereo8k", "several channels, averaged"),
    ]


def test_what_is_odd_about_samples_is_remarked_and_silence_is_left_out(tmp_path, tone):
    zero = np.zeros_like(tone)
    waves = {
        "good": tone,
        "zeros": zero,
        "offset_alone": zero + 0.2,
        "shorts": tone * 32768,
        "opposite": np.stack([tone, -tone], axis=1),
        "dead": np.stack([tone, zero], axis=1),
        "clipped": np.clip(tone * 50, -1, 1),
        "offset": tone + 0.05,
        "nan": np.append(tone, np.nan),
        "wild": tone * 1e20,
    }
    for name, samples in waves.items():
        soundfile.write(tmp_path / f"{name}.wav", samples, 44100, subtype="FLOAT")
    soundfile.write(tmp_path / "cut.flac", tone, 44100)
    (tmp_path / "cut.flac").write_bytes((tmp_path / "cut.flac").read_bytes()[:-5000])
    paths = {name: str(tmp_path / f"{name}.wav") for name in waves} | {"cut": str(tmp_path / "cut.flac")}
    skipped, notices = SkipList(), SkipList()
    usable = check_recordings(paths, skipped, notices)
    assert set(usable) == {"good", "shorts", "opposite", "dead", "clipped", "offset"}
    assert {utt: why for utt, why, _ in skipped} == {
        "zeros": "recording silent",
        "offset_alone": "recording silent",
        "nan": "recording unreadable",
        "wild": "recording unreadable",
        "cut": "recording truncated",
    }
    assert {utt: (why, detail.split(": ")[0]) for utt, why, detail in notices} == {
        "shorts": ("samples off scale, brought to -1..1", "peak 3276.8, divided by 32768"),
        "opposite": ("channels cancel each other, the loudest taken", "channel 1 of 2"),
        "dead": ("dead channel, left out", "channel 2 of 2"),
        "clipped": ("clipped", "87.2% of samples at full scale"),
        "offset": ("DC offset", "mean +0.050 of full scale"),
    }


def test_compressed_recordings_of_which_a_part_is_missing_or_not_read_are_left_out(tmp_path):
    noise = 0.2 * np.random.default_rng(0).standard_normal(24000 * 6)
    noise[: 24000 * 3] *= 1e-3
    for name, options in {
        "mp3": {"format": "MP3"},
        "vbr": {"format": "MP3", "bitrate_mode": "VARIABLE"},
        "vorbis": {"format": "OGG"},
        "opus": {"format": "OGG", "subtype": "OPUS"},
        "flac": {"format": "FLAC"},
    }.items():
        soundfile.write(tmp_path / name, noise, 24000, **options)
    whole = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    vbr = whole["vbr"]
    made = {f"{name}_cut": data[: len(data) * 6 // 10] for name, data in whole.items()}
    made |= {f"{name}_twice": data * 2 for name, data in whole.items()}
    made["vbr_without_length"] = vbr[vbr.index(vbr[:2], 4) :]
    for name, data in made.items():
        (tmp_path / name).write_bytes(data)
    skipped = SkipList()
    usable = check_recordings(
        {name: str(tmp_path / name) for name in [*whole, *made]}, skipped, SkipList(), num_threads=1
    )
    assert {utt: own.seconds for utt, own in usable.items()} == dict.fromkeys(whole, 6.0)
    assert {utt: why for utt, why, _ in skipped} == dict.fromkeys(made, "recording truncated")
