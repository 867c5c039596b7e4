"""Complete a data directory: check recordings, make pinyin and phones, leave out what is unusable."""

from __future__ import annotations

from pathlib import Path

from ctap.audio.headers import check_recordings
from ctap.bin.entry import command
from ctap.errors import UserError
from ctap.files.skips import SkipList
from ctap.kaldi.prepare import Tables, read_tables, select, write_tables
from ctap.text.reading import read, reason
from ctap.text.rules import RULES_FILE, TextRules

FRAME_SECONDS = 0.01


def prepare_text(
    in_dir: Path,
    out_dir: Path,
    skipped: Path | None = None,
    notices: Path | None = None,
    sandhi: bool = False,
    spell_latin: bool = False,
    min_seconds: float = 0.1,
    max_seconds: float = 60.0,
    num_threads: int = 8,
) -> None:
    """Complete a data directory: check recordings, make pinyin and phones, leave out what is unusable.

    A recipe writes wav.scp, utt2spk, text and/or pinyin, and if known spk2gender (m, f), utt2part (train,
    dev, test) and prosody into --in_dir. In --out_dir every utterance then has wav.scp, utt2spk, text (hanzi
    only), pinyin, phones, utt2dur (seconds) and utt2audio (a digest of the recording's file, by which later
    stages notice that it was rewritten); text.json says how the texts were read, and models trained on them
    are told. What is left out is named with its reason in --skipped, after what the recipe itself wrote to
    skipped.tsv in --in_dir (columns utt, reason, detail).

    Args:
        in_dir: Data directory that the recipe wrote.
        out_dir: Data directory to write, in place of what is there.
        skipped: What is left out; default: skipped.tsv beside --out_dir.
        notices: Kept, with a remark; default: notices.tsv beside --out_dir.
        sandhi: Tone sandhi where hanzi are read (given pinyin stays as it is).
        spell_latin: Latin letters by their names where hanzi are read; else such utterances are left out.
        min_seconds: Leave out shorter recordings.
        max_seconds: Leave out longer recordings.
        num_threads: Recordings read at a time.
    """
    left_out, remarks = SkipList(), SkipList()
    left_out.extend(in_dir / "skipped.tsv")
    remarks.extend(in_dir / "notices.tsv")
    tables = read_tables(in_dir)
    waves = {utt: tables["wav.scp"][utt] for utt in consistent(tables, in_dir, left_out)}
    limits = {"min_seconds": min_seconds, "max_seconds": max_seconds}
    recordings = check_recordings(waves, left_out, remarks, **limits, num_threads=num_threads)
    seconds = {utt: recording.seconds for utt, recording in recordings.items()}
    rules = TextRules(sandhi=sandhi, spell_latin=spell_latin)
    made = read_all(tables, seconds, rules, left_out, remarks)
    made["utt2audio"] = {utt: recordings[utt].digest for utt in made["phones"]}
    skipped, notices = skipped or out_dir.parent / "skipped.tsv", notices or out_dir.parent / "notices.tsv"
    for listed, path, title in ((left_out, skipped, "left out"), (remarks, notices, "kept, with a remark")):
        listed.write(path)
        listed.report(title, path)
    if not made["phones"]:
        raise UserError(f"{in_dir}: no utterance can be used; {skipped} says why of each")
    write(out_dir, select({**tables, **made}, made["phones"].keys()), rules, in_dir)
    if "text" not in tables:
        print("this corpus has no hanzi: `text` holds the syllables run together")
    hours = sum(seconds[utt] for utt in made["phones"]) / 3600
    speakers = len({tables["utt2spk"][utt] for utt in made["phones"]})
    print(f"{out_dir}: {len(made['phones'])} utterances of {speakers} speakers, {hours:.2f} h")


def consistent(tables: Tables, where: Path, skipped: SkipList) -> list[str]:
    """The utterances that have a recording, a speaker and a text, sorted; the others are noted.

    Raises:
        UserError: utterance names that don't start with their speaker's, which sorted tables rely on.
    """
    recordings, speakers = tables["wav.scp"], tables["utt2spk"]
    if "text" not in tables and "pinyin" not in tables:
        raise UserError(f"{where}: holds neither text nor pinyin; write one of them (or both)")
    texts = tables.get("text", {}).keys() | tables.get("pinyin", {}).keys()
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
    tables: Tables, seconds: dict[str, float], rules: TextRules, skipped: SkipList, notices: SkipList
) -> Tables:
    """``text``, ``pinyin``, ``phones``, ``utt2dur`` of what can be read and is long enough for its phones."""
    made: Tables = {"text": {}, "pinyin": {}, "phones": {}, "utt2dur": {}}
    hanzi, pinyin = tables.get("text", {}), tables.get("pinyin", {})
    for utt, duration in seconds.items():
        try:
            reading = read(
                hanzi.get(utt), pinyin.get(utt), sandhi=rules.sandhi, spell_latin=rules.spell_latin
            )
        except UserError as error:
            skipped.add(utt, reason(error), error)
            continue
        frames = int(duration / FRAME_SECONDS + 1e-6) + 1
        if frames < len(reading.phones) + 2:  # an aligner gives each phone and both silences a frame
            detail = f"{duration:.3f} s for {len(reading.phones)} phones"
            skipped.add(utt, "recording too short for its text", detail)
            continue
        if reading.traditional:
            notices.add(utt, "traditional characters, read as simplified ones", reading.text)
        made["text"][utt] = reading.text
        made["pinyin"][utt] = reading.pinyin
        made["phones"][utt] = reading.phones
        made["utt2dur"][utt] = f"{duration:.6f}"
    return made


def write(out_dir: Path, tables: Tables, rules: TextRules, in_dir: Path) -> None:
    """Write the data directory, with ``m`` or ``f`` of every speaker as the recipe gave it in ``in_dir``."""
    for speaker, word in tables.get("spk2gender", {}).items():
        letter = word[:1].lower()
        if letter not in ("m", "f"):
            raise UserError(f"{in_dir / 'spk2gender'}: {speaker!r} has {word!r}, expected m or f")
        tables["spk2gender"][speaker] = letter
    write_tables(out_dir, tables, {RULES_FILE: rules.as_json()})


main = command(prepare_text)

if __name__ == "__main__":
    main()
