"""The embedded corpus in languages of eSpeak NG: text, phones and truth go together, and repeat."""

from __future__ import annotations

import filecmp
import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from ctap.align.durations import strip_pauses
from ctap.align.events import read_reference
from ctap.files.tables import read_table, write_table
from ctap.text.languages import language_in
from test.recipes.readers import PYPATH, ROOT, skipped, stage_0

LOCAL = ROOT / "egs/mini/ctap1/local"
SIZE = ["--minutes", "0.2", "--target_minutes", "0.2", "--test_minutes", "0.1", "--speakers", "1"]


def make(out: Path, language: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(LOCAL / "make_language_corpus.py"), str(out), "--language", language]
    environment = {**os.environ, **PYPATH, "OMP_NUM_THREADS": "1"}
    return subprocess.run([*command, *options], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("language", ["espeak:en-us", "espeak:yue"])
def test_phones_of_the_text_are_those_that_were_said(language, tmp_path):
    done = make(tmp_path / "mini", language, *SIZE)
    assert done.returncode == 0, done.stderr
    out = stage_0(
        "mini", tmp_path, tmp_path / "data", "--target_speakers", "none", text=("--language", language)
    )
    assert skipped(out) == []
    whole = out / "local" / "all"
    phones = {utt: row.split() for utt, row in read_table(whole / "phones").items()}
    truth = read_reference(tmp_path / "mini" / "phoneme_events.tsv", phones).phones
    assert truth.keys() == phones.keys() and len(phones) > 6
    known = language_in(whole)
    for utt, spans in truth.items():
        assert strip_pauses([span.label for span in spans]) == phones[utt]
        assert all(known.is_phone(span.label) for span in spans)
        assert all(a.end == pytest.approx(b.start) for a, b in itertools.pairwise(spans))
        seconds = soundfile.info(read_table(whole / "wav.scp")[utt]).duration
        assert spans[-1].end == pytest.approx(seconds, abs=1e-4)


def test_the_same_bytes_whoever_works(tmp_path):
    for name, jobs in (("a", "1"), ("b", "3")):
        assert make(tmp_path / name, "espeak:sw", *SIZE, "--jobs", jobs).returncode == 0
    files = [str(p.relative_to(tmp_path / "a")) for p in (tmp_path / "a").rglob("*") if p.is_file()]
    assert filecmp.cmpfiles(tmp_path / "a", tmp_path / "b", files, shallow=False)[0] == files


def test_two_languages_of_the_same_speakers(tmp_path):
    for name, text in (("zh", "你好"), ("sw", "habari")):
        part = tmp_path / name
        write_table(part / "wav.scp", {"A0001": f"{name}.wav"})
        write_table(part / "utt2spk", {"A0001": "A"})
        write_table(part / "text", {"A0001": text})
        write_table(part / "spk2gender", {"A": "f"})
    write_table(tmp_path / "zh" / "pinyin", {"A0001": "ni3 hao3"})
    write_table(tmp_path / "zh" / "prosody", {"A0001": "你好$"})
    command = [sys.executable, str(LOCAL / "join_languages.py"), str(tmp_path / "all")]
    command += [f"mandarin={tmp_path / 'zh'}", f"espeak:sw={tmp_path / 'sw'}"]
    subprocess.run(command, env={**os.environ, **PYPATH}, check=True)
    assert read_table(tmp_path / "all" / "text") == {"A-mandarin-0001": "你好", "A-sw-0001": "habari"}
    assert read_table(tmp_path / "all" / "utt2lang") == {"A-mandarin-0001": "mandarin", "A-sw-0001": "sw"}
    assert read_table(tmp_path / "all" / "pinyin") == {"A-mandarin-0001": "ni3 hao3"}
    assert not (tmp_path / "all" / "prosody").exists()
    assert read_table(tmp_path / "all" / "spk2gender") == {"A": "f"}


@pytest.mark.parametrize(
    ("language", "message"),
    [
        ("english", "eSpeak NG speaks this corpus"),
        ("espeak:swa", "no voice 'swa'; near it: sw,"),
        ("espeak:qya", "no names in this language"),
    ],
)
def test_what_can_not_be_said(language, message, tmp_path):
    done = make(tmp_path / "mini", language, *SIZE)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert message in done.stderr


def test_names_of_a_language_whose_table_has_a_loose_end():
    """An alias of Babel's Latin leads to a time zone that is not there."""
    script = "from language_plan import names_in; print(len(names_in('la')))"
    environment = {**os.environ, **PYPATH}
    done = subprocess.run([sys.executable, "-c", script], cwd=LOCAL, env=environment, capture_output=True)
    assert done.returncode == 0 and int(done.stdout) > 100, done.stderr


@pytest.mark.parametrize("wrong", [("--jobs", "0"), ("--minutes", "-1"), ("--speakers", "25")])
def test_impossible_sizes_are_refused_in_one_line(wrong, tmp_path):
    done = make(tmp_path / "mini", "espeak:sw", *wrong)
    assert done.returncode == 1
    assert done.stderr.startswith("error: --") and len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())
