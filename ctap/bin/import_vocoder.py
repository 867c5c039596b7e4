"""Make a vocoder's directory of a generator in ONNX, for ``--vocoder`` of recipes and commands."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from ctap.audio.settings import AudioSettings
from ctap.bin.entry import command
from ctap.models.onnx_vocoder import OnnxConfig, OnnxVocoder


def import_vocoder(
    onnx: Path,
    audio: Path,
    out: Path,
    layout: Literal["channels_first", "frames_first"] = "channels_first",
    delay: int | None = None,
) -> None:
    """Make a vocoder's directory of a generator in ONNX, which is tried on a short mel first.

    Args:
        onnx: The generator: one input, natural-log mel, and samples as its first output.
        audio: Mel settings that it was trained with, JSON or YAML (conf/audio/hifigan.yaml).
        out: Directory to write.
        layout: Its input is channels_first, [1, mels, frames], or frames_first, [1, frames, mels].
        delay: Samples from the first that it gives to the centre of the first frame; half a hop if left out.
    """
    settings = AudioSettings.load(audio)
    OnnxVocoder(onnx, OnnxConfig(layout, delay), settings).save(out)
    print(f"{out}: {settings.n_mels} mel bands at {settings.sample_rate} Hz, hop {settings.hop_length}")


main = command(import_vocoder)

if __name__ == "__main__":
    main()
