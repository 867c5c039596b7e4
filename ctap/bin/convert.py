"""Voice conversion: ``ctap.bin.convert --model DIR --wav SOURCE.wav --prompt TARGET.wav --out DIR``."""

from __future__ import annotations

from pathlib import Path

from ctap.bin.batch import Recordings, keep_prompts
from ctap.bin.common import set_up_logging
from ctap.bin.entry import command
from ctap.models.pitch import Melody
from ctap.models.vocoder import DEFAULT


def convert(
    model: Path,
    prompt: Path | list[Path],
    out: Path,
    recordings: Recordings,
    vocoder: str = DEFAULT,
    melody: Melody = "model",
    device: str = "auto",
) -> None:
    """Convert recordings to the voice of a model and a prompt.

    Args:
        model: Model directory, fine-tuned on the target's speech.
        prompt: Recordings of the target; the prompt embeddings of several are averaged.
        out: Directory for wav/<id>.wav and wav.scp.
        recordings: Recordings to convert.
        vocoder: pretrained, griffin_lim, or the directory of a trained vocoder.
        melody: F0 of the model, or of the source, shifted to the mean of the prompt's.
        device: cpu, cuda or auto.
    """
    import ctap

    set_up_logging()
    keep_prompts(prompt, out)
    batch = recordings.batch("conversion", out)
    loaded = ctap.load(model, device, vocoder)
    loaded.check_melody(melody)  # it and a vocoder that does not fit are refused here, not at every source
    voice = loaded.prompt(prompt)
    (out / "wav").mkdir(parents=True, exist_ok=True)
    batch.check(lambda utt, source: loaded.check_source(source))

    def say(utt: str, source: str) -> str:
        path = out / "wav" / f"{utt}.wav"
        loaded.convert(source, voice, melody).save(path)
        return str(path)

    batch.run(say, lambda done: batch.write("wav.scp", done))
    batch.finish(batch.path("wav.scp"))


main = command(convert)

if __name__ == "__main__":
    main()
