"""The texts of a corpus, table by table: which utterances can be used, and what is read of them."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ctap.audio.headers import Recording
from ctap.errors import UserError
from ctap.files.columns import Names
from ctap.files.joins import joined, values_of
from ctap.files.skips import SkipList
from ctap.files.tables import table_writer
from ctap.text.language import Language, Reading

FRAME_SECONDS = 0.01


def consistent(where: Path, tables: Collection[str], skipped: SkipList, language: Language) -> Iterator[str]:
    """The utterances that have a recording, a speaker and a text, rising; the others are noted.

    Args:
        where: Directory of the tables.
        tables: Their names.
        skipped: Takes the others.
        language: Of the texts.

    Raises:
        UserError: there is no table of texts, or an utterance's name doesn't start with its speaker's, which
            sorted tables rely on.
    """
    given = [name for name in language.given if name in tables]
    if not given:
        listed = " nor ".join(language.given)
        one, do = ("no ", "it") if len(language.given) == 1 else ("neither ", "one of them (or both)")
        raise UserError(f"{where}: holds {one}{listed}; write {do}")
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


def write_rules(folder: Path, language: Language, phones: Collection[str]) -> None:
    """Write the rules that texts were read by, with the ``phones`` found where the language collects them."""
    rules = language.rules
    if not rules.phones:
        rules = replace(rules, phones=language.collect(phones))
    rules.save(folder)
