"""Choose the recording that stands for a speaker's voice at inference."""

from __future__ import annotations

from pathlib import Path

from ctap.audio.settings import AudioSettings
from ctap.audio.speech import voice_window
from ctap.audio.wave import AudioError, load_wave
from ctap.bin.entry import command
from ctap.errors import UserError
from ctap.files.atomic import atomic_write
from ctap.kaldi.datadir import DataDir
from ctap.ranges import POSITIVE, require


def choose_prompt(
    data_dir: Path,
    out: Path,
    seconds: float = 4.0,
    candidates: int = 20,
    heard: float = 3.0,
    settings: Path | None = None,
) -> None:
    """Choose a speaker's prompt: the recording that has most speech in the part that is heard of it.

    Recordings that can't be read or in which nobody speaks are passed over.

    Args:
        data_dir: Data directory of the speaker.
        out: File to write the path to, one line.
        seconds: Wanted length.
        candidates: Recordings that are listened to, those whose lengths are nearest to it.
        heard: Seconds that the prompt encoder hears (model.prompt_encoder.frames): the best ones count.
        settings: Audio settings (dump/audio.json); without, the paper's.
    """
    audio = AudioSettings.load(settings)
    frames = round(heard / audio.frame_shift)
    data = DataDir(data_dir)
    waves = data.table("wav.scp")
    lengths = {utt: length for utt, length in data.utt2dur.items() if utt in waves}
    if not lengths:
        raise UserError(f"{data_dir}/utt2dur: no utterance to take a prompt from")
    require("--candidates", candidates, POSITIVE)
    if frames < 1:
        raise UserError(f"--heard {heard}: expected a frame ({audio.frame_shift:g} s) or more")
    speech: dict[str, float] = {}
    faults: list[str] = []
    for utt in sorted(lengths, key=lambda u: (abs(lengths[u] - seconds), u)):
        try:
            speech[utt] = voice_window(load_wave(waves[utt], audio.sample_rate), audio, frames).speech
        except AudioError as error:
            faults.append(f"{utt}: {error}")
        if len(speech) == candidates:
            break
    if not speech:
        raise UserError(f"{data_dir}: no recording to take a prompt from; the first: {faults[0]}")
    chosen = max(speech, key=lambda u: (speech[u], -abs(lengths[u] - seconds)))
    with atomic_write(out) as file:
        file.write(waves[chosen] + "\n")
    print(f"{chosen}: {speech[chosen]:.2f} s of speech in what is heard of it; {len(faults)} passed over")


main = command(choose_prompt)

if __name__ == "__main__":
    main()
