"""The languages that can be named, and which one a directory's texts are in."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path

from ctap.errors import UserError
from ctap.text.language import Language
from ctap.text.rules import LANGUAGES, TextRules, is_language


def rules_for(name: str, *, phones_of: Path | None = None, **options: bool) -> TextRules:
    """Rules of the language that a user names.

    Args:
        name: One of :data:`ctap.text.rules.LANGUAGES`.
        phones_of: Model or data directory whose phones are taken, of a language whose are collected.
        options: Other fields of the rules.

    Raises:
        UserError: There is no such language, or ``phones_of`` is of another.
    """
    if not is_language(name):
        raise UserError(f"--language {name}: expected one of {', '.join(LANGUAGES)}")
    rules = TextRules(language=name, **options)
    if phones_of is None:
        return rules
    there = TextRules.load(phones_of)
    if there.language != rules.language:
        raise UserError(f"--phones_of {phones_of}: is of {there.language}, not of {rules.language}")
    return replace(rules, phones=there.phones)


@functools.lru_cache(maxsize=32)
def language_of(rules: TextRules) -> Language:
    """The language that ``rules`` name.

    Raises:
        UserError: there is none of this name, or its phones are not recorded.
    """
    from ctap.text.mandarin import Mandarin

    return Mandarin(rules)


def language_in(folder: str | Path) -> Language:
    """The language of a data, dump or model directory; Mandarin where none is recorded.

    Raises:
        UserError: ``text.json`` can't be read, or names no language of this version.
    """
    return language_of(TextRules.load(folder))


def older() -> Language:
    """The language of what was made before languages were recorded."""
    return language_of(TextRules())
