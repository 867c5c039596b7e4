"""Check that a vocoder can be loaded and fits the features, before any model is trained on them."""

from __future__ import annotations

from pathlib import Path

from ctap.audio.settings import AudioSettings
from ctap.bin.entry import command
from ctap.models.pitch import Melody, taking_f0
from ctap.models.vocoder import DEFAULT, load_vocoder


def check_vocoder(audio: Path, vocoder: str = DEFAULT, melody: Melody = "model") -> None:
    """Check that a vocoder can be loaded and fits the features.

    Args:
        audio: Mel settings: audio.json of a dump.
        vocoder: pretrained, griffin_lim, or a vocoder's directory.
        melody: Whose F0 conversions are to have, as for ctap.bin.convert.
    """
    loaded = load_vocoder(vocoder, AudioSettings.load(audio))
    if melody == "source":
        taking_f0(loaded)
    print(f"vocoder {vocoder}: fits {audio}")


main = command(check_vocoder)

if __name__ == "__main__":
    main()
