"""Tone sandhi of connected speech: 不, 一, and runs of third tones.

pypinyin has rules of the kind, but applies them only inside the words of its dictionary of special readings,
which lacks most words (老鼠, 展览馆) and all phrases. These here need no word boundaries. Rules: Chao, *A
grammar of spoken Chinese* (1968). Longer runs of third tones go in feet of two syllables from the left,
the last of three if their number is odd, after Shih, *The prosodic domain of tone sandhi in Chinese* (1986),
without the syntax: 小老鼠 comes out as 2 2 3 where 3 2 3 may be heard too.
"""

from __future__ import annotations

_DIGITS = frozenset("〇零一二三四五六七八九十")
_NUMBER_BEFORE = _DIGITS | frozenset("第初百千")
_ENDS_WORD_AFTER = frozenset("统唯万之单专划期周拜")  # 统一, 星期一: at the end of a word 一 keeps its tone
_MONTH_AND_DAY = frozenset("月号")


def apply_sandhi(hanzi: str, syllables: list[str]) -> list[str]:
    """Spoken tones of ``syllables``, the citation readings of ``hanzi`` said without a pause.

    Args:
        hanzi: one character for each syllable.
        syllables: canonical pinyin.
    """
    if len(hanzi) != len(syllables):
        raise ValueError(f"{len(hanzi)} hanzi and {len(syllables)} syllables")
    out = list(syllables)
    for i, char in enumerate(hanzi):
        before, after = hanzi[i - 1] if i else "", hanzi[i + 1 : i + 2]
        tone = syllables[i + 1][-1] if after else ""
        if char == "不" and syllables[i].startswith("bu"):
            out[i] = "bu" + _bu(before, after, tone)
        elif char == "一" and syllables[i].startswith("yi"):
            out[i] = "yi" + _yi(before, after, tone)
    start = 0
    while start < len(out):
        stop = start
        while stop < len(out) and out[stop].endswith("3"):
            stop += 1
        _third_tones(out, start, stop)
        start = stop + 1
    return out


def _bu(before: str, after: str, next_tone: str) -> str:
    if before and before == after:
        return "5"  # 是不是
    return "2" if next_tone == "4" else "4"


def _yi(before: str, after: str, next_tone: str) -> str:
    if before and before == after and before not in _DIGITS:
        return "5"  # 看一看
    counted = before in _NUMBER_BEFORE or after in _DIGITS or after in _MONTH_AND_DAY
    if not after or counted or before in _ENDS_WORD_AFTER or (after == "日" and before == "月"):
        return "1"
    return "2" if next_tone == "4" or after == "个" else "4"


def _third_tones(out: list[str], start: int, stop: int) -> None:
    """In place: all but the last syllable of each foot of the run ``[start, stop)`` take the second tone."""
    while start < stop:
        foot = stop - start if stop - start <= 3 else 2
        for i in range(start, start + foot - 1):
            out[i] = out[i][:-1] + "2"
        start += foot
