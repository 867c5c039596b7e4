"""Dates and times of day, in the forms they are written in, to words."""

from __future__ import annotations

import re
from collections.abc import Callable

from ctap.text.numbers import NUMBER, count, digits, number
from ctap.text.quantities import MEASURES

Match = re.Match[str]
Rule = tuple[str, str | Callable[[Match], str]]
"""A regular expression, and what stands for what it matches."""

DASH = r"\s*(?:[-–—]{1,2}?|~)\s*"
"""What stands between the ends of a range."""

_YEAR = r"(?:1\d|20)\d\d"
_MONTH = r"(?:0?[1-9]|1[0-2])"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_CLOCK = r"(?:[01]?\d|2[0-4]):[0-5]\d(?::[0-5]\d)?"
_OF_A_YEAR = r"毕业|出生|生|入学|奥运|世界杯|版|款|初|底|末|春|夏|秋|冬|\d{1,2}月"
_DAY_OF_NOTE = "(?:1[0-2]|[1-9])·(?:[12][0-9]|3[01]|[1-9])"
_WEEKDAY = "(?:周|星期)[一二三四五六日]"
_NO_DURATION = "(?!历史|的历史|之久)(?!(?<=000年)[前后来])"
_NAMED_BY_DAY = "晚会|大促|购物节|假期|小长假|长假|黄金周|劳动节|国庆|事变|惨案|事件|大地震"
_HALVES = {"a": "上午", "p": "下午"}
_SCORE_BEFORE = re.compile(r"(?:比分|比例|配比|比值|比率|之比|战平|战胜|击败|不敌|负于)[^\d，。,]{0,5}$")
_SCORE_AFTER = re.compile(
    r"的?(?:大?比分|比例|战胜|击败|大胜|小胜|险胜|完胜|获胜|取胜|胜|负|不敌|领先|落后|逆转|战平|平|横扫|淘汰)"
)


def is_score(match: Match) -> bool:
    """Whether the words around ``match`` say that it is a score or a ratio."""
    return bool(_SCORE_BEFORE.search(match.string[: match.start()])) or bool(
        _SCORE_AFTER.match(match.string, match.end())
    )


def _years(match: Match) -> str:
    return f"{digits(match[1])}{match[2]}到{digits(match[3])}"


def _clock(match: Match) -> str:
    if is_score(match):
        return match[0]
    minute, second, half = match[2], match[3], (match[4] or "").lower()
    out = _HALVES.get(half[:1], "") + _hour(match[1]) + "点"
    if minute != "00" or (second and second != "00"):
        out += _two_digits(minute) + "分"
    if second and second != "00":
        out += _two_digits(second) + "秒"
    return out


def _half_day(match: Match) -> str:
    return _HALVES[match[2].lower()] + _hour(match[1]) + "点"


def _hour(text: str) -> str:
    return "两" if int(text) == 2 else count(str(int(text)))


def _two_digits(text: str) -> str:
    """Minutes and seconds: 05 is 零五."""
    return "零" + digits(text[1]) if text[0] == "0" and text != "00" else count(str(int(text)))


def _ymd(year: str, month: str, day: str | None = None, last: str | None = None) -> str:
    out = f"{digits(year)}年{count(str(int(month)))}月"
    return out + count(str(int(day))) + (last or "") if day else out


def _numeric_date(match: Match) -> str:
    return _ymd(match[1], match[3], match[4], "号" if match[0].endswith("号") else "日")


def _western_date(match: Match) -> str:
    """``3/5/2024``: the month first, as in America, unless it can only be the day."""
    first, second = (int(part) for part in match.group(1, 2))
    month, day = (first, second) if first <= 12 else (second, first)
    return _ymd(match[3], str(month), str(day), "日") if month <= 12 and day <= 31 else match[0]


def _day_of_note(match: Match) -> str:
    return digits(match[0]).replace("点", "")


def _angle(match: Match) -> str:
    return f"度{count(match[1])}分" + (f"{count(match[2])}秒" if match[2] else "")


DATES_AND_TIMES: list[Rule] = [
    # Dates.
    (rf"(?<![\d.])(?:\d{{1,2}}\.\d{{1,2}}|\d{{3,4}})(?={_NAMED_BY_DAY})", _day_of_note),
    (rf"(?<!\d)({_YEAR})([-/.])({_MONTH})\2({_DAY})[日号]?(?![\d.]\d|\d)", _numeric_date),
    (r"(?<![\d./])(\d{1,2})/(\d{1,2})/((?:19|20)\d\d)(?![\d/])[日号]?", _western_date),
    (
        rf"(?<![\d.A-Za-z])(?<!版本)(?<!版本号)(2\d)\.({_MONTH})\.({_DAY})(?![\d.]|版|系统)",
        lambda m: _ymd(*m.groups(), "日"),
    ),
    (rf"(?<!\d)({_YEAR})年\s?0?(\d{{1,2}})月(?:0?(\d{{1,2}})(日|号))?", lambda m: _ymd(*m.groups())),
    (rf"(?<![\d.-])({_YEAR})[-/](0[1-9]|1[0-2])(?![\d./-]|年)", lambda m: _ymd(m[1], m[2])),
    (rf"(?<![\d.])({_YEAR})(年?){DASH}({_YEAR})(?=年|学年|赛季|级|届|期间|之间)", _years),
    (rf"(?<=[(（])({_YEAR})(){DASH}({_YEAR})(?=[)）])", _years),
    (rf"(?<![\d.])((?:19|20)\d\d)(){DASH}((?:19|20)\d\d)(?![\d.%]|(?:{MEASURES}))", _years),
    (
        rf"(?<![\d.])({_YEAR})\.({_MONTH}){DASH}({_YEAR})\.({_MONTH})(?![\d.])",
        lambda m: f"{_ymd(m[1], m[2])}到{_ymd(m[3], m[4])}",
    ),
    (rf"(?<![\d.])({_YEAR})(年?){DASH}(\d\d)(?=年|学年|赛季)", _years),
    (r"(?<=公元前)(\d{1,4})(?=年)|(?<=公元)(\d{1,4})(?=年)", lambda m: digits(m[0])),
    (
        rf"(?<![\d.])(?:{_YEAR}|[2-9]\d{{3}}(?<!000))(?=年{_NO_DURATION})",
        lambda m: digits(m[0]),
    ),
    (rf"(?<![\d.])(?:{_YEAR})(?=[级届款版]|学年|赛季|财年)", lambda m: digits(m[0])),
    (rf"(?<![\d.])({_YEAR})(?=[春夏秋冬世]|奥运|亚运|北京|东京|巴黎)", lambda m: digits(m[0])),
    (r"'(\d\d)(?=年(?!代))", lambda m: digits(m[1])),
    (r"(?<![\d.])0\d(?=年)", lambda m: digits(m[0])),
    (rf"(?<![\d.])[5-9]\d(?=年(?:{_OF_A_YEAR}))", lambda m: digits(m[0])),
    (r"'(?=\d0年代)", ""),
    (r"(?<![\d.])0([1-9])(?=[月日号])", r"\1"),
    (
        rf"(?<![\d.])({_DAY_OF_NOTE})(?!\d)",
        lambda m: digits(m[1]),
    ),
    (rf"({_WEEKDAY}){DASH}(?={_WEEKDAY})", r"\1到"),
    # Times, unless they are scores.
    (rf"(?<=\d:\d\d){DASH}(?={_CLOCK})", "到"),
    (rf"((?:周|星期|第)\d+[一-鿿]{{0,2}}){DASH}(?=周\d|星期\d|第\d)", r"\1到"),
    (
        r"(?<![\d:.])([01]?\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?(?:\s?([aApP])\.?[mM]\b\.?)?分?(?![\d:])",
        _clock,
    ),
    (
        r"(?<=\d)[°](\d{1,2})(?:′|')(?:(\d{1,2})(?:′′|″|\"|''))?",
        _angle,
    ),
    (r"(?<![\d.])(\d{1,2})(?:′|')(\d{1,2})(?:′′|″|\"|'')", lambda m: f"{count(m[1])}分{count(m[2])}秒"),
    (rf"({NUMBER})(?:′′|″|\")(?=屏|的|寸|电视|显示)", lambda m: number(m[1]) + "英寸"),
    (rf"(?<![\d.])({NUMBER})(?:′′|″)", lambda m: number(m[1]) + "秒"),
    (r"(?<![\d.])(\d{1,3})′(?!\d)", lambda m: count(m[1]) + "分"),
    (r"(?<![\d.:])(\d{1,2})\s?([aApP])\.?[mM]\b\.?", _half_day),
    (r"(?<=[点时])0([1-9])(?=分)", lambda m: "零" + digits(m[1])),
    (r"(?<=分)0([1-9])(?=秒)", lambda m: "零" + digits(m[1])),
    (r"(?<=[点时])2(?=分)|(?<=分)2(?=秒)", "二"),
]
"""In the order in which they are tried, see :mod:`ctap.text.grammar`."""
