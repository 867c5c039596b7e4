"""Which utterances the page of results plays, and the pictures beside them."""

import json

import numpy as np
import pytest
import soundfile

from ctap.audio.settings import AudioSettings
from ctap.bin import list_samples as module
from ctap.bin.list_samples import list_samples
from ctap.errors import UserError
from ctap.files.tables import write_table


@pytest.fixture
def lists(tmp_path):
    """Recordings u0 to u9, and u2 to u9 as they were synthesised, at 16 kHz."""
    rng = np.random.default_rng(0)
    for role, first in (("recording", 0), ("tts", 2)):
        rows = {}
        for i in range(first, 10):
            path = tmp_path / role / f"u{i}.wav"
            path.parent.mkdir(exist_ok=True)
            soundfile.write(path, 0.1 * rng.normal(size=4000), 16000)
            rows[f"u{i}"] = str(path)
        write_table(tmp_path / f"{role}.scp", rows)
    write_table(tmp_path / "text", {f"u{i}": f"第{i}句" for i in range(10)})
    return [f"{role}={tmp_path / role}.scp" for role in ("recording", "tts")]


def test_samples_are_those_of_all_lists_with_their_pictures(tmp_path, lists, monkeypatch):
    audio = AudioSettings(sample_rate=16000, n_fft=640, win_length=640, hop_length=160, n_mels=20)
    audio.save(tmp_path / "audio.json")
    drawn = []
    plot = module.plot_mels
    monkeypatch.setattr(module, "plot_mels", lambda mels, **how: drawn.append(mels) or plot(mels, **how))

    out = tmp_path / "exp" / "samples.json"
    out.parent.mkdir()
    list_samples(out, lists, "SSB0001", text=tmp_path / "text", settings=tmp_path / "audio.json", count=3)

    samples = json.loads(out.read_text())
    assert [(s["utt"], s["role"]) for s in samples] == [
        (utt, role) for utt in ("u2", "u4", "u7") for role in ("recording", "tts")
    ]
    assert {s["text"] for s in samples} == {"第2句", "第4句", "第7句"}
    assert {s["language"] for s in samples} == {"zh"}
    for sample in samples:
        assert (out.parent / sample["wav"]).resolve().is_file()  # paths are relative to the page
        assert (out.parent / sample["mel_png"]).stat().st_size > 1000
    assert all(mel.shape == (26, 20) for mels in drawn for mel in mels.values())  # the corpus's settings


@pytest.mark.parametrize("known", [True, False])
def test_a_source_is_not_said_to_be_the_target(tmp_path, lists, known):
    folder = tmp_path / "sources"
    folder.mkdir()
    (tmp_path / "recording.scp").rename(folder / "wav.scp")
    if known:
        write_table(folder / "utt2spk", {f"u{i}": "SSB0009" for i in range(10)})
    waves = [f"source={folder / 'wav.scp'}", f"vc={tmp_path / 'tts.scp'}"]
    list_samples(tmp_path / "samples.json", waves, "SSB0001", count=1)
    samples = json.loads((tmp_path / "samples.json").read_text())
    assert [(s["role"], s["speaker"]) for s in samples] == [
        ("source", "SSB0009" if known else ""),
        ("vc", "SSB0001"),
    ]


def test_lists_without_a_common_utterance_are_an_error(tmp_path, lists):
    write_table(tmp_path / "other.scp", {"v1": "v1.wav"})
    with pytest.raises(UserError, match="no utterance in common"):
        list_samples(tmp_path / "samples.json", [*lists, f"vc={tmp_path / 'other.scp'}"], "SSB0001")


@pytest.mark.parametrize(
    ("waves", "message"),
    [
        (["recording"], r"--waves recording: expected role=wav\.scp"),
        (["recording="], r"--waves recording=: expected role=wav\.scp"),
        (["=a.scp"], r"--waves =a\.scp: expected role=wav\.scp"),
        (["{}", "recording=b.scp"], r"--waves recording=b\.scp: recording is .*recording\.scp already"),
    ],
)
def test_a_list_has_a_role_of_its_own(tmp_path, lists, waves, message):
    with pytest.raises(UserError, match=message):
        list_samples(tmp_path / "samples.json", [item.format(lists[0]) for item in waves], "SSB0001")
