"""The embedded corpus: layout, truth of its phone boundaries against the sound, repeatability."""

from __future__ import annotations

import collections
import csv
import filecmp
import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from ctap.audio.f0 import extract_f0
from ctap.audio.settings import AudioSettings
from ctap.audio.wave import resample
from ctap.text.phones import TONES, is_phone, phone_class
from ctap.text.pinyin import pinyin_to_phones

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "egs" / "mini" / "ctap1"
SIZE = ["--minutes", "0.4", "--target_minutes", "0.3", "--test_minutes", "0.1", "--speakers", "2"]
SOUNDLESS_DB = -60


def make(out: Path, *options: str) -> subprocess.CompletedProcess:
    command = [sys.executable, str(RECIPE / "local" / "make_corpus.py"), str(out), *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("mini") / "corpus"
    done = make(out, *SIZE, "--jobs", "2")
    assert done.returncode == 0, done.stderr
    return out


def contents(corpus: Path, part: str) -> dict[str, tuple[str, list[str]]]:
    rows = {}
    for line in (corpus / part / "content.txt").read_text(encoding="utf-8").splitlines():
        name, _, rest = line.partition("\t")
        words = rest.split(" ")
        rows[name.removesuffix(".wav")] = ("".join(words[::2]), words[1::2])
    return rows


def events(corpus: Path) -> dict[str, list[dict]]:
    rows = collections.defaultdict(list)
    with (corpus / "phoneme_events.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            row.update(start=float(row["start"]), end=float(row["end"]), index=int(row["index"]))
            rows[row["utterance"]].append(row)
    return rows


def wave_of(corpus: Path, utt: str) -> tuple[np.ndarray, int]:
    (path,) = corpus.glob(f"*/wav/{utt[:7]}/{utt}.wav")
    return soundfile.read(path)


def test_layout_is_that_of_aishell3(corpus):
    speakers = {"SSB7001", "SSB7002", "SSB7009", "SSB7010"}
    for part in ("train", "test"):
        rows = contents(corpus, part)
        waves = {path.stem: path for path in (corpus / part / "wav").glob("*/*.wav")}
        assert rows.keys() == waves.keys()
        assert {path.parent.name for path in waves.values()} == speakers
        for utt, (hanzi, pinyin) in rows.items():
            info = soundfile.info(waves[utt])
            assert (info.samplerate, info.channels, info.subtype) == (22050, 1, "PCM_16")
            assert len(utt) == 11
            assert len(hanzi) == len(pinyin)
            assert 1.5 < info.duration < 10
    assert not set(contents(corpus, "train")) & set(contents(corpus, "test"))
    genders = [line.split("\t")[2] for line in (corpus / "spk-info.txt").read_text().splitlines()[1:]]
    assert sorted(genders) == ["female", "female", "male", "male"]


def test_labels_mark_phrases_and_pauses_of_the_same_text(corpus):
    labels = (corpus / "train" / "label_train-set.txt").read_text(encoding="utf-8").splitlines()
    assert labels[0].startswith("#")
    train = contents(corpus, "train")
    assert len(labels) - 1 == len(train)
    pauses = {u: sum(r["phone"] == "sp" for r in rows) for u, rows in events(corpus).items()}
    for line in labels[1:]:
        utt, pinyin, hanzi = line.split("|")
        assert hanzi.replace("%", "").replace("$", "") == train[utt][0]
        assert [p for p in pinyin.split() if p not in "%$"] == train[utt][1]
        assert hanzi.count("$") == pinyin.count("$") == pauses[utt] + 1


def test_events_are_the_phones_of_the_text_from_first_sample_to_last(corpus):
    truth = events(corpus)
    rows = contents(corpus, "train") | contents(corpus, "test")
    assert truth.keys() == rows.keys()
    for utt, (_, pinyin) in rows.items():
        own = truth[utt]
        phones = [p for _, p in sorted({(r["index"], r["phone"]) for r in own})]
        assert [p for p in phones if p not in ("sil", "sp")] == pinyin_to_phones(pinyin)
        assert (phones[0], phones[-1]) == ("sil", "sil")
        assert all(is_phone(p) for p in phones)
        assert own[0]["start"] == 0
        assert all(a["end"] == b["start"] for a, b in itertools.pairwise(own))
        wave, rate = wave_of(corpus, utt)
        assert own[-1]["end"] == pytest.approx(len(wave) / rate, abs=1e-4)


def level(wave: np.ndarray, rate: int, start: float, end: float) -> float:
    part = wave[round(start * rate) : round(end * rate)]
    return 20 * np.log10(np.sqrt(np.mean(part**2)) + 1e-9)


def test_events_line_up_with_the_sound(corpus):
    """Silent to the sample: pauses and closures are soundless, 5 ms beside them are not."""
    before, inside, after = [], [], []
    for utt, rows in events(corpus).items():
        wave, rate = wave_of(corpus, utt)
        for row in rows:
            if row["mnemonic"] != "_":
                continue
            inside.append(level(wave, rate, row["start"], row["end"]))
            if row["phone"] != "sil" or row["index"]:
                before.append(level(wave, rate, row["start"] - 0.005, row["start"]))
            if row["phone"] != "sil" or not row["index"]:
                after.append(level(wave, rate, row["end"], row["end"] + 0.005))
    assert len(inside) > 200
    assert max(inside) < SOUNDLESS_DB - 2
    assert min(after) > SOUNDLESS_DB
    assert min(before) > SOUNDLESS_DB


def test_closures_belong_to_stops_and_affricates(corpus):
    closed = [r for rows in events(corpus).values() for r in rows if r["mnemonic"] == "_"]
    lengths = collections.defaultdict(list)
    for row in closed:
        lengths[phone_class(row["phone"])].append(row["end"] - row["start"])
    assert len(lengths["stop"]) > 50
    assert 0.02 < np.median(lengths["stop"]) < 0.06
    assert min(lengths["pause"]) > 0.09
    assert "vowel" not in lengths or max(lengths["vowel"]) < 0.06


def test_tones_are_heard(corpus):
    """Rising, falling and high by a pitch tracker that knows nothing of the text."""
    shape = collections.defaultdict(list)
    settings = AudioSettings()
    for utt, rows in list(events(corpus).items())[::2]:
        wave, rate = wave_of(corpus, utt)
        f0 = extract_f0(resample(wave, rate, 24000), settings)
        middle = np.median(f0[f0 > 0])
        spans = collections.defaultdict(list)
        for row in rows:
            spans[row["index"], row["phone"]] += [row["start"], row["end"]]
        for (_, phone), times in spans.items():
            if phone[-1] in TONES:
                own = f0[round(min(times) * 100) : round(max(times) * 100)]
                own = 12 * np.log2(own[own > 0] / middle)
                if len(own) >= 8:
                    shape[int(phone[-1])].append((own.mean(), own[-3:].mean() - own[:3].mean()))
    mean, rise = (({t: np.median([v[i] for v in shape[t]]) for t in (1, 2, 3, 4)}) for i in (0, 1))
    assert max(mean, key=mean.get) == 1
    assert min(mean, key=mean.get) == 3
    assert rise[2] > 0.5
    assert rise[4] < -1.5


TONES_OF_EVERY_VOICE = """
import sys
from pathlib import Path
import numpy as np
sys.path.insert(0, str(Path(sys.argv[1]) / "local"))
from espeak import Espeak
from voices import SPEAKERS, VOLUME
espeak = Espeak()
for s in SPEAKERS:
    espeak.voice(s.variant, rate=90, pitch=s.pitch, pitch_range=s.pitch_range, volume=VOLUME)
    wave, events = espeak.say("ma1 ma2 ma1 ma4")
    vowels = [e for e in events if e.mnemonic == "A"]
    spans = [(e.start, e.end) for e in vowels]
    np.savez(Path(sys.argv[2]) / s.name, wave=wave, spans=spans, rate=espeak.sample_rate)
"""


def test_second_tone_rises_and_fourth_falls_in_every_voice(tmp_path):
    command = [sys.executable, "-c", TONES_OF_EVERY_VOICE, str(RECIPE), str(tmp_path)]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)
    voices = sorted(tmp_path.glob("*.npz"))
    assert len(voices) == 26
    for path in voices:
        said = np.load(path)
        f0 = extract_f0(resample(said["wave"] / 32768, int(said["rate"]), 24000), AudioSettings())
        assert len(said["spans"]) == 4
        rise = []
        for start, end in said["spans"] / said["rate"]:
            own = 12 * np.log2(f0[round(start * 100) : round(end * 100)].clip(1e-9))
            own = own[own > 0]
            rise.append(own[-3:].mean() - own[:3].mean())
        assert rise[1] > 0.5 and rise[3] < -0.5, (path.stem, rise)


def test_same_bytes_whatever_the_number_of_processes(corpus, tmp_path):
    done = make(tmp_path / "again", *SIZE, "--jobs", "1")
    assert done.returncode == 0, done.stderr
    names = sorted(str(p.relative_to(corpus)) for p in corpus.rglob("*") if p.is_file())
    assert names == sorted(
        str(p.relative_to(tmp_path / "again")) for p in (tmp_path / "again").rglob("*") if p.is_file()
    )
    assert filecmp.cmpfiles(corpus, tmp_path / "again", names, shallow=False)[0] == names


def test_impossible_sizes_are_refused_and_nothing_is_left(tmp_path):
    done = make(tmp_path / "c", "--speakers", "25")
    assert done.returncode == 1
    assert "error: --speakers 25" in done.stderr
    done = make(tmp_path / "c", "--minutes", "0", "--target_minutes", "0", "--test_minutes", "0")
    assert done.returncode == 1
    assert "nothing to say" in done.stderr
    assert not list(tmp_path.iterdir())


def test_stage_zero_reads_it(corpus, tmp_path):
    script = str(RECIPE / "local" / "data.sh")
    environment = {**os.environ, "python": sys.executable}
    command = ["bash", script, "--corpus", str(corpus), str(tmp_path / "data")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "data" / "wav.scp").read_text().splitlines()
    assert len(lines) == len(contents(corpus, "train")) + len(contents(corpus, "test"))


def test_other_frequencies_come_without_dither(monkeypatch):
    """soxr dithers integers from a seed of the clock; the corpus has to be the same every time."""
    monkeypatch.syspath_prepend(str(RECIPE / "local"))
    from saying import scale_frequencies

    wave = (3000 * np.random.default_rng(0).normal(size=20000)).astype(np.int16)
    scaled, _ = scale_frequencies(wave, [], 1.07, 22050)
    exact = soxr.resample(wave.astype(np.float64), 22050, 22050 / 1.07)
    assert scaled.dtype == np.int16
    assert np.abs(scaled - exact).max() <= 0.5
