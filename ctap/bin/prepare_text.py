"""Complete a corpus's data directory: check recordings, make phones, leave out what is unusable.

A recipe writes wav.scp, utt2spk, text (of Mandarin: text and/or pinyin), and if known spk2gender (m, f),
utt2part (train, dev, test) and prosody into --in_dir. In --out_dir every utterance then has wav.scp, utt2spk,
text (Mandarin: hanzi only), phones, what else the language has (pinyin; word_phones: phones of each word),
utt2dur (seconds) and utt2audio (a digest of the recording's file, by which later stages notice that it was
rewritten); text.json says in which language and how the texts were read, and with which phones, and models
trained on them are told. What is left out is named with its reason in --skipped, after what the recipe itself
wrote to skipped.tsv in --in_dir (columns utt, reason, detail).
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from ctap.audio.headers import check_recordings
from ctap.errors import UserError, cli
from ctap.files.skips import SkipList
from ctap.kaldi.prepare import Tables, read_tables, select, write_tables
from ctap.text.language import Language
from ctap.text.languages import LANGUAGE_HELP, language_of, rules_for
from ctap.text.rules import RULES_FILE, TextRules

FRAME_SECONDS = 0.01


def get_parser() -> argparse.ArgumentParser:
    """The command's options."""
    parser = argparse.ArgumentParser(
        prog="prepare_text", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--in_dir", type=Path, required=True, help="data directory that the recipe wrote")
    add("--out_dir", type=Path, required=True, help="data directory to write, in place of what is there")
    add("--skipped", type=Path, help="default: skipped.tsv beside --out_dir")
    add("--notices", type=Path, help="kept, with a remark; default: notices.tsv beside --out_dir")
    add("--language", default=TextRules.language, help=LANGUAGE_HELP)
    add("--phones_of", type=Path, metavar="DIR", help=PHONES_HELP)
    add("--sandhi", type=yes_or_no, default=False, metavar="true|false", help=SANDHI_HELP)
    add("--spell_latin", type=yes_or_no, default=False, metavar="true|false", help=SPELL_HELP)
    add("--min_seconds", type=float, default=0.1, help="leave out shorter recordings (default: 0.1)")
    add("--max_seconds", type=float, default=60.0, help="leave out longer recordings (default: 60)")
    add("--num_threads", type=int, default=8, help="recordings read at a time (default: 8)")
    return parser


PHONES_HELP = (
    "model or data directory whose phones to keep to, where they are collected from the corpus: "
    "utterances with others are left out, and the phones named"
)
SANDHI_HELP = "tone sandhi where hanzi are read (given pinyin stays as it is; default: false)"
SPELL_HELP = "Latin letters by their names where hanzi are read; else left out (default: false)"


def yes_or_no(word: str) -> bool:
    """``true`` or ``false``, as recipes write it."""
    if word.lower() not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"expected true or false, not {word!r}")
    return word.lower() == "true"


@cli
def main(argv: list[str] | None = None) -> None:
    """Write the completed data directory and report what was left out."""
    options = get_parser().parse_args(argv)
    skipped_path = options.skipped or options.out_dir.parent / "skipped.tsv"
    notices_path = options.notices or options.out_dir.parent / "notices.tsv"
    skipped, notices = SkipList(), SkipList()
    skipped.extend(options.in_dir / "skipped.tsv")
    notices.extend(options.in_dir / "notices.tsv")
    tables = read_tables(options.in_dir)
    options_of_text = {"sandhi": options.sandhi, "spell_latin": options.spell_latin}
    rules = rules_for(options.language, phones_of=options.phones_of, **options_of_text)
    language = language_of(rules)
    keep = consistent(tables, options.in_dir, skipped, language)
    recordings = check_recordings(
        {utt: tables["wav.scp"][utt] for utt in keep},
        skipped,
        notices,
        min_seconds=options.min_seconds,
        max_seconds=options.max_seconds,
        num_threads=options.num_threads,
    )
    seconds = {utt: recording.seconds for utt, recording in recordings.items()}
    made = read_all(tables, seconds, language, skipped, notices)
    made["utt2audio"] = {utt: recordings[utt].digest for utt in made["phones"]}
    skipped.write(skipped_path)
    notices.write(notices_path)
    skipped.report("left out", skipped_path)
    notices.report("kept, with a remark", notices_path)
    if not made["phones"]:
        raise UserError(f"{options.in_dir}: no utterance can be used; {skipped_path} says why of each")
    result = select({**tables, **made}, made["phones"].keys())
    if "spk2gender" in result:
        result["spk2gender"] = {spk: gender(spk, word, options) for spk, word in result["spk2gender"].items()}
    if not rules.phones:
        rules = replace(rules, phones=language.collect(p for own in made["phones"].values() for p in own))
    write_tables(options.out_dir, result, {RULES_FILE: rules.as_json()})
    if "text" not in tables:
        print(language.without_text)
    if rules.phones:
        print(f"{options.out_dir}/{RULES_FILE}: {len(rules.phones)} phones of {rules.language}")
    hours = sum(seconds[utt] for utt in made["phones"]) / 3600
    count, speakers = len(made["phones"]), len(result["spk2utt"])
    print(f"{options.out_dir}: {count} utterances of {speakers} speakers, {hours:.2f} h")


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
        raise UserError(f"{where}: holds {one}{listed}; write one of them (or more)")
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
    made: Tables = {name: {} for name in ("text", *language.made, "phones", "utt2dur")}
    given = {name: tables[name] for name in language.given if name in tables}
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


def gender(speaker: str, word: str, options: argparse.Namespace) -> str:
    """``m`` or ``f`` from what a recipe wrote."""
    letter = word[:1].lower()
    if letter not in ("m", "f"):
        raise UserError(f"{options.in_dir / 'spk2gender'}: {speaker!r} has {word!r}, expected m or f")
    return letter


if __name__ == "__main__":
    main()
