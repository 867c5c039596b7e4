"""What a recogniser from outside hears: ``ctap.bin.transcribe --asr transformers:DIR --scp wav.scp ...``."""

from __future__ import annotations

from pathlib import Path

from ctap.bin.batch import Batch, read_rows
from ctap.bin.common import set_up_logging
from ctap.bin.entry import command
from ctap.device import choose_device
from ctap.jobs import ALONE, Share
from ctap.metrics.errors import NOTHING


def transcribe(
    asr: str,
    scp: Path,
    out: Path,
    language_of: Path | None = None,
    device: str = "auto",
    share: Share = ALONE,
) -> None:
    """Transcribe recordings with a recogniser from outside.

    Args:
        asr: kind:model, with kind one of transformers, faster_whisper, funasr. Weights are not unpickled, but
            some kinds of FunASR models run code that lies in the model: take only those that you trust.
        scp: Recordings: "id path" a line.
        out: Directory for text.
        language_of: Data or model directory whose text.json says what is spoken; default: Mandarin.
        device: cpu, cuda or auto.
        share: This job's share of the recordings.
    """
    from ctap.audio.wave import check_wave, load_wave
    from ctap.metrics.transcriber import make_transcriber
    from ctap.text.languages import language_in, older

    set_up_logging()
    batch = Batch("transcription", *read_rows(scp), out, share, [scp])
    language = language_in(language_of) if language_of else older()
    hear = make_transcriber(asr, choose_device(device), language.code)
    out.mkdir(parents=True, exist_ok=True)
    batch.check(lambda utt, path: check_wave(path))

    def say(utt: str, path: str) -> str:
        return " ".join(hear(load_wave(path, hear.sample_rate)).split()) or NOTHING

    batch.run(say, lambda done: batch.write("text", done))
    batch.finish(batch.path("text"))


main = command(transcribe)

if __name__ == "__main__":
    main()
