"""Complete a data directory: check recordings, make phones, leave out what is unusable."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ctap.audio.headers import Recording, check_recordings
from ctap.bin.entry import command
from ctap.errors import UserError
from ctap.files.columns import Names
from ctap.files.joins import joined, values_of
from ctap.files.skips import SkipList
from ctap.files.tables import read_rows, read_table, table_writer, write_table
from ctap.kaldi.prepare import check_tables, tables_dir
from ctap.kaldi.subsets import Subset, write_subsets
from ctap.text.language import Language, Reading
from ctap.text.languages import language_of, rules_for
from ctap.text.rules import RULES_FILE, TextRules

FRAME_SECONDS = 0.01


def prepare_text(
    in_dir: Path,
    out_dir: Path,
    skipped: Path | None = None,
    notices: Path | None = None,
    language: str = TextRules.language,
    phones_of: Path | None = None,
    phone_map: Path | None = None,
    sandhi: bool = False,
    spell_latin: bool = False,
    min_seconds: float = 0.1,
    max_seconds: float = 60.0,
    num_threads: int = 8,
) -> None:
    """Complete a data directory: check recordings, make phones, leave out what is unusable.

    A recipe writes wav.scp, utt2spk, text (of Mandarin: text and/or pinyin), and if known spk2gender (m, f),
    utt2part (train, dev, test) and prosody into --in_dir. In --out_dir every utterance then has wav.scp
    (absolute), utt2spk, text (Mandarin: hanzi only), phones, tables of the language (pinyin; word_phones:
    phones of each word), utt2dur (seconds) and utt2audio (a digest of the recording, by which later stages
    notice a change); text.json says how the texts were read, and models trained on them are told. What is
    left out is named with its reason in --skipped, after what the recipe wrote to skipped.tsv in --in_dir.

    Args:
        in_dir: Data directory that the recipe wrote.
        out_dir: Data directory to write, in place of what is there.
        skipped: What is left out; default: skipped.tsv beside --out_dir.
        notices: Kept, with a remark; default: notices.tsv beside --out_dir.
        language: Of the texts: mandarin, english, espeak:VOICE (such as espeak:de) or custom:FILE.
        phones_of: Model or data directory whose phones to keep to; utterances with others are left out.
        phone_map: Table of phones to those that stand for them: "ʁ r" or "pf p f" a line.
        sandhi: Tone sandhi where hanzi are read (given pinyin stays as it is).
        spell_latin: Latin letters by their names where hanzi are read; else such utterances are left out.
        min_seconds: Leave out shorter recordings.
        max_seconds: Leave out longer recordings.
        num_threads: Recordings read at a time.
    """
    left_out, remarks = SkipList(in_dir / "skipped.tsv"), SkipList(in_dir / "notices.tsv")
    tables = check_tables(in_dir)
    inventory = {"phones_of": phones_of, "phone_map": phone_map}
    rules = rules_for(language, **inventory, sandhi=sandhi, spell_latin=spell_latin)
    spoken = language_of(rules)
    names = Names(consistent(in_dir, tables, left_out, spoken), in_dir)
    limits = {"min_seconds": min_seconds, "max_seconds": max_seconds, "total": len(names)}
    waves = ((utt, str(path)) for utt, path in values_of(names, in_dir / "wav.scp"))
    recordings = check_recordings(waves, left_out, remarks, **limits, num_threads=num_threads)
    skipped, notices = skipped or out_dir.parent / "skipped.tsv", notices or out_dir.parent / "notices.tsv"
    with tables_dir(out_dir) as folder:
        made = write_made(folder, read_all(in_dir, names, recordings, spoken, left_out, remarks), spoken)
        left_out.write(skipped)
        left_out.report("left out", skipped)
        remarks.write(notices)
        remarks.report("kept, with a remark", notices)
        if not made.utts:
            raise UserError(f"{in_dir}: no utterance can be used; {skipped} says why of each")
        speakers = write_rest(folder, in_dir, made, rules)
    if "text" not in tables:
        print(spoken.without_text)
    hours = made.seconds / 3600
    print(f"{out_dir}: {len(made.utts)} utterances of {speakers} speakers, {hours:.2f} h")


def consistent(where: Path, tables: Collection[str], skipped: SkipList, language: Language) -> Iterator[str]:
    """The utterances that have a recording, a speaker and a text, rising; the others are noted.

    Raises:
        UserError: there is no table of texts, or an utterance's name doesn't start with its speaker's, which
            sorted tables rely on.
    """
    given = [name for name in language.given if name in tables]
    if not given:
        listed = " nor ".join(language.given)
        one = "neither " if len(language.given) > 1 else "no "
        raise UserError(f"{where}: holds {one}{listed}; write one of them (or both)")
    columns = (where / name for name in ("wav.scp", "utt2spk", *given))
    for utt, (recording, speaker, *texts) in joined(*columns):
        written = any(text is not None for text in texts)
        if recording is not None and not written:
            skipped.add(utt, "recording without text", recording)
        elif recording is None and written:
            skipped.add(utt, "text without recording")
        elif recording is not None and speaker is None:
            skipped.add(utt, "no speaker in utt2spk")
        elif recording is not None and speaker is not None:
            if not utt.startswith(speaker):
                raise UserError(
                    f"{where / 'utt2spk'}: utterance {utt!r} doesn't start with the name of its speaker "
                    f"{speaker!r}; name it {speaker}-{utt} in every table"
                )
            yield utt


def read_all(
    in_dir: Path,
    names: Names,
    recordings: Iterable[Recording | None],
    language: Language,
    skipped: SkipList,
    notices: SkipList,
) -> Iterator[tuple[str, str, Recording, Reading]]:
    """Utterance, path, recording and reading of what can be read and is long enough.

    Args:
        in_dir: Where the tables are.
        names: The utterances.
        recordings: That of each; None where it can't be used.
        language: Of the texts.
        skipped: Takes what can't be read.
        notices: Takes what is to be said of the others.
    """
    given = [name for name in (*language.given, *language.marks) if (in_dir / name).is_file()]
    columns = [values_of(names, in_dir / name) for name in ("wav.scp", *given)]
    for recording, (utt, path), *values in zip(recordings, *columns, strict=True):
        if recording is None or path is None:
            continue
        rows = {name: value for name, (_, value) in zip(given, values, strict=True) if value is not None}
        try:
            reading = language.read(rows)
        except UserError as error:
            skipped.add(utt, language.reason(error), error)
            continue
        frames = int(recording.seconds / FRAME_SECONDS + 1e-6) + 1
        if frames < len(reading.phones) + 2:  # an aligner gives each phone and both silences a frame
            detail = f"{recording.seconds:.3f} s for {len(reading.phones)} phones"
            skipped.add(utt, "recording too short for its text", detail)
            continue
        if reading.notice:
            notices.add(utt, *reading.notice)
        yield utt, path, recording, reading


@dataclass
class Made:
    """What was written.

    Attributes:
        utts: The utterances.
        seconds: Their length in all.
        phones: The phones that they have.
    """

    utts: Names
    seconds: float
    phones: set[str]


def made_tables(language: Language) -> list[str]:
    """The tables that are newly made; a given table from which nothing is made is left out."""
    made = (*language.given, "text", *language.made, "phones", "utt2dur", "utt2audio", "wav.scp")
    return list(dict.fromkeys(made))


def write_made(
    folder: Path, readings: Iterable[tuple[str, str, Recording, Reading]], language: Language
) -> Made:
    """Write :func:`made_tables` of what :func:`read_all` gives.

    Paths of recordings become absolute: recipes that join this corpus, and those of vocoders, run elsewhere.
    """
    seconds, phones = 0.0, set()
    with contextlib.ExitStack() as stack:
        write = {name: stack.enter_context(table_writer(folder / name)) for name in made_tables(language)}

        def written() -> Iterator[str]:
            nonlocal seconds
            for utt, path, recording, reading in readings:
                write["text"](utt, reading.text)
                for name, value in reading.tables.items():
                    write[name](utt, value)
                write["phones"](utt, reading.phones)
                write["utt2dur"](utt, f"{recording.seconds:.6f}")
                write["utt2audio"](utt, recording.digest)
                write["wav.scp"](utt, str(Path(path).absolute()))
                seconds += recording.seconds
                phones.update(reading.phones)
                yield utt

        utts = Names(written(), folder)
    for name in write:
        if not (folder / name).stat().st_size:
            (folder / name).unlink()
    return Made(utts, seconds, phones)


def write_rest(folder: Path, in_dir: Path, made: Made, rules: TextRules) -> int:
    """Write the tables that are taken over from ``in_dir``, and by which rules the texts were read.

    Returns:
        How many speakers there are.
    """
    spoken = language_of(rules)
    whole = Subset(folder, np.arange(len(made.utts)))
    write_subsets(in_dir, made.utts, [whole], leave={*made_tables(spoken), "spk2gender"})
    speakers = {speaker for speaker, _ in read_rows(folder / "spk2utt")}
    if (in_dir / "spk2gender").is_file():
        write_genders(in_dir / "spk2gender", speakers, folder / "spk2gender")
    if not rules.phones:  # those of the corpus, where its language collects them
        rules = replace(rules, phones=spoken.collect(made.phones))
    (folder / RULES_FILE).write_text(rules.as_json(), encoding="utf-8")
    return len(speakers)


def write_genders(given: Path, speakers: Collection[str], path: Path) -> None:
    """Write ``m`` or ``f`` of those of the ``speakers`` of whom it is ``given``.

    Raises:
        UserError: Something else is said of one of them.
    """
    letters = {}
    for speaker, word in read_table(given).items():
        if speaker in speakers:
            letters[speaker] = word[:1].lower()
            if letters[speaker] not in ("m", "f"):
                raise UserError(f"{given}: {speaker!r} has {word!r}, expected m or f")
    if letters:
        write_table(path, letters)


main = command(prepare_text)

if __name__ == "__main__":
    main()
