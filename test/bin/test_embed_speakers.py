"""Speaker embeddings kept in a directory give the scores that embedding on the spot gives."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from ctap.bin.embed_speakers import embed_speakers
from ctap.errors import UserError
from ctap.files.tables import read_table, write_table
from ctap.kaldi.ark import MatrixReader
from ctap.metrics import speaker, speaker_metrics


class Loudness:
    """Mean and deviation of a wave as an embedding; silence has none."""

    name, sample_rate = "loudness", 16000

    def __call__(self, wave):
        if not np.any(wave):
            raise speaker.NoSpeechError("silent")
        vector = np.array([np.mean(wave), np.std(wave)], dtype=np.float32)
        return vector / np.linalg.norm(vector)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(speaker, "load_speaker_encoder", lambda name, device: Loudness())
    rng = np.random.default_rng(0)
    waves = {utt: rng.normal(0.1 * i, 0.1, 8000) for i, utt in enumerate(("a1", "a2", "a3", "b1", "b2"))}
    waves["b1"][:] = 0
    for utt, wave in waves.items():
        soundfile.write(tmp_path / f"{utt}.wav", wave.clip(-1, 1), 16000)
    write_table(tmp_path / "wav.scp", {utt: str(tmp_path / f"{utt}.wav") for utt in waves})
    write_table(tmp_path / "spk2utt", {"A": "a1 a2 a3", "B": "b1 b2"})
    return tmp_path


def test_kept_embeddings_are_those_of_the_waves(folder):
    out = folder / "voices"
    embed_speakers([folder / "spk2utt"], [folder / "wav.scp"], out, max_refs=2)
    assert read_table(out / "spk2utt") == {"A": "a1 a2", "B": "b2"}  # b1 is silent
    moved = folder / "moved"
    out.rename(moved)
    assert set(MatrixReader(moved / "embeddings.scp")) == {"a1", "a2", "b2"}
    kept = speaker_metrics.embed_speakers(moved, 30, encoder=None)
    spoken = speaker_metrics.embed_speakers(folder, 2, Loudness())
    assert kept.keys() == spoken.keys() == {"A", "B"}
    for name, utterances in kept.items():
        assert utterances.keys() == spoken[name].keys()
        for utt, vector in utterances.items():
            np.testing.assert_array_equal(vector, spoken[name][utt])


def test_an_utterance_without_a_wave_is_named(folder):
    write_table(folder / "spk2utt", {"A": "a1 a9"})
    with pytest.raises(UserError, match=r"no wave of a9, which .*spk2utt gives to A"):
        embed_speakers([folder / "spk2utt"], [folder / "wav.scp"], folder / "voices")
    assert not (folder / "voices").exists()


def test_without_an_encoder_there_are_no_embeddings(folder, monkeypatch):
    monkeypatch.setattr(speaker, "load_speaker_encoder", lambda name, device: None)
    embed_speakers([folder / "spk2utt"], [folder / "wav.scp"], folder / "voices")
    assert read_table(folder / "voices" / "spk2utt") == {}
    assert read_table(folder / "voices" / "embeddings.scp") == {}
    with pytest.raises(UserError, match=r"voices: holds no embeddings, .*remove this directory.*stage 4"):
        speaker_metrics.embed_speakers(folder / "voices", 30, Loudness())


def test_a_data_directory_is_not_written_over(folder):
    before = sorted(path.name for path in folder.iterdir())
    with pytest.raises(UserError, match="would be overwritten"):
        embed_speakers([folder / "spk2utt"], [folder / "wav.scp"], folder)
    assert sorted(path.name for path in folder.iterdir()) == before
