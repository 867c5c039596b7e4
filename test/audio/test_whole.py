"""Recordings of which a part is missing, or is not read: whole ones cut, joined, or robbed of a frame."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ctap.audio.mpeg import count_frames
from ctap.audio.whole import lost_end, missing

RATE, SECONDS = 24000, 6
WAVE = 0.2 * np.random.default_rng(0).standard_normal(SECONDS * RATE)
WAVE[: SECONDS * RATE // 2] *= 1e-3  # so that bit rates vary

FORMS = {
    "mp3": {"format": "MP3", "bitrate_mode": "CONSTANT", "compression_level": 0.5},
    "vbr": {"format": "MP3", "bitrate_mode": "VARIABLE"},
    "vorbis": {"format": "OGG", "subtype": "VORBIS"},
    "opus": {"format": "OGG", "subtype": "OPUS"},
    "flac": {"format": "FLAC"},
    "wav": {"format": "WAV"},
    "float": {"format": "WAV", "subtype": "FLOAT"},
    "aiff": {"format": "AIFF"},
    "au": {"format": "AU"},
    "w64": {"format": "W64"},
    "rf64": {"format": "RF64"},
    "nist": {"format": "NIST"},
    "voc": {"format": "VOC"},
}


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole")
    for name, options in FORMS.items():
        soundfile.write(folder / name, WAVE, RATE, **options)
    return {name: (folder / name).read_bytes() for name in FORMS}


@pytest.fixture
def look(tmp_path: Path) -> Callable[[bytes], str]:
    def of(data: bytes) -> str:
        (tmp_path / "a").write_bytes(data)
        with soundfile.SoundFile(tmp_path / "a") as file:
            return missing(tmp_path / "a", file)

    return of


def first_frame(mp3: bytes) -> int:
    """Bytes of the frame that says how long an mp3 is."""
    return mp3.index(mp3[:2], 4)


@pytest.mark.parametrize("name", FORMS)
def test_whole_files_are_whole(content: dict[str, bytes], look: Callable[[bytes], str], name: str) -> None:
    assert look(content[name]) == ""


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mp3", "3.6. s of sound, where 6.00 s stand in front"),
        ("vorbis", "it ends within a page, [34].* s are left"),
        ("opus", "it ends within a page, [23].* s are left"),
        ("wav", "1727.. of 288000 bytes"),
        ("float", "3455.. of 576000 bytes"),
        ("aiff", "1727.. of 288008 bytes"),
        ("au", "1727.. of 288000 bytes"),
        ("w64", "172... of 288104 bytes"),
        ("rf64", "fewer samples than the header says"),
        ("nist", "8.... of 144000 samples are there"),
        ("voc", "fewer samples than the header says"),
    ],
)
def test_what_is_cut_is_named(
    content: dict[str, bytes], look: Callable[[bytes], str], name: str, said: str
) -> None:
    data = content[name]
    assert re.search(said, look(data[: len(data) * 6 // 10])), look(data[: len(data) * 6 // 10])


def test_an_ogg_file_cut_between_two_pages_or_without_one(
    content: dict[str, bytes], look: Callable[[bytes], str]
) -> None:
    data = content["vorbis"]
    pages = [i for i in range(len(data)) if data[i : i + 5] == b"OggS\0"]
    assert len(pages) > 5
    assert "the last page has no end-of-stream flag" in look(data[: pages[-2]])
    assert look(data[: pages[4]] + data[pages[5] :]).startswith("page 4 is not there")
    assert look(data + b"junk behind the end") == ""


@pytest.mark.parametrize("name", ["mp3", "vbr", "vorbis", "opus", "flac"])
def test_files_in_one_are_named(content: dict[str, bytes], look: Callable[[bytes], str], name: str) -> None:
    said = look(content[name] * 2)
    if name in ("mp3", "vbr"):
        assert said.startswith("12.1") and "of which only 6.00 s can be read" in said
    else:
        assert said == "several files in one: only the first, of 6.00 s, can be read"


@pytest.mark.parametrize("size", [100, 100_000])
def test_a_tag_before_a_flac_changes_nothing(
    content: dict[str, bytes], look: Callable[[bytes], str], tmp_path: Path, size: int
) -> None:
    tag = b"ID3\4\0\0" + bytes(size >> shift & 127 for shift in (21, 14, 7, 0)) + bytes(size)
    data = content["flac"]
    assert look(tag + data) == ""
    assert look(tag + data * 2) == "several files in one: only the first, of 6.00 s, can be read"
    cut = data[: len(data) * 6 // 10]
    assert look(tag + cut) == look(cut) != ""
    (tmp_path / "a").write_bytes(tag + cut[:60])
    assert lost_end(tmp_path / "a")


def test_an_mp3_of_variable_bit_rate_without_the_frame_that_says_how_long_it_is(
    content: dict[str, bytes], look: Callable[[bytes], str], tmp_path: Path
) -> None:
    data = content["vbr"]
    said = look(data[first_frame(data) :])
    assert said.startswith("6.0") and "no true length stands in front" in said
    assert soundfile.info(tmp_path / "a").duration < 5
    constant = content["mp3"]
    assert look(constant[first_frame(constant) :]) == ""  # its length follows from its size
    assert look(constant[first_frame(constant) : -50]) == "it ends within a frame"


def test_tags_and_junk_are_no_frames(content: dict[str, bytes]) -> None:
    data = content["mp3"]
    counted = count_frames(data)
    assert counted is not None
    assert counted.sample_rate == RATE
    assert counted.samples // counted.frame_samples == counted.samples / counted.frame_samples
    assert 0 <= counted.samples - len(WAVE) < 4 * counted.frame_samples
    tag = b"ID3\4\0\0\0\0\1\x48" + b"\xff\xfb" * 100  # 200 bytes that look like frames
    for more in (tag + data, data + b"TAG" + bytes(125), data + bytes(5000), b"\xff\xfb\0\xff" + data):
        assert count_frames(more) == counted
    assert count_frames(b"") is None
    assert count_frames(b"\xff" * 1000) is None


@pytest.mark.parametrize(
    ("name", "kept", "said"),
    [
        ("flac", -100, "its last samples are not there"),
        ("opus", 2000, "it ends within a page"),
        ("vorbis", 2000, "it ends within a page"),
    ],
)
def test_the_end_of_what_can_not_be_read_is_looked_for(
    content: dict[str, bytes], tmp_path: Path, name: str, kept: int, said: str
) -> None:
    (tmp_path / "a").write_bytes(content[name][:kept])
    with pytest.raises(soundfile.LibsndfileError):
        soundfile.read(tmp_path / "a")
    assert lost_end(tmp_path / "a") == said
    (tmp_path / "a").write_bytes(content[name][:60] + bytes(100) + content[name][160:])
    assert lost_end(tmp_path / "a") != "it ends within a page"
    (tmp_path / "a").write_bytes(b"no sound at all")
    assert lost_end(tmp_path / "a") == ""
