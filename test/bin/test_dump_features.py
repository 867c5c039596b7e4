from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from ctap.audio.logmel import log_mel
from ctap.audio.settings import AudioSettings
from ctap.audio.wave import load_wave, utterance_frames
from ctap.bin import combine_features, dump_features
from ctap.data.arrays import stored_arrays
from ctap.errors import UserError
from ctap.files.tables import read_table, write_table
from ctap.kaldi.ark import MatrixReader
from ctap.kaldi.datadir import DataDir
from ctap.kaldi.tables import speakers_to_utterances

COUNT = 9
dump, combine = dump_features.main.execute, combine_features.main.execute


@pytest.fixture
def data(tmp_path: Path) -> DataDir:
    """A data directory of noises of odd lengths and rates, with durations."""
    rng = np.random.default_rng(0)
    wavs, speakers, phones, durations = {}, {}, {}, {}
    for i in range(COUNT):
        utt = f"SSB000{i % 2}{i:04d}"
        path = tmp_path / f"{utt}.wav"
        rate = (24000, 22050, 44100)[i % 3]
        soundfile.write(path, 0.1 * rng.normal(size=3000 + 1777 * i), rate)
        frames = utterance_frames(path, AudioSettings())
        wavs[utt], speakers[utt] = str(path), utt[:7]
        phones[utt], durations[utt] = "sil a1 sil", f"3 {frames - 5} 2"
    tables = {"wav.scp": wavs, "utt2spk": speakers, "spk2utt": speakers_to_utterances(speakers)}
    tables |= {"aligned_phones": phones, "durations": durations}
    for name, rows in tables.items():
        write_table(tmp_path / "data/train" / name, rows)
    return DataDir(tmp_path / "data/train")


def run_dump(data: DataDir, parts: Path, jobs: int = 2, *more: str) -> None:
    for job in range(1, jobs + 1):
        options = ["--data_dir", str(data.path), "--parts_dir", str(parts), "--job", str(job)]
        dump([*options, "--num_jobs", str(jobs), *more])


def run_combine(data: DataDir, parts: Path, out: Path, jobs: int = 2, *more: str) -> None:
    options = ["--data_dir", str(data.path), "--parts_dir", str(parts), "--num_jobs", str(jobs)]
    combine([*options, "--out_dir", str(out), *more])


def test_the_dump_holds_the_mels_of_the_waves(data, tmp_path):
    out = tmp_path / "dump" / "train"
    run_dump(data, tmp_path / "parts")
    run_combine(data, tmp_path / "parts", out, 2, "--stats_out", str(tmp_path / "dump" / "stats.json"))
    feats = MatrixReader(out / "feats.scp")
    assert list(feats) == list(data.wav_scp)
    frames = read_table(out / "utt2num_frames")
    everything = []
    for utt, path in data.wav_scp.items():
        mel = log_mel(torch.from_numpy(load_wave(path, 24000)), AudioSettings()).numpy()
        assert len(mel) == int(frames[utt]) == utterance_frames(path, AudioSettings())
        assert np.abs(feats[utt] - mel).max() <= (mel.max() - mel.min()) / 255  # one byte a value
        everything.append(mel)
    stats = json.loads((tmp_path / "dump" / "stats.json").read_text())
    joined = np.concatenate(everything)
    assert stats["frames"] == len(joined)
    np.testing.assert_allclose(stats["mean"], joined.mean(axis=0), atol=5e-3)
    np.testing.assert_allclose(stats["std"], joined.std(axis=0), atol=5e-3)
    assert AudioSettings.load(tmp_path / "dump" / "audio.json") == AudioSettings()
    assert read_table(out / "durations") == data.table("durations")
    assert read_table(out / "spk2utt") == data.table("spk2utt")
    stored = stored_arrays(out, labeled=True)
    assert stored is not None and stored["lengths"].tolist() == [int(count) for count in frames.values()]


def test_the_number_of_jobs_changes_nothing(data, tmp_path):
    found = []
    for jobs in (1, 4, COUNT + 3):
        parts, out = tmp_path / f"parts{jobs}", tmp_path / f"dump{jobs}" / "train"
        run_dump(data, parts, jobs)
        run_combine(data, parts, out, jobs)
        found.append(dict(MatrixReader(out / "feats.scp")))
    for other in found[1:]:
        assert other.keys() == found[0].keys()
        assert all((other[utt] == found[0][utt]).all() for utt in other)


def test_shards_change_nothing_but_the_files(data, tmp_path):
    found = {}
    for name, *more in (("whole",), ("shards", "--shard_hours", "0.0002")):
        out = tmp_path / name / "train"
        run_dump(data, tmp_path / f"parts_{name}", 2, *more)
        run_combine(data, tmp_path / f"parts_{name}", out, 2, "--remove_parts")
        assert not (tmp_path / f"parts_{name}").exists()
        reader = MatrixReader(out / "feats.scp")
        found[name] = dict(reader)
        assert sorted(reader.arks()) == sorted(out.glob("*.ark"))
        assert {len(path.suffixes) for path in reader.arks()} == ({2} if name == "whole" else {3})
        assert stored_arrays(out, labeled=True) is not None
    assert len(reader.arks()) > 3
    assert found["whole"].keys() == found["shards"].keys()
    assert all((found["whole"][utt] == found["shards"][utt]).all() for utt in found["whole"])
    with pytest.raises(UserError, match=r"--shard_hours 0: expected more than 0"):
        run_dump(data, tmp_path / "parts", 1, "--shard_hours", "0")


def test_settings_are_kept_and_mixed_ones_refused(data, tmp_path):
    AudioSettings(n_mels=20).save(tmp_path / "other.json")
    parts = tmp_path / "parts"
    (data.path / "durations").unlink()
    run_dump(data, parts, 2, "--settings", str(tmp_path / "other.json"))
    run_combine(data, parts, tmp_path / "dump" / "train")
    assert AudioSettings.load(tmp_path / "dump" / "audio.json").n_mels == 20
    dump(["--data_dir", str(data.path), "--parts_dir", str(parts), "--job", "1", "--num_jobs", "2"])
    with pytest.raises(UserError, match="n_mels is 20, expected 40"):
        run_combine(data, parts, tmp_path / "dump" / "train")


@pytest.mark.parametrize(
    ("phones", "durations", "said"),
    [
        ("sil a1 sil", "3 4 2", "sum to 9 frames, but the utterance has"),
        ("sil a1 sil", "3 4", "3 aligned phones, but 2 durations"),
        ("sil a1 sil", "3 0 2", "at least 1"),
        ("sil a1 sil", "3 4.5 2", "'4.5' is not a whole number"),
    ],
)
def test_durations_that_do_not_fit_stop_the_stage_and_name_the_utterance(
    data, tmp_path, phones, durations, said
):
    utt = list(data.wav_scp)[4]
    for name, value in (("aligned_phones", phones), ("durations", durations)):
        rows = read_table(data.path / name)
        write_table(data.path / name, {**rows, utt: value})
    run_dump(data, tmp_path / "parts")
    with pytest.raises(UserError, match=said) as caught:
        run_combine(data, tmp_path / "parts", tmp_path / "dump" / "train")
    assert utt in str(caught.value)
    assert not (tmp_path / "dump" / "train").exists()


def test_an_utterance_that_was_not_aligned_is_left_out_and_named(data, tmp_path, capsys):
    utt = list(data.wav_scp)[4]
    rows = read_table(data.path / "durations")
    del rows[utt]
    write_table(data.path / "durations", rows)
    run_dump(data, tmp_path / "parts")
    out = tmp_path / "dump" / "train"
    run_combine(data, tmp_path / "parts", out)
    for table in ("feats.scp", "utt2num_frames", "utt2spk", "wav.scp", "durations"):
        assert list(read_table(out / table)) == [u for u in data.wav_scp if u != utt]
    assert utt in (out / "skipped.tsv").read_text()
    assert f"no durations: {utt}" in capsys.readouterr().out


def test_failing_recordings_are_named_and_counted_up_to_a_share(data, tmp_path, capsys):
    utt = list(data.wav_scp)[2]
    Path(data.wav_scp[utt]).write_bytes(b"no sound")
    with pytest.raises(UserError, match=r"1 of 9 recordings failed, more than --max_failures 0.05"):
        run_dump(data, tmp_path / "parts", 1)
    assert f"{utt}: left out" in capsys.readouterr().out
    allow = ("--max_failures", "0.5")
    run_dump(data, tmp_path / "parts", 2, *allow)
    with pytest.raises(UserError, match="1 of 9 recordings failed"):
        run_combine(data, tmp_path / "parts", tmp_path / "dump" / "train", 2)
    assert not (tmp_path / "dump" / "train").exists()
    run_combine(data, tmp_path / "parts", tmp_path / "dump" / "train", 2, *allow)
    assert list(read_table(tmp_path / "dump" / "train" / "feats.scp")) == [
        u for u in data.wav_scp if u != utt
    ]
    assert utt in (tmp_path / "dump" / "train" / "skipped.tsv").read_text()


def test_parts_of_another_time_are_refused(data, tmp_path):
    parts, out = tmp_path / "parts", tmp_path / "dump" / "train"
    run_dump(data, parts, 2)
    with pytest.raises(UserError, match=r"feats\.3\.scp: is missing; did job 3 of 3 finish"):
        run_combine(data, parts, out, 3)
    with pytest.raises(UserError, match="have no features"):
        run_combine(data, parts, out, 1)
    smaller = data.subset(list(data.wav_scp)[:5], tmp_path / "data" / "smaller")
    with pytest.raises(UserError, match="4 are not of that directory"):
        run_combine(smaller, parts, out)


def test_an_old_dump_stays_until_the_new_one_is_whole(data, tmp_path):
    parts, out = tmp_path / "parts", tmp_path / "dump" / "train"
    run_dump(data, parts)
    run_combine(data, parts, out, 2, "--remove_parts")
    assert not parts.exists()
    before = sorted(p.name for p in out.iterdir())
    with pytest.raises(UserError):
        run_combine(data, parts, out)
    assert sorted(p.name for p in out.iterdir()) == before
    assert len(MatrixReader(out / "feats.scp")[next(iter(data.wav_scp))]) > 0
