"""What is asked of a recording before the work: one answer, whoever asks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ctap.audio.headers import check_recordings
from ctap.audio.opening import RecordingError, opened
from ctap.audio.wave import AudioError, check_wave, load_wave
from ctap.files.skips import SkipList
from ctap.kaldi.validate import check_audio

RATE = 24000
SUFFIXES = ("flac", "ogg", "mp3", "wav")


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, int], Path]:
    """A file of so many samples of noise."""

    def of(suffix: str, samples: int) -> Path:
        path = tmp_path / f"a.{suffix}"
        soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal(samples), RATE)
        return path

    return of


def answers(path: Path) -> list[str]:
    """What stage 0, commands for single files and the check of data directories say, but for its name."""
    skipped = SkipList()
    list(check_recordings([("u", str(path))], skipped, SkipList(), min_seconds=0))
    said = [f"{reason.removeprefix('recording ')}: {detail}" for _, reason, detail in skipped] or [""]
    try:
        check_wave(path)
        said.append("")
    except AudioError as error:
        said.append(str(error))
    said.append(check_audio(str(path))[0])
    return [words.replace(f"{path}: ", "").removesuffix(f": {path}") for words in said]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("samples", [2, 12, 240, 4800, 72000])
def test_whole_files_are_whole_to_all(write: Callable[[str, int], Path], suffix: str, samples: int) -> None:
    path = write(suffix, samples)
    assert answers(path) == ["", "", ""]
    assert len(load_wave(path, RATE)) == samples


@pytest.mark.parametrize("name", ["a.raw", "a.RAW"])
def test_a_name_of_samples_without_a_header_is_refused(
    write: Callable[[str, int], Path], tmp_path: Path, name: str
) -> None:
    path = write("wav", 4800).rename(tmp_path / name)
    said = answers(path)
    assert "unreadable: a name in .raw is that of samples without a header" in said[0]
    assert all("rename the file if it has one" in words for words in said)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("share", [0.6, 0.9, 0.99])
@pytest.mark.parametrize("samples", [4800, 12000, 72000])  # of some, not one page of ogg is left
def test_cut_files_are_truncated_to_all(
    write: Callable[[str, int], Path], suffix: str, share: float, samples: int
) -> None:
    path = write(suffix, samples)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    first, *others = answers(path)
    assert first.startswith("truncated: ") and others == [first, first]
    with pytest.raises(AudioError, match="truncated"):
        load_wave(path, RATE)


def test_a_flac_file_that_does_not_say_how_long_it_is_is_refused(write: Callable[[str, int], Path]) -> None:
    path = write("flac", 24000)
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0  # 36 bits of STREAMINFO: how many samples there are
    content[22:26] = bytes(4)
    path.write_bytes(content)
    _, *others = answers(path)  # to stage 0 it is longer than any limit
    assert others == ["truncated: it does not say how long it is: written to a pipe?"] * 2


def test_what_is_no_recording_is_told_from_what_is_cut(
    write: Callable[[str, int], Path], tmp_path: Path
) -> None:
    (tmp_path / "text").write_text("this is no sound" * 10)
    (tmp_path / "zero").write_bytes(b"")
    write("wav", 0).rename(tmp_path / "none")
    write("flac", 0).rename(tmp_path / "none_flac")
    soundfile.write(tmp_path / "stream", np.zeros(2400), 8000, format="WAV", subtype="NMS_ADPCM_32")
    kinds = {}
    for name in ("nowhere", "zero", "none", "none_flac", "text", "stream"):
        with pytest.raises(RecordingError) as caught, opened(tmp_path / name):
            pass
        kinds[name] = caught.value.kind
        assert str(tmp_path) not in caught.value.detail
    assert kinds == {
        "nowhere": "missing",
        "zero": "empty",
        "none": "empty",
        "none_flac": "empty",
        "text": "unreadable",
        "stream": "unreadable",
    }
    with pytest.raises(RecordingError, match="missing: not a file"), opened(tmp_path):
        pass
