"""Ids of a user's lists become names of files: whatever they are, nothing is written outside ``--out``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import ctap
from ctap.align.textgrid import export_textgrids
from ctap.audio.settings import AudioSettings
from ctap.audio.wave import save_wave
from ctap.bin.batch import Recordings
from ctap.bin.convert import convert
from ctap.bin.embed import embed
from ctap.bin.list_samples import list_samples
from ctap.bin.plot_alignments import plot_alignments
from ctap.bin.prepare_text import main as prepare_text
from ctap.bin.recognize import recognize
from ctap.bin.resynthesize import resynthesize
from ctap.bin.synthesize import synthesize
from ctap.errors import UserError
from ctap.files.names import name_fault
from ctap.models import judge as judge_model
from ctap.models.recognition import Recognition
from ctap.models.speech import Speech

NASTY = [
    "../../escape",
    "../wav.scp",
    "/{box}/absolute",
    "..",
    ".",
    "a/../../b",
    "sub/x",
    "x\0y",
    "a\x1b[31m",
    "z" * 260,
]
IDS = st.one_of(
    st.sampled_from([*NASTY, "SSB00050001", "字-1"]), st.text(st.characters(codec="utf-8"), min_size=1)
)
RATE = 24000
FRAMES = 11


class FakeModel:
    """Says half a tenth of a second, whatever is asked for."""

    parts = SimpleNamespace(require=lambda name: None, units=None)
    vocoder = None

    def prompt(self, _: Any) -> None:
        return None

    def check_text(self, *_: Any) -> None:
        return None

    def check_source(self, _: Any) -> None:
        return None

    def check_melody(self, _: Any) -> None:
        return None

    def synthesize(self, *_: Any, **__: Any) -> Speech:
        return self.convert()

    def convert(self, *_: Any) -> Speech:
        wave = np.full(RATE // 10, 0.1, np.float32)
        return Speech(wave, RATE, torch.zeros(FRAMES, 40), ["sil"], [FRAMES])

    def recognize(self, *_: Any) -> Recognition:
        return Recognition(frame_phones=["sil"], phones=[], text=None)

    def embed(self, _: str) -> torch.Tensor:
        return torch.zeros(FRAMES, 4)


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with everything in it, so that what escapes from ``box/a/b`` is seen."""
    root = tmp_path_factory.mktemp("box")
    save_wave(root / "in.wav", 0.1 * np.sin(np.arange(RATE // 10)), RATE)
    AudioSettings().save(root / "audio.json")
    return root


def by_list(row: str, run: Callable[[Path, Path, Path], Any]) -> Callable[[Path, str], str]:
    """A command that reads a list with an id, whose line goes on with ``row``."""

    def do(box: Path, name: str) -> str:
        table = box / "a" / "list"
        table.write_text(f"{name} {row.format(box=box)}\n", encoding="utf-8", newline="\n")
        run(table, box / "a/b/out", box)
        return str(table)

    return do


def with_alignment(run: Callable[[Path, Path], Any]) -> Callable[[Path, str], str]:
    """A command that reads a data directory with an alignment."""

    def do(box: Path, name: str) -> str:
        rows = {"wav.scp": f"{box}/in.wav", "aligned_phones": "sil n i3", "durations": "4 3 4"}
        for table, row in rows.items():
            (box / "a" / table).write_text(f"{name} {row}\n", encoding="utf-8", newline="\n")
        run(box / "a", box / "a/b/out")
        return str(box / "a")

    return do


COMMANDS = {
    "synthesize": by_list("你好", lambda t, out, box: synthesize(box, box / "in.wav", out, text_file=t)),
    "convert": by_list(
        "{box}/in.wav", lambda t, out, box: convert(box, box / "in.wav", out, Recordings(scp=t))
    ),
    "resynthesize": by_list(
        "{box}/in.wav", lambda t, out, box: resynthesize(box / "audio.json", out, Recordings(scp=t))
    ),
    "recognize": by_list("{box}/in.wav", lambda t, out, box: recognize(box, out, Recordings(scp=t))),
    "embed": by_list("{box}/in.wav", lambda t, out, box: embed(box, out, Recordings(scp=t))),
    "list_samples": by_list(
        "{box}/in.wav", lambda t, out, box: list_samples(out / "samples.json", [f"tts={t}"], "somebody")
    ),
    "plot_alignments": with_alignment(plot_alignments),
    "textgrids": with_alignment(lambda data, out: export_textgrids(data, out, AudioSettings())),
}
DRAWS = ("list_samples", "plot_alignments")  # a picture takes its time


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_is_written_elsewhere(command: str, box: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctap, "load", lambda *_: FakeModel())
    monkeypatch.setattr(judge_model, "load_recognizer", lambda *_: FakeModel())
    (box / "a/b").mkdir(parents=True, exist_ok=True)
    done = refused = 0

    @settings(max_examples=4 if command in DRAWS else 25, deadline=None, database=None)
    @given(IDS)
    def one(name: str) -> None:
        nonlocal done, refused
        name = name.replace("{box}", str(box))
        for left in (box / "a").iterdir():
            if left.is_file():
                left.unlink()
        try:
            COMMANDS[command](box, name)
            done += 1
        except UserError as error:
            refused += 1
            first = name.split("\n")[0].split(" ")[0].split("\t")[0]
            if "\n" not in name and "\r" not in name and name_fault(first):
                assert ":1: " in str(error) and str(box / "a") in str(error)
        inside = {path for path in box.rglob("*") if (box / "a/b/out") in path.parents}
        outside = {str(path.relative_to(box)) for path in box.rglob("*") if path.is_file()} - {
            str(path.relative_to(box)) for path in inside
        }
        inputs = {"in.wav", "audio.json", "a/list", "a/wav.scp", "a/aligned_phones", "a/durations"}
        assert outside <= inputs, name
        assert not list(box.parent.glob("escape*"))

    one()
    COMMANDS[command](box, "SSB00050001")
    made = [path.name for path in (box / "a/b/out").rglob("*") if path.is_file()]
    assert made, "a name that is fine makes a file"
    with pytest.raises(UserError, match=r"/a/(list|aligned_phones|wav\.scp):1: '\.\./\.\./escape' holds '/'"):
        COMMANDS[command](box, "../../escape")


@pytest.mark.parametrize("speaker", ["../../s", "s\x1b", "..", "s" * 130])
def test_a_speaker_that_could_name_no_directory_stops_data_preparation(
    tmp_path: Path, capsys: pytest.CaptureFixture, speaker: str
) -> None:
    data = tmp_path / "corpus"
    data.mkdir()
    (data / "wav.scp").write_text("s1 /x.wav\ns2 /y.wav\n")
    (data / "text").write_text("s1 好\ns2 好\n")
    (data / "utt2spk").write_text(f"s1 s\ns2 {speaker}\n")
    with pytest.raises(SystemExit):
        prepare_text(["--in_dir", str(data), "--out_dir", str(tmp_path / "all")])
    assert f"error: {data}/utt2spk:2: " in capsys.readouterr().err
    assert not (tmp_path / "all").exists()


def test_a_file_whose_stem_is_no_key_is_refused_before_the_work(tmp_path: Path) -> None:
    save_wave(tmp_path / "my song.wav", np.full(2400, 0.1), RATE)
    AudioSettings().save(tmp_path / "audio.json")
    with pytest.raises(UserError, match=r"--wav .*my song\.wav: .*holds a blank.*--scp"):
        resynthesize(tmp_path / "audio.json", tmp_path / "out", Recordings([tmp_path / "my song.wav"]))
    assert not list((tmp_path / "out").rglob("*.wav"))
