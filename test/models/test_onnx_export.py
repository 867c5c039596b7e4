"""Exported parts beside PyTorch at several lengths, and speech from them where there is no torch."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

import ctap
from ctap.audio.logmel import log_mel
from ctap.audio.wave import load_wave
from ctap.bin.export_onnx import main
from ctap.errors import UserError
from ctap.models import onnx_export
from ctap.models.inference import Model
from ctap.models.model_dir import Parts
from ctap.models.onnx_graphs import graphs
from ctap.models.onnx_vocoder import onnx_session
from ctap.nn.excitation import seeded_noise
from ctap.text.frontend import text_to_phones
from test.tiny_model import save_model, save_tone

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra: onnx)")
ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs/examples/onnx_speech.py"
PARTS = ["speech_encoder", "prompt_encoder", "phoneme_encoder", "decoder", "durations", "recognizer"]
PARTS += ["pitch", "vocoder"]
NO_TORCH = """
import sys, importlib.abc
class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "ctap", "torchaudio", "lightning", "scipy"}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Missing())
sys.argv = sys.argv[1:]
import runpy; runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """With a spread: what is heard is the same in a graph."""
    folder = tmp_path_factory.mktemp("model")
    parts = Parts.load(save_model(folder / "plain"))
    parts.ctap.decoder.spread.copy_(torch.linspace(0.9, 1.6, 40))
    parts.save(folder / "model")
    return ctap.load(folder / "model", device="cpu")


@pytest.fixture(scope="module")
def exported(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("exported") / "onnx"
    main.execute(["--model", str(model.parts.path), "--out", str(out), "--check", "false"])
    return out


@pytest.fixture(scope="module")
def wav(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tone(tmp_path_factory.mktemp("wav") / "a.wav", seconds=4.0)


@pytest.mark.parametrize("size", [1, 7, 333, 3000])
def test_every_part_gives_what_pytorch_gives(model: Model, exported: Path, size: int) -> None:
    apart = onnx_export.check(model, exported, (size,))
    assert sorted(apart) == sorted(PARTS)
    assert max(apart.values()) < 1e-4
    shapes = {"mel": (1, size, 40), "s": (1, size, 8), "p": (1, size, 8), "log_phones": (1, size, 222)}
    for name, output in (("decoder", "mel"), ("speech_encoder", "s"), ("phoneme_encoder", "p")):
        session = onnx_session(exported / f"{name}.onnx", torch.device("cpu"))
        given = {k: v.numpy() for k, v in graphs(model)[name].draw(size).items()}
        assert session.run([output], given)[0].shape == shapes[output]


def test_a_part_that_differs_is_refused(model: Model, exported: Path, tmp_path: Path) -> None:
    for name in PARTS:
        (tmp_path / f"{name}.onnx").write_bytes((exported / f"{name}.onnx").read_bytes())
    other = ctap.load(save_model(tmp_path / "other", seed=1), device="cpu")
    with pytest.raises(UserError, match=r"speech_encoder: differs from PyTorch by .* at length 7"):
        onnx_export.check(other, tmp_path, (7,))


def test_samples_are_those_of_the_toolkits_vocoder(model: Model, exported: Path, wav: Path) -> None:
    wave = torch.from_numpy(load_wave(wav, model.sample_rate))
    mel = log_mel(wave, model.parts.audio)[None]
    sessions = {n: onnx_session(exported / f"{n}.onnx", torch.device("cpu")) for n in ("pitch", "vocoder")}
    f0 = sessions["pitch"].run(None, {"mel": mel.numpy()})[0]
    noise = seeded_noise(0, 0, (f0.shape[1] - 1) * 240)[None].numpy()
    said = sessions["vocoder"].run(None, {"mel": mel.numpy(), "f0": f0, "noise": noise})[0][0]
    expected = model.vocoder(mel[0])
    assert said.shape == expected.shape and np.abs(expected).max() > 0.1
    assert np.abs(said - expected).max() < 1e-3  # F0's last digits add up in the phase


def test_example_speaks_where_there_is_no_torch(exported: Path, wav: Path, tmp_path: Path) -> None:
    assert len(EXAMPLE.read_text().splitlines()) <= 62
    blocked = [sys.executable, "-c", NO_TORCH]
    words = [str(exported), str(wav), "jin1 tian1 hen3 hao3", str(tmp_path / "out.wav")]
    done = subprocess.run([*blocked, str(EXAMPLE), *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    said = load_wave(tmp_path / "out.wav", 24000)
    assert len(said) > 24000 * 0.1 and np.abs(said).max() > 1e-4
    soundfile.write(tmp_path / "stereo.wav", np.zeros((48000, 2)), 48000)
    words[1] = str(tmp_path / "stereo.wav")
    done = subprocess.run([*blocked, str(EXAMPLE), *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and "stereo.wav: expected one channel of 16 bits at 24000 Hz" in done.stderr
    words[1:3] = [str(wav), "jin1 xyz9 hao3"]
    done = subprocess.run([*blocked, str(EXAMPLE), *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and done.stderr.startswith("xyz9: no pinyin")
    failing = [*blocked, str(Path(__file__))]  # which imports torch
    assert "ModuleNotFoundError: torch" in subprocess.run(failing, capture_output=True, text=True).stderr


def test_example_reads_and_hears_as_the_toolkit_does(model: Model, exported: Path, wav: Path) -> None:
    spec = importlib.util.spec_from_file_location("onnx_speech", EXAMPLE)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    speaker, wave = example.Speaker(exported), load_wave(wav, model.sample_rate)
    expected = log_mel(torch.from_numpy(wave), model.parts.audio).numpy()
    np.testing.assert_allclose(speaker.mel(wave), expected, atol=2e-3)
    assert speaker.voice(wave).shape == (1, 6)
    pinyin = json.loads((exported / "manifest.json").read_text())["pinyin"]
    for text in ("ni3 hao3", "zhuang4 lv3 shi2", "er2 dianr3"):
        known = [s for s in text.split() if s in pinyin]
        assert len(known) >= 1
        phones = " ".join(["sil", *(pinyin[s] for s in known), "sil"]).split()
        assert phones == text_to_phones(" ".join(known))


def test_what_onnx_can_not_say_is_named(model: Model, tmp_path: Path) -> None:
    class Spectrum(torch.nn.Module):
        def forward(self, mel, mask=None, offset=0):
            return torch.fft.rfft(mel, dim=1).real

    found = graphs(model)["speech_encoder"]
    found.module.ctap = torch.nn.Module()
    found.module.ctap.config = model.parts.ctap.config
    found.module.ctap.speech_encoder = Spectrum()
    found.module.ctap.normalize = lambda x: x
    with pytest.raises(UserError, match=r"speech_encoder: can't be expressed in ONNX: .*fft"):
        onnx_export.export_graph(found, tmp_path / "x.onnx", "speech_encoder")
