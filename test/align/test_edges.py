"""Silence inside joined recordings, where it was put there; and what the scores make of it."""

import numpy as np
import pytest

from ctap.align.edges import own_silence
from ctap.align.events import Word, read_reference
from ctap.align.score import format_table, score
from ctap.audio.settings import AudioSettings
from ctap.audio.wave import save_wave
from ctap.bin import score_durations
from ctap.files.tables import write_table
from ctap.text.languages import older

MANDARIN = older()
RATE = 16000


def recording(before, speech, after, rng):
    """Seconds of room noise, of a loud tone, and of room noise again, 50 dB below the tone."""
    tone = 0.3 * np.sin(2 * np.pi * 200 * np.arange(int(speech * RATE)) / RATE)
    wave = np.concatenate([np.zeros(int(before * RATE)), tone, np.zeros(int(after * RATE))])
    return wave + rng.normal(0, 7e-4, len(wave))


@pytest.fixture
def data(tmp_path):
    """Two utterances of two joined words each; the second word of the first has 100 and 60 ms of its own."""
    rng = np.random.default_rng(0)
    words, waves = [], {}
    for utterance, before, after in (("A01", 0.1, 0.06), ("A02", 0.0, 0.0)):
        gap = rng.normal(0, 1e-5, int(0.1 * RATE))
        first, second = recording(0.005, 0.3, 0.01, rng), recording(before, 0.3, after, rng)
        wave = np.concatenate([gap, first, gap, second, gap])
        at = 0.1 + len(first) / RATE
        words += [
            f"{utterance}\t0.1\t{at}\t沙\tsha1",
            f"{utterance}\t{at + 0.1}\t{at + 0.1 + len(second) / RATE}\t啊\ta5",
        ]
        waves[utterance] = tmp_path / f"{utterance}.wav"
        save_wave(waves[utterance], wave, RATE)
    (tmp_path / "words.tsv").write_text("\n".join(words) + "\n")
    write_table(tmp_path / "wav.scp", waves)
    write_table(tmp_path / "utt2spk", dict.fromkeys(waves, "A"))
    return tmp_path


def test_own_silence_is_what_was_put_there(data):
    words = read_reference(data / "words.tsv", {}).words
    waves = {u: str(data / f"{u}.wav") for u in words}
    found = own_silence(words, waves, dict.fromkeys(words, "A"))
    assert np.array(found["A01"]) == pytest.approx(np.array([[0.005, 0.01], [0.1, 0.06]]), abs=0.0101)
    assert np.array(found["A02"]) == pytest.approx(np.array([[0.005, 0.01], [0.0, 0.0]]), abs=0.0101)


def test_a_word_without_a_quiet_frame_has_no_silence(tmp_path):
    rng = np.random.default_rng(1)
    save_wave(tmp_path / "A01.wav", rng.normal(0, 0.1, RATE), RATE)
    words = {"A01": [Word(0.1, 0.9, "沙", 1)]}
    assert own_silence(words, {"A01": str(tmp_path / "A01.wav")}, {}) == {"A01": [(0.0, 0.0)]}


def test_edges_are_scored_with_and_without_it(data):
    reference = read_reference(data / "words.tsv", {})
    # The first word ends at 415 ms, the second starts at 515 ms, its speech at 615 ms; ours is 425-615.
    ours = {"A01": (["sil", "sh", "a1", "sp", "a5", "sil"], [10, 10, 23, 19, 30, 10])}
    silent = {"A01": [(0.005, 0.01), (0.1, 0.06)]}
    rows = score(reference, ours, AudioSettings(), MANDARIN, silent)["boundaries"]
    assert rows["start of word"]["median_signed"] == pytest.approx(100)
    assert rows["start of word, speech"]["median_signed"] == pytest.approx(0, abs=1e-6)
    assert "start of word, clean" not in rows  # 100 ms of its own is too much
    assert rows["end of word, clean"]["median_signed"] == pytest.approx(10)
    assert rows["end of word, speech"]["median_signed"] == pytest.approx(20)
    assert rows["all"]["count"] == 2  # nothing is counted twice


def test_the_command_measures_it(data, capsys):
    write_table(data / "aligned_phones", {"A01": "sil sh a1 sp a5 sil", "A02": "sil sh a1 sp a5 sil"})
    write_table(data / "durations", {"A01": "10 10 23 19 30 10", "A02": "10 10 22 10 30 10"})
    score_durations.main(["--reference", str(data / "words.tsv"), "--hypothesis", str(data), "--own_silence"])
    out = capsys.readouterr().out
    assert "start of word, clean" in out
    assert "silence of the recordings at a word's start" in out
    with pytest.raises(SystemExit):
        events = data / "events.tsv"
        events.write_text("utterance\tphone\tindex\tmnemonic\tstart\tend\nA01\ta1\t0\ta\t0\t1\n")
        score_durations.main(["--reference", str(events), "--hypothesis", str(data), "--own_silence"])
    assert "holds no word boundaries" in capsys.readouterr().err


def test_share_of_closures(data):
    reference = read_reference(data / "words.tsv", {})
    ours = {"A01": (["sil", "t", "a1", "sp", "a5", "sil"], [10, 10, 23, 19, 30, 10])}
    result = score(reference, ours, AudioSettings(), MANDARIN)
    assert result["closures"] == {"boundaries": 0.0, "error": 0.0, "far": 0.0}
    ours = {"A01": (["sil", "sh", "a1", "sp", "t", "a5", "sil"], [10, 10, 23, 19, 10, 20, 10])}
    shares = score(reference, ours, AudioSettings(), MANDARIN)["closures"]  # errors 10 and 100 ms
    assert shares == pytest.approx({"boundaries": 0.5, "error": 100 / 110, "far": 1.0})
    assert "stops and affricates: 50.0% of the boundaries" in format_table(result | {"closures": shares})
