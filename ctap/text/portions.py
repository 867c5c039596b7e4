"""Text in parts that eSpeak NG reads whole."""

from __future__ import annotations

import re
import unicodedata

# What the library loses: longer words of scripts without blanks, and longer clauses of these and of Hangul.
# Of several words in Burmese it mixes the memory, and may end the process. Other scripts it cuts at blanks.
_LONGEST_WORD, _LONGEST_CLAUSE = 60, 180
_CUT_BY_US = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\ua9e0-\ua9ff\uaa60-\uaa7f\uac00-\ud7ff\uf900-\ufaff]"
)
_BURMESE_BLANK = re.compile("(?<=[\u1000-\u109f])\\s+(?=[\u1000-\u109f])")
_CLAUSE_END = frozenset("、。，．！？；：,.!?;:…\n")
_NO_START = frozenset("ぁぃぅぇぉっゃゅょゎんァィゥェォッャュョヮンー")  # of half a word


def portions(text: str) -> list[str]:
    """``text`` in parts that the library reads whole, cut at a blank if there is one; see the limits above.

    >>> [len(part) for part in portions("か" * 70)]
    [60, 10]
    """
    found = []
    while cut := _first_cut(text):
        found.append(text[:cut])
        text = text[cut:]
    return [*found, text]


def _first_cut(text: str) -> int:
    """Where the first part of ``text`` ends; 0 if it is one."""
    word = clause = blank = 0
    burmese = _BURMESE_BLANK.search(text)
    for i, char in enumerate(text[: burmese.end() if burmese else None]):
        if char in _CLAUSE_END:
            word = clause = blank = 0
        elif char.isspace():
            word, blank = 0, i
        elif _CUT_BY_US.match(char):
            word += not "\u3400" <= char <= "\u9fff"  # each of which is a word
            clause += len(unicodedata.normalize("NFD", char)) if "\uac00" <= char <= "\ud7a3" else 1
        if clause > _LONGEST_CLAUSE and blank:
            return blank
        if word > _LONGEST_WORD or clause > _LONGEST_CLAUSE:
            inside = range(i, i - _LONGEST_WORD // 2, -1)
            return next((k for k in inside if _may_start(text[k])), i)
    return burmese.end() if burmese else 0


def _may_start(char: str) -> bool:
    return char not in _NO_START and unicodedata.category(char)[0] != "M"
