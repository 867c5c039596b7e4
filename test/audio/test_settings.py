from __future__ import annotations

import dataclasses

import pytest

from ctap.audio.settings import AudioSettings
from ctap.errors import UserError


def test_saved_settings_come_back(tmp_path):
    settings = AudioSettings(sample_rate=16000, n_mels=80, f_max=7600)
    settings.save(tmp_path / "audio.json")
    assert AudioSettings.load(tmp_path / "audio.json") == settings


def test_yaml_gives_what_it_names_and_defaults_for_the_rest(tmp_path):
    for floor in ("1.0e-6", "1e-6"):  # the second is a word to YAML
        (tmp_path / "audio.yaml").write_text(f"n_mels: 80\nlog_floor: {floor}\n")
        assert AudioSettings.load(tmp_path / "audio.yaml") == AudioSettings(n_mels=80, log_floor=1e-6)
    (tmp_path / "audio.yaml").write_text("log_floor: low\n")
    with pytest.raises(UserError, match=r"audio\.yaml: log_floor must be a number, not 'low'"):
        AudioSettings.load(tmp_path / "audio.yaml")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.json", "{", "not a file of audio settings"),
        ("a.json", "[1]", "expected a mapping"),
        ("a.json", '{"hop": 3}', "unknown fields hop"),
        ("a.json", '{"hop_length": "240"}', "hop_length must be a positive whole number"),
        ("a.yaml", "n_mels: [", "not a file of audio settings"),
    ],
)
def test_bad_files_are_refused_with_their_reason(tmp_path, name, content, said):
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=said):
        AudioSettings.load(tmp_path / name)


@pytest.mark.parametrize(
    "change",
    [
        {"f_max": 12001.0},
        {"f_min": 8000.0},
        {"win_length": 1000},
        {"n_fft": 961},
        {"log_floor": 0},
        {"hop_length": 0},
        {"n_mels": True},
        {"sample_rate": 24000.5},
        {"mel_scale": "bark"},
        {"mel_norm": None},
    ],
)
def test_impossible_values_are_refused(change):
    with pytest.raises(UserError):
        AudioSettings(**change)


def test_difference_is_named_with_both_values():
    mine = AudioSettings()
    mine.require_same(AudioSettings(), "dump")
    with pytest.raises(UserError, match=r"exp/x: .*hop_length is 300, expected 240"):
        mine.require_same(dataclasses.replace(mine, hop_length=300), "exp/x")
    with pytest.raises(UserError, match="mel_scale is slaney, expected htk"):
        mine.require_same(dataclasses.replace(mine, mel_scale="slaney"), "exp/x")


def test_settings_saved_before_scales_could_be_chosen_are_those_of_htk(tmp_path):
    (tmp_path / "audio.json").write_text('{"n_mels": 80}')
    assert AudioSettings.load(tmp_path / "audio.json").mel_scale == "htk"
