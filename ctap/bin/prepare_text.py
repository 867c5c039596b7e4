"""Complete a data directory: check recordings, make phones, leave out what is unusable."""

from __future__ import annotations

from pathlib import Path

from ctap.audio.headers import check_recordings
from ctap.bin.entry import command
from ctap.errors import UserError
from ctap.files.columns import Names
from ctap.files.joins import values_of
from ctap.files.skips import SkipList
from ctap.kaldi.prepare import check_tables, tables_dir, take_over
from ctap.text.corpus import consistent, made_tables, read_all, write_made, write_rules
from ctap.text.languages import language_of, rules_for
from ctap.text.rules import TextRules


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
        speakers = take_over(in_dir, folder, made.utts, leave=made_tables(spoken))
        write_rules(folder, spoken, made.phones)
    if "text" not in tables:
        print(spoken.without_text)
    print(f"{out_dir}: {len(made.utts)} utterances of {speakers} speakers, {made.seconds / 3600:.2f} h")


main = command(prepare_text)

if __name__ == "__main__":
    main()
