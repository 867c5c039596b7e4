"""Stages 0 to 6 and 8, run for real: what they make, what a second run does, what a change does."""

import json
import os
import re
import shutil
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest
import soundfile

import ctap
from ctap.config import load_yaml
from ctap.files.tables import read_table
from ctap.kaldi.validate import validate
from ctap.text.languages import older
from test.documented import Layout
from test.follow import PAGES, follow

LAUNCHERS = """train_cmd="./launcher train" cuda_cmd="./launcher cuda" decode_cmd="./launcher decode"
"""
# Notes what it is asked for and has run_local do it, on the processor where a GPU is asked for.
LAUNCHER = """#!/usr/bin/env bash
echo "$*" >>launched
shift
[[ "$*" != *"--gpu 1 "* ]] || set -- "${@:3}"
exec run_local "${@/#cuda/cpu}"
"""
WORK = {
    "train": {"align", "dump_features"},
    "cuda": {"train"},
    "decode": {
        "score_representation",
        "embed_speakers",
        "synthesize",
        "resynthesize",
        "convert",
        "recognize",
    },
}


def launched(recipe):
    """Launcher, module and whole line of what was launched."""
    lines = (recipe.path / "launched").read_text().splitlines()
    return [(line.split()[0], re.search(r" ctap\.bin\.(\w+)", line)[1], line) for line in lines]


def test_from_wavs_to_scores_and_again(recipe, spoken, tmp_path, monkeypatch):
    (recipe.path / "cmd.sh").unlink()
    (recipe.path / "cmd.sh").write_text(LAUNCHERS)
    (recipe.path / "launcher").write_text(LAUNCHER)
    (recipe.path / "launcher").chmod(0o755)
    corpus = shutil.copytree(spoken, tmp_path / "corpus")
    args = ("--all_args", "--trainer.log_every 2", "--duration_args", "--trainer.log_every 3")
    stages = ("--stop_stage", "8", "--skip_stages", "7", *args)
    first = recipe.run("--corpus", str(corpus), *stages)
    root = recipe.path
    for name in ("train", "dev", "test", "target_SSB7010_labeled", "target_SSB7010_test"):
        assert validate(root / "data" / name, phones=older().phone_tables) == []
        phones, durations = (read_table(root / "data" / name / t) for t in ("aligned_phones", "durations"))
        frames = read_table(root / "dump" / name / "utt2num_frames")
        for utt, n in frames.items():
            spans = list(map(int, durations[utt].split()))
            assert sum(spans) == int(n)
            assert len(spans) == len(phones[utt].split())
    assert not (root / "data" / "target_SSB7010_speech" / "text").exists()

    configs = (root / "exp").rglob("config.yaml")
    logged = {path.parent.name: load_yaml(path)["trainer"]["log_every"] for path in configs}
    assert logged.pop("duration") == 3
    assert len(logged) == 6 and set(logged.values()) == {2}

    scores = {}
    for path in (root / "exp").rglob("scores*.json"):
        content = json.loads(path.read_text())
        scores.setdefault(content["name"], {}).update(content["metrics"])
    losses = {"contrastive", "mse_speech", "mse_phone", "kl", "mel_cepstral_distortion"}
    assert losses | {"frame_retrieval", "phone_retrieval", "phone_retrieval_shifted"} <= set(scores["ctap"])
    assert {"phone_error_rate", "frame_accuracy", "character_error_rate"} <= set(scores["asr"])
    assert {"phone_error_rate", "frame_accuracy"} <= set(scores["judge"])
    tts, vc = scores["tts_SSB7010"], scores["vc_SSB7010"]
    for voice in (tts, vc):
        assert {"msep", "mel_cepstral_distortion", "log_f0_rmse", "phone_error_rate"} <= set(voice)
        assert "speaker_similarity/target" in voice or find_spec("resemblyzer") is None
    assert "from phonemes" in vc["speaker_similarity/source"]["against"] or find_spec("resemblyzer") is None
    beside = {"nothing said", "recording", "vocoded", "from S", "durations given"}
    assert set(tts["phone_error_rate"]["against"]) == beside
    assert {"untrained", "chance"} <= set(scores["ctap"]["phone_retrieval"]["against"])
    page = (root / "exp" / "results.html").read_text()
    assert page.count("<audio") >= 6 and "from the source&#x27;s phonemes" in page
    assert "RESULTS.md" in first.stdout

    with zipfile.ZipFile(root / "exp" / "packed" / "tts_SSB7010.zip") as archive:
        archive.extractall(tmp_path / "packed")
    voice = ctap.load(tmp_path / "packed" / "tts_SSB7010", device="cpu")
    assert voice.synthesize("你好", tmp_path / "packed" / "tts_SSB7010" / "prompt.wav").durations

    found = launched(recipe)
    assert {kind: {module for by, module, _ in found if by == kind} for kind in WORK} == WORK
    assert all("--device cpu" in line and "--gpu" not in line for by, _, line in found if by == "decode")
    (recipe.path / "launched").unlink()

    again = recipe.run("--corpus", str(corpus), *stages)
    assert not (recipe.path / "launched").exists()
    steps = [line for line in again.stdout.splitlines() if ": already done" in line or ": done in" in line]
    assert steps
    assert all("already done" in line for line in steps), "\n".join(steps)

    fewer = ("--stage", "5", "--stop_stage", "5", "--vc_utts", "1", "--ngpu", "2", *args)
    changed = recipe.run("--corpus", str(corpus), *fewer).stdout
    assert re.search(r"choose_vc_sources: .*--utts 2.*--utts 1", changed)
    assert re.search(r"conversion to SSB7010 in vc_SSB7010/test: done in", changed)
    asked = [
        ("decode", "convert"),
        ("decode", "synthesize"),  # the same from phonemes
        ("decode", "recognize"),  # of what is said, of sources
        ("decode", "recognize"),
    ]
    assert [(by, module) for by, module, _ in launched(recipe)] == asked
    on_a_gpu = re.compile(r"decode --gpu 1 CTAP_JOB=1:1 .* --device cuda ")
    assert all(map(on_a_gpu.match, (line for *_, line in launched(recipe))))

    audio_rewritten(recipe, corpus)

    # what the pages say can be done with all this
    (tmp_path / "pages").mkdir()
    followed = follow(root, corpus, Layout(tmp_path / "pages"), monkeypatch)
    assert set(followed) == {program for programs in PAGES.values() for program in programs}
    for name in (
        "out.wav",
        "converted.wav",
        "out/wav/text.wav",
        "out/wav/a.wav",
        "out/phones",
        "out/embed.ark",
    ):
        assert (root / name).stat().st_size > 0
    assert all((root / "exp" / name / "page.html").exists() for name in ("mos_tts", "mos_vc"))


def audio_rewritten(recipe, corpus):
    """A recording that is rewritten in place: what was made of it is made again, and nothing else."""
    again = ("--corpus", str(corpus), "--stop_stage", "2", "--align_pictures", "0")
    data, dump = recipe.path / "data", recipe.path / "dump"
    before = read_table(data / "test" / "utt2audio")
    assert read_table(dump / "test" / "utt2audio") == before
    assert (data / "target_SSB7010_speech" / "utt2audio").exists()

    utterance, path = next(iter(read_table(data / "test" / "wav.scp").items()))
    content, state = Path(path).read_bytes(), Path(path).stat()
    Path(path).write_bytes(content)  # other times, the same content
    assert done(recipe.run(*again)) == {"stage 0, tables of the corpus", "stage 0, data_text"}

    samples, rate = soundfile.read(path, dtype="int16")
    soundfile.write(path, samples // 2, rate, subtype="PCM_16")
    assert Path(path).stat().st_size == state.st_size
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    changed = recipe.run(*again)
    assert done(changed) - {"stage 0, tables of the corpus"} == {
        "stage 0, data_text",
        "stage 0, data_sets",
        "stage 1, durations of test",
        "stage 2, features of test",
    }
    assert "data/test/utt2audio has changed" in changed.stdout
    now = read_table(data / "test" / "utt2audio")
    assert {utt for utt in now if now[utt] != before[utt]} == {utterance}
    assert read_table(dump / "test" / "utt2audio") == now


def done(run):
    """The steps that a run did not skip."""
    return set(re.findall(r"\) (stage .*): done in", run.stdout))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--stge", "3"], "--stage"),
        (["--corpus", "/nowhere"], "/nowhere"),
        (["--device", "cuda:1"], "--device cuda:1: expected cpu, cuda or auto"),
        (["extra"], "unexpected argument 'extra'"),
        (
            ["--train_args", "--data.train_dir 'a b"],
            "--train_args: No closing quotation in: --data.train_dir 'a b",
        ),
        (["--table1_asr_args", 'x"'], "--table1_asr_args: No closing quotation"),
    ],
)
def test_mistakes_are_named(recipe, options, message):
    done = recipe.run(*options, check=False)
    assert done.returncode != 0
    assert message in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_an_environment_without_the_packages_is_named(recipe, tmp_path):
    bare = tmp_path / "bare"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    bare.chmod(0o755)
    done = recipe.run("--corpus", str(tmp_path), check=False, python=bare)
    assert done.returncode == 1
    assert f"error: {bare} lacks packages that recipes need; run 'make env'" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_help_lists_every_option_with_its_default(recipe):
    text = recipe.run("--help").stdout
    for option in (
        "stage",
        "stop_stage",
        "skip_stages",
        "ngpu",
        "num_nodes",
        "nj",
        "dumpdir",
        "expdir",
        "tag",
    ):
        assert f"--{option}" in text
    assert re.search(r"--train_args", text)
    assert "conf/ctap.yaml" in text
