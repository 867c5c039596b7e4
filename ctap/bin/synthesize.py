"""Text to speech: ``ctap.bin.synthesize --model DIR --text 你好 --prompt VOICE.wav --out DIR``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from zlib import crc32

import ctap
from ctap.bin.batch import Batch, keep_prompts, read_rows
from ctap.bin.common import set_up_logging
from ctap.bin.entry import command
from ctap.errors import UserError
from ctap.files.skips import SkipList
from ctap.jobs import ALONE, Share
from ctap.kaldi.durations import whole_numbers
from ctap.models.inference import MAX_SECONDS, PAUSE, DurationSource, Model
from ctap.models.prompt import Prompt
from ctap.models.timing import check_pause
from ctap.models.vocoder import DEFAULT
from ctap.nn.duration import check_speed
from ctap.text.languages import with_phone_map


def synthesize(
    model: Path,
    prompt: Path | list[Path],
    out: Path,
    text: str | None = None,
    text_file: Path | None = None,
    phones_file: Path | None = None,
    durations_file: Path | None = None,
    phone_map: Path | None = None,
    durations: DurationSource = "diffusion",
    speed: float = 1.0,
    pause: float = PAUSE,
    max_seconds: float = MAX_SECONDS,
    seed: int = 777,
    vocoder: str = DEFAULT,
    device: str = "auto",
    share: Share = ALONE,
) -> None:
    """Synthesise texts in the voice of a model and a prompt.

    Args:
        model: Model directory with the parts ctap and duration.
        prompt: Recordings of the voice; the prompt embeddings of several are averaged.
        out: Directory for wav/<id>.wav, wav.scp, aligned_phones and durations.
        text: One text in the model's language (hanzi or pinyin, say); its id is "text".
        text_file: Many texts of any length: "id text" a line; said sentence by sentence.
        phones_file: Instead of texts, phones: "id sil n i3 h ao3 sil" a line.
        durations_file: Frames of each phone for phones_file, 1 to 6000; nothing is predicted then.
        phone_map: Phones that the model does not know and their replacements: "ʁ r" or "pf p f" a line.
        durations: Model that predicts durations.
        speed: 0.2 to 5; above 1 is faster.
        pause: Seconds between two sentences of a text.
        max_seconds: Refuse texts that would take longer.
        seed: Seeds the duration model, for each of many texts together with its id.
        vocoder: pretrained, griffin_lim, or the directory of a trained vocoder.
        device: cpu, cuda or auto.
        share: This job's share of the texts.
    """
    set_up_logging()
    check_speed(speed)
    check_pause(pause)
    keep_prompts(prompt, out)
    lists = [text_file, phones_file, durations_file]
    batch = Batch("synthesis", *read_texts(text, text_file, phones_file, phone_map), out, share, lists)
    spans = read_durations(durations_file)
    loaded, voice = load_voice(model, device, vocoder, phone_map, prompt)
    (out / "wav").mkdir(parents=True, exist_ok=True)

    def say(utt: str, what: str | list[str]) -> tuple[str, list[str], list[int]]:
        times, own = spans(utt) or durations, seed if text is not None else seed + crc32(utt.encode())
        speech = loaded.synthesize(
            what, voice, durations=times, speed=speed, seed=own, pause=pause, max_seconds=max_seconds
        )
        path = out / "wav" / f"{utt}.wav"
        speech.save(path)
        return str(path), speech.phones or [], speech.durations or []

    batch.check(lambda utt, what: loaded.check_text(what, spans(utt), max_seconds))
    batch.run(say, lambda done: write_said(batch, done))
    batch.finish(batch.path("wav.scp"))


def load_voice(
    model: Path, device: str, vocoder: str, phone_map: Path | None, prompt: Path | list[Path]
) -> tuple[Model, Prompt]:
    """The model, with phones replaced as ``phone_map`` says, its vocoder looked at, and the prompt, heard."""
    loaded = ctap.load(model, device, vocoder)
    if phone_map is not None:
        loaded.parts.text = with_phone_map(loaded.parts.text, phone_map)
    _ = loaded.vocoder  # one that does not fit is refused here, not at every text
    return loaded, loaded.prompt(prompt)


def write_said(batch: Batch[Any], done: dict[str, tuple[str, list[str], list[int]]]) -> None:
    """Write the tables of what was said: file, phones and durations by id."""
    for i, name in enumerate(("wav.scp", "aligned_phones", "durations")):
        batch.write(name, {utt: said[i] for utt, said in done.items()})


def read_texts(
    text: str | None, text_file: Path | None, phones_file: Path | None, phone_map: Path | None
) -> tuple[dict[str, str | list[str]], SkipList]:
    """What is to be said, by id: a text, or phones as they stand; and the lines that can't be used.

    Raises:
        UserError: More than one of the three is given, or none; or a map of phones for what is phones.
    """
    if phone_map and phones_file:
        raise UserError("--phone_map is for texts: phones of --phones_file are given as the model knows them")
    if [text, text_file, phones_file].count(None) != 2:
        raise UserError("give one of --text, --text_file and --phones_file")
    if phones_file is not None:
        rows, left_out = read_rows(phones_file)
        return {k: v.split() for k, v in rows.items()}, left_out
    if text_file is not None:
        rows, left_out = read_rows(text_file)
        return dict(rows), left_out
    return {"text": text or ""}, SkipList()


def read_durations(path: Path | None) -> Callable[[str], list[int] | None]:
    """Gives the durations of a text, or None if there is no file of them.

    What it gives raises :class:`UserError` where the file has no line of the text, or one with words other
    than whole numbers.
    """
    given = None if path is None else read_rows(path)[0]

    def durations(utt: str) -> list[int] | None:
        if given is None:
            return None
        if utt not in given:
            raise UserError(f"{path}: no durations of {utt}, or none that can be read")
        return whole_numbers(given[utt])

    return durations


main = command(synthesize)

if __name__ == "__main__":
    main()
