"""A generator from elsewhere: called as it was trained, cut to the toolkit's times, refused if unfit."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from ctap.audio.frames import num_frames
from ctap.audio.settings import AudioSettings
from ctap.audio.wave import load_wave
from ctap.bin.batch import Recordings
from ctap.bin.import_vocoder import import_vocoder
from ctap.bin.pack import pack
from ctap.bin.resynthesize import resynthesize
from ctap.errors import UserError
from ctap.files.tables import read_table
from ctap.models.onnx_vocoder import OnnxConfig, OnnxVocoder
from ctap.models.vocoder import load_vocoder
from test.tiny_generator import Generator, export

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")
ROOT = Path(__file__).parents[2]
MELS = ROOT / "egs/TEMPLATE/ctap1/conf/audio/hifigan.yaml"
SETTINGS = AudioSettings.load(MELS)


@pytest.fixture(scope="module")
def graph(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("graph") / "g.onnx"


@pytest.fixture(scope="module")
def generator(graph) -> Generator:
    return export(graph)


@pytest.fixture(scope="module")
def folder(graph, generator, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("imported") / "hifigan"
    import_vocoder(graph, MELS, out)
    return out


@pytest.mark.parametrize("frames", [1, 2, 57])
def test_samples_are_the_generators_own_from_the_centre_of_the_first_frame(folder, generator, frames):
    mel = torch.randn(frames, 80, generator=torch.Generator().manual_seed(1)) - 4
    said = load_vocoder(folder, SETTINGS)(mel)
    assert num_frames(len(said), SETTINGS) == frames
    with torch.inference_mode():
        whole = generator(mel.expand(max(2, frames), -1).T[None])[0, 0].numpy()
    np.testing.assert_allclose(said, whole[128 : 128 + len(said)], atol=1e-5)


def test_a_recording_is_resynthesised_by_its_name(folder, tmp_path):
    source = ROOT / "docs" / "sounds" / "vc_source.ogg"
    resynthesize(folder / "audio.json", tmp_path, Recordings([source]), vocoder=str(folder), device="cpu")
    said = load_wave(read_table(tmp_path / "wav.scp")["vc_source"], 22050)
    assert num_frames(len(said), SETTINGS) == num_frames(len(load_wave(source, 22050)), SETTINGS)


def test_it_is_packed_as_any_vocoder(folder, tmp_path):
    pack(folder, tmp_path / "g.zip")
    with zipfile.ZipFile(tmp_path / "g.zip") as archive:
        archive.extractall(tmp_path)
    assert isinstance(load_vocoder(tmp_path / "g", SETTINGS), OnnxVocoder)


def test_other_settings_are_refused_by_their_names(folder):
    with pytest.raises(UserError, match=r"sample_rate is 22050, expected 24000.*mel_scale is slaney"):
        load_vocoder(folder, AudioSettings())


def test_another_model_is_not_overwritten(graph, generator, folder, tmp_path):
    (tmp_path / "model.yaml").write_text("format: 1")
    with pytest.raises(UserError, match="holds another model, which would be removed"):
        import_vocoder(graph, MELS, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["model.yaml"]
    import_vocoder(graph, MELS, folder)  # again into its own directory


def test_a_directory_with_more_than_a_vocoder_is_not_replaced(graph, tmp_path):
    """Such as the one of the generator's training, with a graph of the same name in it."""
    for name in ("generator.onnx", "g_02500000"):
        (tmp_path / name).write_text("weeks")
    with pytest.raises(UserError, match=r"holds something else \(g_02500000\)"):
        import_vocoder(graph, MELS, tmp_path)
    assert (tmp_path / "g_02500000").read_text() == "weeks"


def test_weights_in_a_file_of_their_own_are_refused(graph, tmp_path):
    """The trial finds them beside the graph; where that is copied to, nobody would."""
    onnx = pytest.importorskip("onnx")
    apart = {"save_as_external_data": True, "location": "apart.data", "size_threshold": 0}
    onnx.save_model(onnx.load(str(graph)), str(tmp_path / "apart.onnx"), **apart)
    with pytest.raises(UserError, match="Export it in one file"):
        import_vocoder(tmp_path / "apart.onnx", MELS, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_does_not_fit_is_refused_when_it_is_imported(graph, generator, tmp_path):
    with pytest.raises(UserError, match=r"4096 samples of 16 frames, expected 4650 to 5250"):
        OnnxVocoder(graph, OnnxConfig(), AudioSettings(n_mels=80, hop_length=300))
    with pytest.raises(UserError, match=r"can't be run on a mel \[1, 16, 80\] \(frames_first\)"):
        OnnxVocoder(graph, OnnxConfig("frames_first"), SETTINGS)
    with pytest.raises(UserError, match="delay -1"):
        OnnxVocoder(graph, OnnxConfig(delay=-1), SETTINGS)
    (tmp_path / "text.onnx").write_text("no graph")
    with pytest.raises(UserError, match=r"text\.onnx: can't be read as ONNX"):
        OnnxVocoder(tmp_path / "text.onnx", OnnxConfig(), SETTINGS)
    with pytest.raises(UserError, match="no such file"):
        OnnxVocoder(tmp_path / "none.onnx", OnnxConfig(), SETTINGS)


@pytest.mark.parametrize("mel", [torch.zeros(5, 40), torch.zeros(0, 80), torch.full((5, 80), np.nan)])
def test_wrong_mels_are_refused(folder, mel):
    with pytest.raises(ValueError, match="mel"):
        load_vocoder(folder, SETTINGS)(mel)
