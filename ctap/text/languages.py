"""The languages that can be named, and which one a directory's texts are in."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from ctap.errors import UserError, cli
from ctap.files.tables import read_table
from ctap.text.espeak import listed_voice
from ctap.text.ipa import CHART
from ctap.text.language import Language
from ctap.text.pauses import PAUSES
from ctap.text.rules import LANGUAGES, RULES_FILE, TextRules, is_language
from ctap.text.spoken import Collected, Own, Spoken
from ctap.text.tokens import BLANK, PAD

_NO_PHONES = (*PAUSES, PAD, BLANK, "|", ",")


def rules_for(
    name: str, *, phones_of: Path | None = None, phone_map: Path | None = None, **options: bool
) -> TextRules:
    """Rules of the language that a user names.

    Args:
        name: One of :data:`ctap.text.rules.LANGUAGES`, or several set apart by blanks; ``custom:FILE`` with
            the table of own phones. Voices are recorded as eSpeak NG lists them (``de`` for ``DE``).
        phones_of: Model or data directory whose phones are taken, of a language whose are collected.
        phone_map: Table of phones to those that stand for them, see :func:`with_phone_map`.
        options: Other fields of the rules.

    Raises:
        UserError: There is no such language or voice, or ``phones_of`` is of another or no directory.
    """
    kind, _, table = name.partition(":")
    if kind == "custom" and table:
        options, name = {**options, "phones": read_classes(Path(table))}, kind
    elif not is_language(name := " ".join(map(_listed, name.split()))) or name == "custom":
        listed = ", ".join((*LANGUAGES, "custom:FILE")).replace("custom, ", "")
        raise UserError(
            f"--language {name}: expected one of {listed}, or several set apart by blanks (without custom)"
        )
    rules = TextRules(language=name, **options)
    if phones_of is not None:
        if not phones_of.is_dir():
            raise UserError(f"--phones_of {phones_of}: no such directory; expected a model or data directory")
        there = TextRules.load(phones_of)
        if there.language != rules.language:
            raise UserError(f"--phones_of {phones_of}: is of {there.language}, not of {rules.language}")
        rules = replace(rules, phones=there.phones)
    return rules if phone_map is None else with_phone_map(rules, phone_map)


def _listed(name: str) -> str:
    """The name of one language, with its voice as eSpeak NG lists it."""
    kind, colon, voice = name.partition(":")
    return f"{kind}:{listed_voice(voice)}" if kind == "espeak" and colon else name


def with_phone_map(rules: TextRules, path: Path) -> TextRules:
    """``rules`` by which phones are replaced as a table says: a phone and what stands for it a line.

    Args:
        rules: Of a language whose phones are collected from a corpus.
        path: Lines such as ``ʁ r``, or ``pf p f``.

    Raises:
        UserError: the table can't be read, the language has phones of its own, or what stands for a phone is
            not in ``rules``.
    """
    if not isinstance(language := language_of(rules), Collected):
        raise UserError(f"--phone_map {path}: {language.name} has all of its phones; nothing can be mapped")
    mapping = tuple(read_table(path).items())
    for phone, others in mapping:
        unknown = [other for other in others.split() if rules.phones and other not in language.inventory]
        if unknown or set(others.split()) & set(PAUSES):
            raise UserError(
                f"--phone_map {path}: {phone} {others}: expected phones of {language.whose} (no pauses) "
                f"after {phone}; {unknown[0] if unknown else others} is not one"
            )
    return replace(rules, phone_map=mapping)


def read_classes(path: Path) -> tuple[tuple[str, str], ...]:
    """A table of own phones: a phone and its manner class a line, such as ``tS affricate``.

    Raises:
        UserError: it can't be read, a line is malformed or names no class or what can't be a phone, or phones
            that differ in a final digit alone, one unit of the aligner's, are of two classes.
    """
    found: dict[str, str] = {}
    lines: dict[str, int] = {}
    try:
        content = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: the table of phones can't be read: {error}") from None
    for number, line in enumerate(content, 1):
        phone, *kinds = line.split() or [""]
        if phone and (len(kinds) != 1 or kinds[0] not in CHART or phone in _NO_PHONES):
            listed = ", ".join(CHART)
            raise UserError(
                f"{path}:{number}: {line.strip()}: expected a phone (no pause, {PAD} or {BLANK}) and its "
                f"class: {listed}"
            )
        if "|" in phone or "," in phone:
            raise UserError(f"{path}:{number}: {phone}: | and , stand between words and for pauses in texts")
        if phone in found:
            raise UserError(f"{path}:{number}: {phone!r} occurs a second time")
        found |= dict(zip([phone], kinds, strict=True)) if phone else {}
        lines |= {phone: number}
    if not found:
        raise UserError(f"{path}: expected a phone and its class a line, found nothing")
    _require_one_class(found, lines, path)
    return tuple(found.items())


def _require_one_class(found: Mapping[str, str], lines: Mapping[str, int], path: Path) -> None:
    """Refuse phones of one unit and two classes."""
    own, firsts = Own(TextRules(language="custom", phones=tuple(found.items()))), {}
    for phone, kind in found.items():
        first = firsts.setdefault(own.unit(phone), phone)
        if found[first] != kind:
            raise UserError(
                f"{path}:{lines[phone]}: {phone} {kind}: a final digit is a tone or stress, and {first} is a "
                f"{found[first]}; give both one class, or names that differ in more than the digit"
            )


@functools.lru_cache(maxsize=32)
def language_of(rules: TextRules) -> Language:
    """The language that ``rules`` name.

    Raises:
        UserError: there is none of this name, or its phones are not recorded.
    """
    from ctap.text.english import English
    from ctap.text.mandarin import Mandarin
    from ctap.text.several import Several

    if " " in rules.language:
        return Several(rules, language_of)
    kinds: dict[str, Callable[[TextRules], Language]] = {"espeak": Spoken, "custom": Own, "english": English}
    return kinds.get(rules.language.partition(":")[0], Mandarin)(rules)


def language_in(folder: str | Path) -> Language:
    """The language of a data, dump or model directory; Mandarin where none is recorded.

    Raises:
        UserError: ``text.json`` can't be read, or names no language of this version.
    """
    return language_of(TextRules.load(folder))


def recorded_phones(folder: str | Path) -> Mapping[str, frozenset[str]] | None:
    """Tables of a directory to the phones that they may hold; ``None`` where no language is recorded.

    Raises:
        UserError: as of :func:`language_in`.
    """
    return language_in(folder).phone_tables if (Path(folder) / RULES_FILE).exists() else None


def older() -> Language:
    """The language of what was made before languages were recorded."""
    return language_of(TextRules())


@cli
def main() -> None:
    """Print a language as it is recorded; a recipe refuses a wrong one so before its first stage."""
    name = sys.argv[1]
    rules = rules_for(name)
    print(name if rules.language == "custom" else rules.language)  # a table of own phones is read by stage 0


if __name__ == "__main__":
    main()
