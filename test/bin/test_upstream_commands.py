"""train_kmeans, dump_upstream, combine_features and check_upstream on tiny models."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ctap.audio.settings import AudioSettings
from ctap.audio.wave import load_wave, utterance_frames
from ctap.bin import check_upstream as check_command
from ctap.bin import combine_features
from ctap.bin.check_upstream import check_upstream
from ctap.bin.dump_features import Dump
from ctap.bin.dump_upstream import dump_upstream
from ctap.bin.train_kmeans import train_kmeans as train
from ctap.errors import UserError
from ctap.files.tables import read_table, write_table
from ctap.jobs import Share
from ctap.kaldi.ark import MatrixReader
from ctap.kaldi.datadir import DataDir
from ctap.upstream.kmeans import KMeans
from ctap.upstream.registry import Published, make_upstream
from ctap.upstream.representation import Representation

pytest.importorskip("transformers", reason="needs the extra `upstream`")
combine_main = combine_features.main.execute


@pytest.fixture
def data(tmp_path: Path) -> DataDir:
    """Six noises of odd lengths and rates; the shortest is shorter than a frame of wav2vec 2.0."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "data" / "train"
    wavs, speakers = {}, {}
    for i, (samples, rate) in enumerate(
        [(200, 16000), (9001, 24000), (16000, 22050), (30000, 44100), (12345, 8000), (20001, 24000)]
    ):
        utt, path = f"SSB0001{i:04d}", tmp_path / f"{i}.wav"
        soundfile.write(path, 0.1 * rng.normal(size=samples), rate)
        wavs[utt], speakers[utt] = str(path), "SSB0001"
    write_table(folder / "wav.scp", wavs)
    write_table(folder / "utt2spk", speakers)
    write_table(folder / "spk2utt", {"SSB0001": sorted(speakers)})
    return DataDir(folder)


def combine(data: DataDir, parts: Path, out: Path, jobs: int = 2, *more: str) -> None:
    options = ["--data_dir", str(data.path), "--parts_dir", str(parts), "--num_jobs", str(jobs)]
    combine_main([*options, "--out_dir", str(out), *more])


def test_from_waves_to_a_dump_with_centroids(models, data, tmp_path, capsys):
    centroids, parts, out = tmp_path / "kmeans.npz", tmp_path / "parts", tmp_path / "dump_hubert" / "train"
    hubert = str(models / "hubert")
    train(hubert, data.path, centroids, layer=2, clusters=8, frames_per_utt=20)
    assert "8 centroids of layer 2, from" in capsys.readouterr().out
    for job in (1, 2):
        chosen = Published("hubert", hubert, kmeans=centroids)
        dump_upstream(chosen, Dump(data.path, parts), Share(job, 2))
    stats = tmp_path / "dump_hubert" / "stats.json"
    combine(data, parts, out, 2, "--stats_out", str(stats), "--remove_parts")
    assert not parts.exists()
    assert "of the median dimension's deviation" in capsys.readouterr().out

    upstream = make_upstream("hubert", hubert, kmeans=centroids)
    feats, frames = MatrixReader(out / "feats.scp"), read_table(out / "utt2num_frames")
    assert list(feats) == list(data.wav_scp)
    everything = []
    for utt, path in data.wav_scp.items():
        expected = upstream.encode(load_wave(path, 24000))
        assert len(expected) == int(frames[utt]) == utterance_frames(path, AudioSettings())
        error = np.abs(feats[utt] - expected).max()
        assert error <= 1.01 * feats.rounding(utt) <= np.ptp(expected) / 100_000  # two bytes a value
        # rounding never makes a frame another centroid
        assert (nearest(feats[utt], centroids) == nearest(expected, centroids)).all()
        everything.append(expected)
    found = json.loads(stats.read_text())
    np.testing.assert_allclose(found["std"], np.concatenate(everything).std(axis=0), rtol=1e-3, atol=1e-4)

    made_by = Representation.load(out / "upstream.json")
    assert made_by == upstream.representation
    assert made_by.bits_per_second == 150  # 3 bits, 50 times a second
    assert made_by.options == {"layer": 2, "normalized": 1, "kmeans": KMeans.load(centroids).digest}


def nearest(frames: np.ndarray, centroids: Path) -> np.ndarray:
    table = KMeans.load(centroids).centroids
    return np.linalg.norm(frames[:, None] - table[None], axis=-1).argmin(1)


@pytest.mark.parametrize(
    ("kind", "options"), [("codec", {"bandwidth": 1.2}), ("wav2vec2", {}), ("whisper", {})]
)
def test_the_number_of_jobs_changes_nothing(models, data, tmp_path, kind, options):
    found = []
    for jobs in (1, 3):
        parts, out = tmp_path / f"parts{jobs}", tmp_path / f"dump{jobs}" / "train"
        for job in range(1, jobs + 1):
            chosen = Published(kind, str(models / kind), **options)
            dump_upstream(chosen, Dump(data.path, parts), Share(job, jobs))
        combine(data, parts, out, jobs)
        found.append(dict(MatrixReader(out / "feats.scp")))
    assert all((found[0][utt] == found[1][utt]).all() for utt in data.wav_scp)


def test_parts_of_two_models_or_of_none_are_refused(models, data, tmp_path):
    parts, out = tmp_path / "parts", tmp_path / "dump" / "train"
    for job, layer in ((1, 2), (2, 3)):
        chosen = Published("hubert_frames", str(models / "hubert"), layer=layer)
        dump_upstream(chosen, Dump(data.path, parts), Share(job, 2))
    with pytest.raises(UserError, match=r"upstream\.2\.json: another representation: weights is"):
        combine(data, parts, out)
    (parts / "upstream.2.json").unlink()
    with pytest.raises(UserError, match=r"upstream\.2\.json: not a description"):
        combine(data, parts, out)
    assert not out.exists()


def test_recordings_that_fail_are_named_and_counted(models, data, tmp_path, capsys):
    utt = list(data.wav_scp)[3]
    Path(data.wav_scp[utt]).write_bytes(b"no sound")
    parts, out, whisper = tmp_path / "parts", tmp_path / "dump" / "train", str(models / "whisper")
    with pytest.raises(UserError, match="1 of 6 recordings failed"):
        dump_upstream(Published("whisper", whisper), Dump(data.path, parts))
    dump_upstream(Published("whisper", whisper), Dump(data.path, parts, max_failures=0.5))
    assert f"{utt}: left out" in capsys.readouterr().out
    combine(data, parts, out, 1, "--max_failures", "0.5")
    assert list(read_table(out / "feats.scp")) == [u for u in data.wav_scp if u != utt]
    assert utt in (out / "skipped.tsv").read_text()


def test_coarse_compression_is_reported(models, data, tmp_path, capsys):
    parts = tmp_path / "parts"
    dump_upstream(Published("whisper", str(models / "whisper")), Dump(data.path, parts), compression=5)
    combine(data, parts, tmp_path / "dump" / "train", 1, "--stats_out", str(tmp_path / "stats.json"))
    said = capsys.readouterr()
    assert "compression moves values by" in said.out
    with pytest.raises(UserError, match="--compression 2: expected 3, 5 or 0"):
        dump_upstream(Published("whisper", str(models / "whisper")), Dump(data.path, parts), compression=2)


def test_centroids_do_not_depend_on_the_order_of_the_list_and_skip_what_cannot_be_read(
    models, data, tmp_path, capsys
):
    first, second = tmp_path / "1.npz", tmp_path / "2.npz"
    hubert = str(models / "hubert")
    options = {"layer": 1, "clusters": 4, "max_frames": 60, "frames_per_utt": 25}
    train(hubert, data.path, first, **options)
    train(hubert, data.path, second, **options)
    found = KMeans.load(first)
    assert (found.centroids == KMeans.load(second).centroids).all()
    assert found.made["frames"] == 60 and found.made["layer"] == 1 and found.made["utterances"] >= 3
    for path in list(data.wav_scp.values())[1:]:
        Path(path).write_bytes(b"no sound")
    with pytest.raises(UserError, match="4 clusters of 1 frames"):
        train(hubert, data.path, first, **options)
    assert (KMeans.load(first).centroids == found.centroids).all()  # the old file stays


def test_check_says_what_a_model_gives_and_ends_with_3_where_there_is_none(
    models, tmp_path, capsys, monkeypatch
):
    check_upstream(Published("codec", str(models / "codec"), bandwidth=2.4))
    said = capsys.readouterr().out
    assert "8 dimensions, 75 frames/s, 8 codebook(s) of 16" in said and "2400 bit/s" in said
    monkeypatch.setattr(sys, "argv", ["check_upstream", "--kind", "codec", "--model", str(tmp_path / "none")])
    with pytest.raises(SystemExit) as caught:
        check_command.main()
    assert caught.value.code == 3
    assert "no such directory" in capsys.readouterr().err


def test_without_transformers_commands_end_with_3_and_say_what_to_install(models, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(UserError, match=r'-e "\.\[upstream\]"') as caught:
        check_upstream(Published("codec", str(models / "codec")))
    assert caught.value.status == 3
