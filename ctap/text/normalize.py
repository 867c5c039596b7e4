"""Written text to what is spoken: hanzi and pauses, nothing else.

Digits, dates, amounts, percentages, units and the like are written out by wetext (the text normalisation
grammars of WeNet as finite-state transducers, shipped inside its wheel, so nothing is downloaded). cn2an was
the alternative: 250 times smaller and three times quicker to import, but it reads a telephone number as a
quantity and leaves times, currencies, units and arithmetic signs as they are.

What then still isn't hanzi, a pause or silent punctuation can't be read: Latin letters, other scripts,
symbols.
"""

from __future__ import annotations

import functools
import re
from typing import Any

from ctap.errors import UserError

PAUSE = "，"
"""The one character that stands for a pause in normalised text."""

_PAUSES = frozenset("，。！？；：、,.!?;:…—–～~\n\r|｜")
_SILENT = frozenset(" \t\u3000\u00a0\u200b\ufeff\"'“”‘’`´「」『』《》〈〉<>（）()【】[]〔〕{}｛｝·・•-_－")
_HANZI = re.compile(
    "[\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]"  # 〇, unified, compatibility
)


class UnreadableText(UserError):  # noqa: N818 - the name callers catch says what it is
    """Text holding something that there is no Mandarin reading for."""


def is_hanzi(char: str) -> bool:
    """Whether ``char`` is one Chinese character (〇 included)."""
    return _HANZI.fullmatch(char) is not None


@functools.cache
def _normalizer() -> Any:
    from wetext import Normalizer  # takes a second, so only when there is something to write out

    return Normalizer(lang="zh", operator="tn", remove_erhua=False)


def normalize_text(text: str) -> str:
    """Spoken form of ``text``: hanzi, with one :data:`PAUSE` wherever punctuation stands inside.

    Pauses at either end are dropped, and so are spaces, quotes and brackets. Text of only hanzi and
    punctuation never reaches the grammars.

    Raises:
        UnreadableText: naming what can't be read, or that nothing is left to read.
    """
    if not all(is_hanzi(c) or c in _PAUSES or c in _SILENT for c in text):
        text = _normalizer().normalize(text)
    out: list[str] = []
    unread: list[str] = []
    for char in text:
        if is_hanzi(char):
            out.append(char)
        elif char in _PAUSES:
            if out and out[-1] != PAUSE:
                out.append(PAUSE)
        elif char not in _SILENT:
            unread.append(char)
    if unread:
        raise UnreadableText(f"no Mandarin reading for {''.join(unread)!r} in {text!r}; write it in hanzi")
    if out and out[-1] == PAUSE:
        out.pop()
    if not out:
        raise UnreadableText(f"nothing to read in {text!r}")
    return "".join(out)


def hanzi_only(text: str) -> str:
    """:func:`normalize_text` without its pauses: what a data directory's ``text`` holds."""
    return normalize_text(text).replace(PAUSE, "")
