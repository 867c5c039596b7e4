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
# 1500年前 is a length of time, 1900年前后 and 2000年后 are years.
_NO_DURATION = "(?!历史|的历史|之久)(?!(?<=00年)(?:前(?!后)|来|(?<!1900年)(?<!2000年)后))"
_LASTED = "(?:距今|历时|长达|再过|持续了?|延续了?|等待了?|等了|活了|睡了|又过了)(?:将近|大约|至少|[近约])?"
# No 公约 and 附近; and only before round numbers, as 约1452年 and 约1990年 are years.
_ABOUT = "(?:历经|(?<![公条合预签节契违北纽相])约|(?<![临附])近)"
_ROUND = r"(?:1[0-8]\d0|[1-9]\d00)"
_NAMED_BY_DAY = "晚会|大促|购物节|假期|小长假|长假|黄金周|国庆|事变|惨案|事件|大地震"
_FESTIVAL = "(?:国际)?(?:劳动|妇女|女神|女王|儿童|青年|建党|建军|植树)节|消费者权益日"
_REIGNS = (
    "民国|光绪|同治|咸丰|道光|嘉庆|乾隆|雍正|康熙|顺治|崇祯|万历|嘉靖|永乐|洪武|贞观|开元|昭和|平成|明治"
)
_HALVES = {"a": "上午", "p": "下午"}
_HOUR_OF_HALF = r"\d\s?[aApP]\.?[mM]\b\.?"
TIME_OF_DAY = (
    "(?:次日|翌日|第二天|当天)?(?:凌晨|清晨|早上|早晨|早|上午|中午|下午|傍晚|晚上|晚|夜里|深夜|午夜)?"
)
"""What may stand before an hour, as a regular expression."""

_SCORE_BEFORE = re.compile(r"(?:比分|比例|配比|比值|比率|之比|战平|战胜|击败|不敌|负于)[^\d，。,]{0,5}$")
_SCORE_AFTER = re.compile(
    r"的?(?:大?比分|比例|战胜|击败|大胜|小胜|险胜|完胜|获胜|取胜|胜|负|不敌|领先|落后|逆转|战平|平|横扫|淘汰)"
)


def is_score(match: Match) -> bool:
    """Whether the words around ``match`` say that it is a score or a ratio."""
    return bool(_SCORE_BEFORE.search(match.string[max(match.start() - 7, 0) : match.start()])) or bool(
        _SCORE_AFTER.match(match.string, match.end())
    )


def _years(match: Match) -> str:
    return f"{digits(match[1])}{match[2]}到{digits(match[3])}"


def _clock(match: Match) -> str:
    if is_score(match):
        return match[0]
    minute, second = match[2], match[3]
    out = _hour_of_half(match[1], match[4])
    if minute != "00" or (second and second != "00"):
        out += _two_digits(minute) + "分"
    if second and second != "00":
        out += _two_digits(second) + "秒"
    return out


def _half_day(match: Match) -> str:
    low, high, half = match.groups()
    return (f"{_hour(low)}点到" if low else "") + _hour_of_half(high, half)


def _hour_of_half(hour: str, half: str | None) -> str:
    """``hour`` of the half of the day that begins with a or p: 12 a.m. is midnight, 12 p.m. noon."""
    name = (half or "").lower()
    if name and int(hour) % 12 == 0:
        return "凌晨零点" if name == "a" else "中午十二点"
    return _HALVES.get(name, "") + _hour(hour) + "点"


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


def _no_date(match: Match) -> str:
    """Groups of digits in the form of a date that are not a date, but a code for example."""
    return digits(match[0], one="幺")


def _decade(match: Match) -> str:
    return ("二十世纪" if match[1] == "19" else "二十一世纪") + count(match[2]) + "年代"


def _lasted(match: Match) -> str:
    before, low, high = match.groups()
    return before + count(low) + (f"到{count(high)}" if high else "")


def _day_of_note(match: Match) -> str:
    if re.fullmatch("10[.·]1", match[0]):
        return "十一"
    return digits(match[0]).replace("点", "")


def _angle(match: Match) -> str:
    return f"度{count(match[1])}分" + (f"{count(match[2])}秒" if match[2] else "")


DATES_AND_TIMES: list[Rule] = [
    # Dates.
    (rf"(?<![\d.])(?:\d{{1,2}}\.\d{{1,2}}|\d{{3,4}})(?={_NAMED_BY_DAY})", _day_of_note),
    (rf"(?<![\d.第])(?:\d{{1,2}}\.\d{{1,2}}|\d{{2,4}})(?={_FESTIVAL})", _day_of_note),
    (rf"(?<!\d)({_YEAR})([-/.])({_MONTH})\2({_DAY})[日号]?(?![\d.]\d|\d)", _numeric_date),
    (r"(?<![\d.A-Za-z/-])\d{4}([-/])\d{1,2}\1\d{1,2}(?![\d/-])", _no_date),
    (r"(?<![\d./])(\d{1,2})/(\d{1,2})/((?:19|20)\d\d)(?![\d/])[日号]?", _western_date),
    (
        rf"(?<![\d.A-Za-z])(?<!版本)(?<!版本号)(2\d)\.({_MONTH})\.({_DAY})(?![\d.]|版|系统)",
        lambda m: _ymd(*m.groups(), "日"),
    ),
    (rf"(?<!{_REIGNS})(?<![\d.])([1-9]\d)(?=年(?:0?[1-9]|1[0-2])月)", lambda m: digits(m[0])),
    (rf"(?<!\d)({_YEAR})年\s?0?(\d{{1,2}})月(?:0?(\d{{1,2}})(日|号))?", lambda m: _ymd(*m.groups())),
    (rf"(?<![\d.-])({_YEAR})[-/](0[1-9]|1[0-2])(?![\d./-]|年)", lambda m: _ymd(m[1], m[2])),
    (rf"({_LASTED})(\d{{4}})(?:{DASH}(\d{{4}}))?(?=年)", _lasted),
    (rf"({_ABOUT})({_ROUND})(?:{DASH}({_ROUND}))?(?=年)", _lasted),
    (rf"(?<![\d.])({_YEAR})(年?){DASH}({_YEAR})(?=年|学年|赛季|级|届|期间|之间)", _years),
    (rf"(?<=[(（])({_YEAR})(){DASH}({_YEAR})(?=[)）])", _years),
    (rf"(?<![\d.])((?:19|20)\d\d)(){DASH}((?:19|20)\d\d)(?![\d.%]|(?:{MEASURES}))", _years),
    (
        rf"(?<![\d.])({_YEAR})\.({_MONTH}){DASH}({_YEAR})\.({_MONTH})(?![\d.])",
        lambda m: f"{_ymd(m[1], m[2])}到{_ymd(m[3], m[4])}",
    ),
    (rf"(?<![\d.])({_YEAR})(年?){DASH}(\d\d)(?=年|学年|赛季)", _years),
    (rf"(?<![\d./])({_YEAR})/((?:{_YEAR})|\d\d)(?=学年|赛季|财年)", lambda m: digits(m[1]) + digits(m[2])),
    (rf"(?<=年){DASH}(?=公元前?\d)", "到"),
    (r"(?<=公元前)(\d{1,4})(?=年)|(?<=公元|佛历)(\d{1,4})(?=年)", lambda m: digits(m[0])),
    # Above 2199 a count: 5300年前.
    (rf"(?<![\d.])(?:{_YEAR}|21\d\d)(?=年{_NO_DURATION})", lambda m: digits(m[0])),
    (rf"(?<![\d.])(?:{_YEAR})(?=[级届款版]|学年|赛季|财年)", lambda m: digits(m[0])),
    (rf"(?<![\d.])({_YEAR})(?=[春夏秋冬世]|奥运|亚运|北京|东京|巴黎)", lambda m: digits(m[0])),
    (r"'(\d\d)(?=年(?!代))", lambda m: digits(m[1])),
    (r"(?<![\d.])0\d(?=年)", lambda m: digits(m[0])),
    (rf"(?<!{_REIGNS})(?<![\d.])[5-9]\d(?=年(?:{_OF_A_YEAR}))", lambda m: digits(m[0])),
    (r"'(?=\d0年代)", ""),
    (r"(?<![\d.A-Za-z])(19|20)([1-9]0)'?s(?![A-Za-z])", _decade),
    (r"(?<![\d.])0([1-9])(?=[月日号])", r"\1"),
    (
        rf"(?<![\d.])({_DAY_OF_NOTE})(?!\d)",
        _day_of_note,
    ),
    (rf"({_WEEKDAY}){DASH}(?={_WEEKDAY})", r"\1到"),
    # Times, unless they are scores.
    (
        r"((?:凌晨|清晨|[早晚]上?|早晨|[上中下]午|傍晚|夜里|[深午]夜)\s?\d{1,2})((?::\d\d)*)\s?[aApP]\.?[mM]\b\.?",
        lambda m: m[1] + (m[2] or "点"),
    ),
    (
        rf"(:\d\d|{_HOUR_OF_HALF}){DASH}(?=(?:{_WEEKDAY})?{TIME_OF_DAY}\s?(?:{_CLOCK}|\d?{_HOUR_OF_HALF}))",
        r"\1到",
    ),
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
    (rf"(?<![\d.])({NUMBER})(?:′′|″|\")(?=屏|的|寸|电视|显示)", lambda m: number(m[1]) + "英寸"),
    (rf"(?<![\d.])({NUMBER})(?:′′|″)", lambda m: number(m[1]) + "秒"),
    (r"(?<![\d.])(\d{1,3})′(?!\d)", lambda m: count(m[1]) + "分"),
    (rf"(?<![\d.:])(?:(\d{{1,2}}){DASH})?(\d{{1,2}})\s?([aApP])\.?[mM]\b\.?", _half_day),
    (r"(?<=[点时])0([1-9])(?=分)", lambda m: "零" + digits(m[1])),
    (r"(?<=分)0([1-9])(?=秒)", lambda m: "零" + digits(m[1])),
    (r"(?<=[点时])2(?=分)|(?<=分)2(?=秒)", "二"),
]
"""In the order in which they are tried, see :mod:`ctap.text.grammar`."""
