"""Complete a data directory: check recordings, make phones, leave out what is unusable."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ctap.audio.headers import check_recordings
from ctap.bin.entry import command
from ctap.errors import UserError
from ctap.files.skips import SkipList
from ctap.kaldi.prepare import Tables, read_tables, select, write_tables
from ctap.text.language import Language
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
    tables = read_tables(in_dir)
    inventory = {"phones_of": phones_of, "phone_map": phone_map}
    rules = rules_for(language, **inventory, sandhi=sandhi, spell_latin=spell_latin)
    spoken = language_of(rules)
    waves = {utt: tables["wav.scp"][utt] for utt in consistent(tables, in_dir, left_out, spoken)}
    limits = {"min_seconds": min_seconds, "max_seconds": max_seconds}
    recordings = check_recordings(waves, left_out, remarks, **limits, num_threads=num_threads)
    seconds = {utt: recording.seconds for utt, recording in recordings.items()}
    made = read_all(tables, seconds, spoken, left_out, remarks)
    made["utt2audio"] = {utt: recordings[utt].digest for utt in made["phones"]}
    skipped, notices = skipped or out_dir.parent / "skipped.tsv", notices or out_dir.parent / "notices.tsv"
    for listed, path, title in ((left_out, skipped, "left out"), (remarks, notices, "kept, with a remark")):
        listed.write(path)
        listed.report(title, path)
    if not made["phones"]:
        raise UserError(f"{in_dir}: no utterance can be used; {skipped} says why of each")
    write(out_dir, select({**tables, **made}, made["phones"].keys()), with_phones(rules, made), in_dir)
    if "text" not in tables:
        print(spoken.without_text)
    hours = sum(seconds[utt] for utt in made["phones"]) / 3600
    speakers = {tables["utt2spk"][utt] for utt in made["phones"]}
    print(f"{out_dir}: {len(made['phones'])} utterances of {len(speakers)} speakers, {hours:.2f} h")


def consistent(tables: Tables, where: Path, skipped: SkipList, language: Language) -> list[str]:
    """The utterances that have a recording, a speaker and a text, sorted; the others are noted.

    Raises:
        UserError: utterance names that don't start with their speaker's, which sorted tables rely on.
    """
    recordings, speakers = tables["wav.scp"], tables["utt2spk"]
    given = [name for name in language.given if name in tables]
    if not given:
        listed = " nor ".join(language.given)
        one = "neither " if len(language.given) > 1 else "no "
        raise UserError(f"{where}: holds {one}{listed}; write one of them (or both)")
    texts = set().union(*(tables[name].keys() for name in given))
    for utt in recordings.keys() - texts:
        skipped.add(utt, "recording without text", recordings[utt])
    for utt in texts - recordings.keys():
        skipped.add(utt, "text without recording")
    keep = sorted(recordings.keys() & texts)
    for utt in keep:
        if utt not in speakers:
            skipped.add(utt, "no speaker in utt2spk")
        elif not utt.startswith(speakers[utt]):
            raise UserError(
                f"{where / 'utt2spk'}: utterance {utt!r} doesn't start with the name of its speaker "
                f"{speakers[utt]!r}; name it {speakers[utt]}-{utt} in every table"
            )
    return [utt for utt in keep if utt in speakers]


def read_all(
    tables: Tables, seconds: dict[str, float], language: Language, skipped: SkipList, notices: SkipList
) -> Tables:
    """``text``, ``phones``, ``utt2dur`` and the language's tables of what can be read and is long enough."""
    # a table that was given and is not made anew stays empty, and is left out
    made: Tables = {name: {} for name in (*language.given, "text", *language.made, "phones", "utt2dur")}
    given = {name: tables[name] for name in (*language.given, *language.marks) if name in tables}
    for utt, duration in seconds.items():
        try:
            reading = language.read({name: rows[utt] for name, rows in given.items() if utt in rows})
        except UserError as error:
            skipped.add(utt, language.reason(error), error)
            continue
        frames = int(duration / FRAME_SECONDS + 1e-6) + 1
        if frames < len(reading.phones) + 2:  # an aligner gives each phone and both silences a frame
            detail = f"{duration:.3f} s for {len(reading.phones)} phones"
            skipped.add(utt, "recording too short for its text", detail)
            continue
        if reading.notice:
            notices.add(utt, *reading.notice)
        made["text"][utt] = reading.text
        for name, value in reading.tables.items():
            made[name][utt] = value
        made["phones"][utt] = reading.phones
        made["utt2dur"][utt] = f"{duration:.6f}"
    return made


def with_phones(rules: TextRules, made: Tables) -> TextRules:
    """``rules`` with the phones of the corpus, where its language collects them and none are set."""
    if rules.phones:
        return rules
    return replace(
        rules, phones=language_of(rules).collect(p for own in made["phones"].values() for p in own)
    )


def write(out_dir: Path, tables: Tables, rules: TextRules, in_dir: Path) -> None:
    """Write the data directory, with ``m`` or ``f`` of every speaker as the recipe gave it in ``in_dir``.

    Paths of recordings become absolute: recipes that join this corpus, and those of vocoders, run elsewhere.
    """
    tables["wav.scp"] = {utt: str(Path(path).absolute()) for utt, path in tables["wav.scp"].items()}
    for speaker, word in tables.get("spk2gender", {}).items():
        letter = word[:1].lower()
        if letter not in ("m", "f"):
            raise UserError(f"{in_dir / 'spk2gender'}: {speaker!r} has {word!r}, expected m or f")
        tables["spk2gender"][speaker] = letter
    write_tables(out_dir, tables, {RULES_FILE: rules.as_json()})


main = command(prepare_text)

if __name__ == "__main__":
    main()
