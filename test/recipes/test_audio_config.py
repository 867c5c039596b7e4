"""A recipe with other mel settings and a vocoder from elsewhere: durations, pictures, speech and scores."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import soundfile

from ctap.audio.settings import AudioSettings
from ctap.bin.import_vocoder import import_vocoder
from ctap.files.tables import read_table
from test.tiny_generator import export

CONF = Path(__file__).parents[2] / "egs/TEMPLATE/ctap1/conf/audio/hifigan.yaml"


@pytest.mark.slow
def test_a_recipe_with_the_mels_and_the_vocoder_of_another_toolkit(recipe, spoken, tmp_path):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    export(tmp_path / "g.onnx")
    import_vocoder(tmp_path / "g.onnx", CONF, tmp_path / "hifigan")
    asked = ("--corpus", str(spoken), "--audio_config", str(CONF), "--stop_stage", "6")

    unfit = recipe.run(*asked, check=False)  # with the vocoder of the package
    assert unfit.returncode != 0
    assert "vocoder pretrained: made with other audio settings: sample_rate is 24000" in unfit.stderr
    assert not (recipe.path / "exp" / "ctap").exists()  # before anything was trained

    recipe.run(*asked, "--vocoder", str(tmp_path / "hifigan"))
    root, settings = recipe.path, AudioSettings.load(CONF)
    assert AudioSettings.load(root / "dump" / "audio.json") == settings
    assert AudioSettings.load(root / "exp" / "tts_SSB7010" / "model" / "audio.json") == settings
    frames = read_table(root / "dump" / "test" / "utt2num_frames")
    for utt, spans in read_table(root / "data" / "test" / "durations").items():
        assert sum(map(int, spans.split())) == int(frames[utt])
    assert list((root / "exp" / "align" / "pictures").glob("*.png"))
    for said in ("tts_SSB7010/test", "tts_SSB7010/test_given", "vc_SSB7010/test"):
        for path in read_table(root / "exp" / said / "wav.scp").values():
            assert soundfile.info(str(root / path)).samplerate == 22050
    assert "msep" in json.loads((root / "exp" / "tts_SSB7010" / "scores.json").read_text())["metrics"]
    assert (root / "exp" / "results.html").exists()
