"""Recognise phones and text: ``python -m ctap.bin.recognize --model DIR --wav A.wav B.wav --out DIR``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ctap.bin.batch import Recordings
from ctap.bin.common import set_up_logging
from ctap.bin.entry import command
from ctap.files.atomic import write_json
from ctap.metrics.errors import NOTHING, RECOGNITION
from ctap.models.recognition import SWITCH_PENALTY, Recognition, check_penalty


def recognize(
    model: Path,
    out: Path,
    recordings: Recordings,
    switch_penalty: float = SWITCH_PENALTY,
    device: str = "auto",
) -> None:
    """Recognise phones and text of recordings.

    Args:
        model: Model directory with the part asr, or of a judge.
        out: Directory for phones, text (of the CTC head, if there is one), and frame by frame
            aligned_phones with durations; recognition.json says how they were found.
        recordings: Recordings to recognise; for --wav the result is also printed.
        switch_penalty: Nats that a change of phone costs: a few uncertain frames then do not split a phone
            in two. 0: the best phone of every frame.
        device: cpu, cuda or auto.
    """
    from ctap.models.judge import load_recognizer

    check_penalty(switch_penalty)
    set_up_logging()
    batch = recordings.batch("recognition", out)
    recognizer = load_recognizer(model, device)
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / RECOGNITION, {"model": str(model), "switch_penalty": switch_penalty})
    batch.check(lambda utt, path: recognizer.check_source(path))

    def save(heard: dict[str, Any]) -> None:
        runs = {u: h.runs() for u, h in heard.items()}
        batch.write("phones", {u: h.phones or ["sil"] for u, h in heard.items()})
        batch.write("aligned_phones", {u: phones for u, (phones, _) in runs.items()})
        batch.write("durations", {u: frames for u, (_, frames) in runs.items()})
        if any(h.text is not None for h in heard.values()):
            batch.write("text", {u: h.text or NOTHING for u, h in heard.items()})
        else:
            batch.path("text").unlink(missing_ok=True)  # of an earlier recogniser

    def hear(utt: str, path: str) -> Recognition:
        return recognizer.recognize(path, switch_penalty)

    heard = batch.run(hear, save)
    if recordings.wav is not None:
        for utt, h in heard.items():
            print(f"{utt}\t{' '.join(h.phones)}" + (f"\t{h.text}" if h.text is not None else ""))
    batch.finish(batch.path("phones"))


main = command(recognize)

if __name__ == "__main__":
    main()
