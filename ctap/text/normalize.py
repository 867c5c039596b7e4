"""Written text to what is spoken: hanzi and pauses, nothing else.

Forms of characters become one (:mod:`ctap.text.forms`), then numbers and what belongs to them are written out
(:mod:`ctap.text.grammar`). Numbers that it leaves go to wetext (the text normalisation grammars of WeNet as
finite-state transducers, shipped inside its wheel, so nothing is downloaded). cn2an was the alternative: 250
times smaller, but it leaves times, currencies, units and arithmetic signs as they are.

What then still isn't hanzi, a pause or silent punctuation can't be read: Latin letters (unless they are to be
spelled), other scripts, symbols.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any

from ctap.errors import UserError
from ctap.text.forms import plain_form, without_prosody
from ctap.text.grammar import write_out
from ctap.text.latin import RUN, is_spelled
from ctap.text.simplified import simplified

PAUSE = "，"
"""The one character that stands for a pause in normalised text."""

_PAUSES = frozenset("，。！？；：、,.!?;:…—–～~\n\r|｜")
SILENT = frozenset(" \t\u3000\u00a0\u200b\ufeff\"'“”‘’`´「」『』《》〈〉<>（）()【】[]〔〕{}｛｝·・•-_－")
"""Characters that are not said and make no pause."""

_CHARS = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"  # 〇, unified, compatibility
_HANZI = re.compile(f"[{_CHARS}]")
_TOKENS = re.compile(f"[{_CHARS}]+|[A-Za-z]+|.", re.DOTALL)
# Without the signs that may join two numerals: 二十~三十.
_PLAIN = re.compile(f"[{_CHARS}{re.escape(''.join((_PAUSES | SILENT) - set('~-')))}]*")
_WINDOW = 200  # characters compared at once
_PARTS = re.compile("[A-Za-zＡ-Ｚａ-ｚ]+|.", re.DOTALL)


class UnreadableText(UserError):  # noqa: N818 - the name callers catch says what it is
    """Text holding something that there is no Mandarin reading for."""


def is_hanzi(char: str) -> bool:
    """Whether ``char`` is one Chinese character (〇 included)."""
    return _HANZI.fullmatch(char) is not None


@functools.cache
def _normalizer() -> Any:
    from wetext import Normalizer  # takes a second, so only when there is something to write out

    return Normalizer(lang="zh", operator="tn", remove_erhua=False)


def normalize_text(text: str, *, spell_latin: bool = False) -> str:
    """Spoken form of ``text``: hanzi, with one :data:`PAUSE` wherever punctuation stands inside.

    Pauses at either end are dropped, and so are spaces, quotes, brackets, invisible characters and the marks
    of prosodic boundaries. Hanzi stay in the script of the user. Text of only hanzi and punctuation (but
    for ``-`` and ``~``, which may join numerals) never reaches the grammars.

    Args:
        text: What was written.
        spell_latin: Letters that are said by their names stay in the text, see :mod:`ctap.text.latin`.

    Raises:
        UnreadableText: quoting what can't be read, or saying that nothing is left to read.
    """
    spoken = without_prosody(plain_form(text))
    if not _PLAIN.fullmatch(spoken):
        spoken = _in_words(spoken)
    spelled = {run[0] for run in RUN.finditer(spoken) if is_spelled(run[0])} if spell_latin else ()
    out: list[str] = []
    unread: set[str] = set()
    for token in _TOKENS.findall(spoken):
        if token in spelled or is_hanzi(token[0]):
            out.append(token)
        elif token[0] in _PAUSES:
            if out and out[-1] != PAUSE:
                out.append(PAUSE)
        elif token[0] not in SILENT:
            unread.add(token)
    if unread:
        raise UnreadableText(
            f"no Mandarin reading for {_quoted(text, unread)} in {text!r}; write it in hanzi"
        )
    if out and out[-1] == PAUSE:
        out.pop()
    if not out:
        raise UnreadableText(f"nothing to read in {text!r}")
    return "".join(out)


def _is_plain(char: str) -> bool:
    return is_hanzi(char) or char in _PAUSES or char in SILENT


def _in_words(text: str) -> str:
    """``text`` with numbers, signs and units in words; what it has of hanzi stays in its script."""
    plain = simplified(text)
    spoken = write_out(plain)
    if any(map(str.isdecimal, spoken)):
        spoken = _normalizer().normalize(spoken)
    if plain == text or len(plain) != len(text):
        return spoken
    out = list(spoken)
    for i, j, size in _unchanged(plain, spoken):
        out[j : j + size] = text[i : i + size]
    return "".join(out)


def _unchanged(before: str, after: str) -> Iterator[tuple[int, int, int]]:
    """Where stretches of ``before`` stand in ``after``, and their lengths.

    A window at a time, each from the last match of the one before, for the time of a comparison grows with
    the square of the length.
    """
    i = j = 0
    while i < len(before) and j < len(after):
        own = SequenceMatcher(None, before[i : i + _WINDOW], after[j : j + 2 * _WINDOW], autojunk=False)
        most = _WINDOW if i + _WINDOW >= len(before) else _WINDOW // 2
        found = [(i + a, j + b, size) for a, b, size in own.get_matching_blocks() if size and a < most]
        yield from found
        a, b, size = found[-1] if found else (i, j, _WINDOW // 2)
        i, j = a + size, b + size


def _quoted(text: str, unread: set[str]) -> str:
    """The stretches of ``text``, as it was written, that hold what can't be read."""
    parts = _PARTS.findall(text)
    wanted = [part for part in parts if any(token in plain_form(part) for token in unread)]
    wanted = wanted or [part for part in parts if not all(map(_is_plain, part))]
    return ", ".join(map(repr, dict.fromkeys(wanted)))
