"""Text to speech: ``ctap.bin.synthesize --model DIR --text 你好 --prompt VOICE.wav --out DIR``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import ctap
from ctap.bin.common import over, set_up_logging, write_list
from ctap.bin.entry import command
from ctap.errors import UserError
from ctap.files.tables import read_table
from ctap.jobs import share_table
from ctap.models.vocoder import DEFAULT


def synthesize(
    model: Path,
    prompt: Path | list[Path],
    out: Path,
    text: str | None = None,
    text_file: Path | None = None,
    phones_file: Path | None = None,
    durations_file: Path | None = None,
    durations: Literal["diffusion", "deterministic"] = "diffusion",
    speed: float = 1.0,
    pause: float = 0.4,
    max_seconds: float = 3600.0,
    seed: int = 777,
    vocoder: str = DEFAULT,
    device: str = "auto",
    job: int = 1,
    num_jobs: int = 1,
) -> None:
    """Say texts in the voice of a model and a prompt.

    Args:
        model: Model directory with the parts ctap and duration.
        prompt: Recordings of the voice wanted; of several, what is heard is averaged.
        out: Directory for wav/<id>.wav, wav.scp, aligned_phones and durations.
        text: One text, hanzi or pinyin; its id is "text".
        text_file: Many texts of any length: "id text" a line, hanzi or pinyin; said sentence by sentence.
        phones_file: Or phones as they stand: "id sil n i3 h ao3 sil" a line.
        durations_file: Frames of each phone for phones_file, 1 to 6000; nothing is predicted then.
        durations: Who predicts durations.
        speed: 0.2 to 5; above 1 is faster.
        pause: Seconds between two sentences of a text.
        max_seconds: Refuse to say more for one text.
        seed: Seeds the duration model.
        vocoder: pretrained, griffin_lim, or the directory of a trained vocoder.
        device: cpu, cuda or auto.
        job: This job's number, from 1.
        num_jobs: Jobs that share the texts.
    """
    set_up_logging()
    texts = read_texts(text, text_file, phones_file)
    given = {} if durations_file is None else read_durations(durations_file, texts)
    loaded = ctap.load(model, device, vocoder)
    _ = loaded.vocoder  # one that does not fit is refused here, not at every text
    voice = loaded.prompt(prompt)
    (out / "wav").mkdir(parents=True, exist_ok=True)

    def say(utt: str, what: str | list[str]) -> tuple[str, list[str], list[int]]:
        spans = whole_numbers(given[utt]) if given else durations
        speech = loaded.synthesize(
            what, voice, durations=spans, speed=speed, seed=seed, pause=pause, max_seconds=max_seconds
        )
        path = out / "wav" / f"{utt}.wav"
        speech.save(path)
        return str(path), speech.phones or [], speech.durations or []

    def save(done: dict[str, tuple[str, list[str], list[int]]]) -> None:
        for i, name in enumerate(("wav.scp", "aligned_phones", "durations")):
            write_list(out, name, {u: v[i] for u, v in done.items()}, job, num_jobs)

    over(share_table(texts, job, num_jobs), "synthesis", say, save)


def read_texts(
    text: str | None, text_file: Path | None, phones_file: Path | None
) -> dict[str, str | list[str]]:
    """What is to be said, by id: a text, or phones as they stand.

    Raises:
        UserError: More than one of the three is given, or none.
    """
    if [text, text_file, phones_file].count(None) != 2:
        raise UserError("give one of --text, --text_file and --phones_file")
    if phones_file is not None:
        return {k: v.split() for k, v in read_table(phones_file).items()}
    return dict(read_table(text_file)) if text_file is not None else {"text": text or ""}


def read_durations(path: Path, texts: Iterable[str]) -> dict[str, str]:
    """The line of each text.

    Raises:
        UserError: A text has none.
    """
    given = read_table(path)
    if missing := sorted(set(texts) - set(given)):
        raise UserError(f"{path}: no durations for {missing[0]} and {len(missing) - 1} more")
    return given


def whole_numbers(line: str) -> list[int]:
    """The durations of a line.

    Raises:
        UserError: One is no whole number.
    """
    try:
        return [int(word) for word in line.split()]
    except ValueError:
        raise UserError(f"durations {line!r}: expected whole numbers of frames") from None


main = command(synthesize)

if __name__ == "__main__":
    main()
