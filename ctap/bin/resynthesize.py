"""Recordings through log-mel and the vocoder: what synthesis could reach at best with this vocoder."""

from __future__ import annotations

from pathlib import Path

import torch

from ctap.audio.long import long_log_mel, vocode
from ctap.audio.settings import AudioSettings
from ctap.audio.wave import check_wave, load_wave, save_wave
from ctap.bin.batch import Recordings
from ctap.bin.common import set_up_logging
from ctap.bin.entry import command
from ctap.device import choose_device
from ctap.models.vocoder import DEFAULT, load_vocoder


def resynthesize(
    audio: Path, out: Path, recordings: Recordings, vocoder: str = DEFAULT, device: str = "auto"
) -> None:
    """Convert recordings to log-mel and back: the best that synthesis can reach with this vocoder.

    Args:
        audio: Mel settings: audio.json of a dump or a model directory.
        out: Directory for wav/<id>.wav and wav.scp.
        recordings: Recordings to resynthesise.
        vocoder: pretrained, griffin_lim, or the directory of a trained vocoder.
        device: cpu, cuda or auto.
    """
    set_up_logging()
    settings = AudioSettings.load(audio)
    place = choose_device(device)
    invert = load_vocoder(vocoder, settings, place)

    def say(utt: str, source: str) -> str:
        path = out / "wav" / f"{utt}.wav"
        wave = torch.from_numpy(load_wave(source, settings.sample_rate))
        mel = long_log_mel(wave, settings).to(place)
        save_wave(path, vocode(invert, mel, settings), settings.sample_rate)
        return str(path)

    batch = recordings.batch("resynthesis", out)
    (out / "wav").mkdir(parents=True, exist_ok=True)
    batch.check(lambda utt, source: check_wave(source))
    batch.run(say, lambda done: batch.write("wav.scp", done))
    batch.finish(batch.path("wav.scp"))


main = command(resynthesize)

if __name__ == "__main__":
    main()
