"""Tone sandhi of connected speech: 不, 一, and runs of third tones.

pypinyin has rules of the kind, but applies them only inside the words of its dictionary of special readings,
which lacks most words (老鼠, 展览馆) and all phrases. These here need no word boundaries. Rules: Chao, *A
grammar of spoken Chinese* (1968). Longer runs of third tones go in feet of two syllables from the left,
the last of three if their number is odd, after Shih, *The prosodic domain of tone sandhi in Chinese* (1986),
without the syntax: 小老鼠 comes out as 2 2 3 where 3 2 3 may be heard too.
"""

from __future__ import annotations

import re

_DIGITS = frozenset("〇零一二三四五六七八九十")
_NUMBER_BEFORE = _DIGITS | frozenset("第初百千")
_ENDS_WORD_AFTER = frozenset("统唯万之单专划期周拜")  # 统一, 星期一: at the end of a word 一 keeps its tone
_MONTH_AND_DAY = frozenset("月号")
# What 一 numbers, in its own tone: the first of several (一班, 一线), a term (一加一). Where it may count as
# well, the sense is the one that is met more: 一班车, 一线生机, 一级台阶, 一加热 and any 一组 have sandhi.
_NUMBERED = re.compile(
    "年级|单元|季度|楼|等[奖舱座功品公]|班(?![人车船机岗公地列飞])|级(?![台阶一])|线(?![生希天光之间阳曙牵])"
    f"|[加减乘比到至][{''.join(_DIGITS)}]|加手机"
)
_ONE_OF_MANY_AFTER = frozenset("这那哪每某各另同上下前后又级低升降悬")  # 下一班, 每一季度, 命悬一线
_FIRST_YEAR = re.compile(
    "(?:学[生期]|新生|年级|班|[上下]学期|语文|数学|英语|物理|化学|入学|开学|[暑寒]假|期[中末]|老师|教师|[到至和的时])"
)
_TERM_AFTER = re.compile(f"[{''.join(_DIGITS)}][加减乘比到至]|[除乘]以")
_NO_TERM_BEFORE = frozenset("百千万亿个起样些定直")


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
            out[i] = "bu" + _bu(before, after, tone, syllables[i][-1])
        elif char == "一" and syllables[i].startswith("yi"):
            out[i] = "yi" + _yi(hanzi, i, tone)
    start = 0
    while start < len(out):
        stop = start
        while stop < len(out) and out[stop].endswith("3"):
            stop += 1
        _third_tones(out, start, stop)
        start = stop + 1
    return out


def _bu(before: str, after: str, next_tone: str, own_tone: str) -> str:
    if own_tone == "5" or (before and before == after):
        return "5"  # 差不多, as the dictionary has it; 是不是
    return "2" if next_tone == "4" else "4"


def _yi(hanzi: str, i: int, next_tone: str) -> str:
    before, after = hanzi[i - 1] if i else "", hanzi[i + 1 : i + 2]
    if before and before == after and before not in _DIGITS:
        return "5"  # 看一看
    in_number = before in _NUMBER_BEFORE or after in _DIGITS or after in _MONTH_AND_DAY
    if not after or in_number or before in _ENDS_WORD_AFTER or (after == "日" and before == "月"):
        return "1"
    if _is_number(hanzi, i):
        return "1"
    return "2" if next_tone == "4" or after == "个" else "4"


def _is_number(hanzi: str, i: int) -> bool:
    """Whether the 一 at ``i`` is the number of what follows, or a term, and not a count."""
    before, after = hanzi[i - 1] if i else "", hanzi[i + 1 : i + 2]
    if before in ("高", "大"):
        return _FIRST_YEAR.match(hanzi, i + 1) is not None
    if _TERM_AFTER.fullmatch(hanzi, max(i - 2, 0), i) and after not in _NO_TERM_BEFORE:
        return True
    if hanzi[i - 1 : i + 3] in ("上一年级", "升一年级"):
        return True
    return before not in _ONE_OF_MANY_AFTER and _NUMBERED.match(hanzi, i + 1) is not None


def _third_tones(out: list[str], start: int, stop: int) -> None:
    """In place: all but the last syllable of each foot of the run ``[start, stop)`` take the second tone."""
    while start < stop:
        foot = stop - start if stop - start <= 3 else 2
        for i in range(start, start + foot - 1):
            out[i] = out[i][:-1] + "2"
        start += foot
