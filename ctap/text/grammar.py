"""Written forms of numbers to words: dates, times, ranges, scores, telephone numbers, amounts.

The grammars of wetext, which know more units, have no rule for many of these, or take one for another
(``5-10%`` is no date); a number with a unit that is unknown here is left to them. The
rules stand in the order in which they are tried; each leaves hanzi, which no later rule changes. All take the
form of :func:`ctap.text.forms.plain_form`, in simplified characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ctap.text.numbers import NUMBER, count, digits, number
from ctap.text.quantities import (
    MEASURED,
    MONEY,
    MONEY_AFTER,
    MONEY_BEFORE,
    TWO,
    UNITS,
    alternation,
    measured,
    money,
    money_after,
    signed,
)

_Match = re.Match[str]
_DASH = r"\s*(?:[-–—]{1,2}?|~)\s*"
_YEAR = r"(?:1\d|20)\d\d"
_MONTH = r"(?:0?[1-9]|1[0-2])"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_CLOCK = r"(?:[01]?\d|2[0-4]):[0-5]\d(?::[0-5]\d)?"
_OF_A_YEAR = r"毕业|出生|生|入学|奥运|世界杯|版|款|初|底|末|春|夏|秋|冬|\d{1,2}月"
_DAYS_OF_NOTE = "3·15|5·1|5·4|5·12|6·1|7·1|8·1|9·3|9·11|9·18|10·1|11·11|12·9|12·12"
_PLATE = "[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]"
_SCORE_BEFORE = re.compile(r"(?:比分|比例|配比|比值|比率|之比|战平|战胜|击败|不敌|负于)[^\d，。,]{0,5}$")
_SCORE_AFTER = re.compile(
    r"的?(?:大?比分|比例|战胜|击败|大胜|小胜|险胜|完胜|获胜|取胜|胜|负|不敌|领先|落后|逆转|战平|平|横扫|淘汰)"
)
_NAMED = (
    "电话|手机|热线|拨打|致电|传真|客服|号码|邮编|邮政编码|QQ|微信号?|验证码|密码|编号|学号|工号|卡号|账号|帐号|房号|"
    "房间号|尾号|证号|单号|代码|群号|分机|车次|航班"
)


def _score(match: _Match) -> bool:
    return bool(_SCORE_BEFORE.search(match.string[: match.start()])) or bool(
        _SCORE_AFTER.match(match.string, match.end())
    )


def _by_digits(match: _Match) -> str:
    text = match[0]
    return ("加" if text.startswith("+") else "") + digits(text, one="幺")


def _named(match: _Match) -> str:
    return match[1] + match[2] + digits(match[3], one="幺")


def _years(match: _Match) -> str:
    return f"{digits(match[1])}{match[2]}到{digits(match[3])}"


def _clock(match: _Match) -> str:
    if _score(match):
        return match[0]
    hour, minute, second, half = int(match[1]), match[2], match[3], (match[4] or "").lower()
    out = {"a": "上午", "p": "下午"}.get(half[:1], "") + ("两" if hour == 2 else count(str(hour))) + "点"
    if minute != "00" or (second and second != "00"):
        out += _two_digits(minute) + "分"
    if second and second != "00":
        out += _two_digits(second) + "秒"
    return out


def _two_digits(text: str) -> str:
    """Minutes and seconds: 05 is 零五."""
    return "零" + digits(text[1]) if text[0] == "0" and text != "00" else count(str(int(text)))


def _range(match: _Match) -> str:
    """``A-B`` to ``A到B``, or a score, or a difference."""
    low, unit, high = match[1], match[2] or "", match[3]
    after = match.string[match.end() : match.end() + 1]
    if after == "=":
        return f"{number(low)}减{number(high)}" if low[0] != "-" else match[0]
    if not unit and _score(match) and not after.startswith("%"):
        return f"{number(low.lstrip('-'))}比{number(high.lstrip('-'))}"
    dash = "-" in match[0][len(low) + len(unit) :].rstrip("0123456789.")
    if unit or not dash or float(low) < float(high) or after in _UNIT_STARTS:
        if after in ("%", "‰") and not unit:
            return f"{low}{after}到{high}"
        return f"{low}{unit}到{high}"
    return f"{number(low.lstrip('-'))}比{number(high)}"


def _plate(text: str) -> str:
    return "".join(c if c.isalpha() else digits(c, one="幺") for c in text)


def _percent(match: _Match) -> str:
    sign, amount, mark = match[1] or match[2], match[3], match[4]
    of = {"%": "百", "‰": "千", "‱": "万"}[mark]
    words = {"-": "负", "+": "正", "±": "正负", None: ""}
    return f"{words[sign]}{of}分之" + ("百" if (amount, mark) == ("100", "%") else number(amount))


def _ymd(year: str, month: str, day: str | None = None, last: str | None = None) -> str:
    out = f"{digits(year)}年{count(str(int(month)))}月"
    return out + count(str(int(day))) + (last or "") if day else out


def _numeric_date(match: _Match) -> str:
    return _ymd(match[1], match[3], match[4], "号" if match[0].endswith("号") else "日")


def _angle(match: _Match) -> str:
    return f"度{count(match[1])}分" + (f"{count(match[2])}秒" if match[2] else "")


def _ratio(match: _Match) -> str:
    return "比".join(map(number, re.split(r"\s*:\s*", match[0])))


def _version(match: _Match) -> str:
    parts = match[0].split(".")
    if len(parts) > 3:
        return "点".join(digits(p, one="幺") for p in parts)
    return "点".join([count(parts[0]), *map(digits, parts[1:])])


def _power(match: _Match) -> str:
    power = match[2].translate(_SUPERSCRIPTS).lstrip("^")
    name = {"2": "平方", "3": "立方"}.get(power) or signed(power) + "次方"
    return f"{number(match[1])}的{name}"


_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_OPERATORS = {
    "+": "加",
    "*": "乘",
    "×": "乘",
    "x": "乘",
    "X": "乘",
    "÷": "除以",
    "=": "等于",
    "≈": "约等于",
    "≠": "不等于",
}
_OPERATORS |= {">": "大于", "<": "小于", "≥": "大于等于", "≤": "小于等于"}
_UNIT_STARTS = frozenset("月日号点时分秒年周天岁级楼层章节名位个人元%‰°度米公千厘毫克斤万亿倍次集页")


def _operators(match: _Match) -> str:
    return _OPERATORS[match[0].strip()]


_RULES: list[tuple[str, str | Callable[[_Match], str]]] = [
    # Groups of three digits; with the comma of Chinese text only where it can be nothing else.
    (r"(?<![\d,.])\d{1,3}(?:,\d{3})+(?![\d,])", lambda m: m[0].replace(",", "")),
    (r"(?<![\d，.])\d{1,3}(?:，\d{3})*，000(?![\d，])", lambda m: m[0].replace("，", "")),
    (r"(?<![\d\s.:-])[1-9]\d{0,2}(?: \d{3})+(?![\d -])", lambda m: m[0].replace(" ", "")),
    (r"(?<![\dA-Za-z.])\.(?=\d)", "0."),
    # Telephone numbers and other names made of digits.
    (r"(?<![\d.])(?:\+?86[- ]?)?1[3-9]\d([- ]?)\d{4}\1\d{4}(?![\d.])", _by_digits),
    (r"(?<![\d.])\+\d{1,3}[- ]\d{2,4}[- ]\d{3,4}[- ]?\d{3,4}(?!\d)", _by_digits),
    (r"(?<![\d.])\(?0\d{2,3}(?:\)|[- ]|\)[- ])\d{7,8}(?:-\d{1,5})?(?!\d)", _by_digits),
    (r"(?<![\d.])0(?:10|2\d|[3-9]\d\d)\d{7,8}(?!\d)", _by_digits),
    (r"(?<![\d.])[48]00([- ]?)\d{3,4}\1\d{3,4}(?![\d元个人.])", _by_digits),
    (r"(?<!\d)\d{17}[\dXx](?!\d)", _by_digits),
    (rf"({_NAMED})([为是号:：\s]{{0,3}})(\d[\d-]{{2,}})(?![\d.]|[个元人%条万])", _named),
    (r"(?<=[打拨报叫])1(?:10|19|20|22|14)(?![\d.:%])", _by_digits),
    (r"(?<![\d.])1(?:10|19|20|22|14)(?=报警|急救|火警|电话|热线|平台|指挥)", _by_digits),
    (rf"({_PLATE}[A-Z])([·\s]?)((?=[A-Z]*\d)[A-Z0-9]{{5,6}})(?![A-Z0-9])", lambda m: m[1] + _plate(m[3])),
    (r"(?<=[A-Z])\d{3,}(?![\d.%])", _by_digits),
    (r"(?<=[GDCKTZ])\d{1,4}(?=次)", _by_digits),
    (r"(?<=波音|空客)\d{3}(?:-\d{3})?(?!\d)", lambda m: digits(m[0])),
    (r"(?<![\d.])\d{3,4}(?=房|室|教室|寝室|病房|宿舍)", _by_digits),
    (r"(?<![\d.])\d{3,5}(?=热线)", _by_digits),
    (r"(?<![\d.])(?!\d00)\d{3}(?=路)", _by_digits),
    # Dates.
    (rf"(?<!\d)({_YEAR})([-/.])({_MONTH})\2({_DAY})[日号]?(?![\d.]\d|\d)", _numeric_date),
    (rf"(?<!\d)({_YEAR})年\s?0?(\d{{1,2}})月(?:0?(\d{{1,2}})(日|号))?", lambda m: _ymd(*m.groups())),
    (rf"(?<![\d.-])({_YEAR})[-/](0[1-9]|1[0-2])(?![\d./-]|年)", lambda m: _ymd(m[1], m[2])),
    (rf"(?<![\d.])({_YEAR})(年?){_DASH}({_YEAR})(?=年|学年|赛季|级|届|期间|之间)", _years),
    (rf"(?<=[(（])({_YEAR})(){_DASH}({_YEAR})(?=[)）])", _years),
    (rf"(?<![\d.])({_YEAR})(年?){_DASH}(\d\d)(?=年|学年|赛季)", _years),
    (r"(?<=公元前)(\d{1,4})(?=年)|(?<=公元)(\d{1,4})(?=年)", lambda m: digits(m[0])),
    (rf"(?<![\d.])(?:{_YEAR}|[2-9]\d{{3}}(?<!000))(?=年(?!历史|的历史|之久))", lambda m: digits(m[0])),
    (rf"(?<![\d.])(?:{_YEAR})(?=[级届款版]|学年|赛季|财年)", lambda m: digits(m[0])),
    (rf"(?<![\d.])({_YEAR})(?=[春夏秋冬世]|奥运|亚运|北京|东京|巴黎)", lambda m: digits(m[0])),
    (r"'(\d\d)(?=年(?!代))", lambda m: digits(m[1])),
    (r"(?<![\d.])0\d(?=年)", lambda m: digits(m[0])),
    (rf"(?<![\d.])[5-9]\d(?=年(?:{_OF_A_YEAR}))", lambda m: digits(m[0])),
    (r"'(?=\d0年代)", ""),
    (r"(?<![\d.])0([1-9])(?=[月日号])", r"\1"),
    (
        rf"(?<![\d.])({_DAYS_OF_NOTE})(?!\d)",
        lambda m: digits(m[1]),
    ),
    # Times, unless they are scores.
    (rf"(?<=\d:\d\d){_DASH}(?={_CLOCK})", "到"),
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
    (r"(?<=[点时])0([1-9])(?=分)", lambda m: "零" + digits(m[1])),
    (r"(?<=分)0([1-9])(?=秒)", lambda m: "零" + digits(m[1])),
    (r"(?<=[点时])2(?=分)|(?<=分)2(?=秒)", "二"),
    # Numbers of several parts, scores and ratios.
    (r"(?<=[vV])\d+(?:\.\d+)*|(?<![\d.])\d+(?:\.\d+){2,}(?![\d.])", _version),
    (rf"(?<![\d.:]){NUMBER}(?:\s?:\s?{NUMBER})+(?![\d:])", _ratio),
    (r"(?<![\d.A-Za-z-])\d{1,2}(?:-\d{1,2}){2,}(?![\d-])", lambda m: "".join(map(count, m[0].split("-")))),
    (rf"(?<![\d.A-Za-z])({NUMBER})\s?-\s?({NUMBER})\s?(?==)", lambda m: f"{number(m[1])}减{number(m[2])}"),
    (rf"({MONEY})\s?({NUMBER}[万亿]?){_DASH}(?={MONEY})", r"\1\2到"),
    # Ranges; what stands on both sides is read by what follows.
    (
        rf"(?<![\d.A-Za-z])((?<![一-鿿])-?{NUMBER}|{NUMBER})((?:{alternation(UNITS)}|[%‰万亿]|[一-鿿]{{1,2}})?){_DASH}(-?{NUMBER})(?![\d-])",
        _range,
    ),
    (r"(?<=[日号月年点分秒时])\s*(?:[-–—]{1,2}|~)\s*(?=\d|[零一二三四五六七八九十两]+[年月日号点])", "到"),
    # Shares, powers, fractions, amounts.
    (
        rf"(?<![\d.])(?:(?<![一-鿿])([-+])|(±))?({NUMBER})\s?([%‰‱])",
        _percent,
    ),
    (MONEY_BEFORE.pattern, money),
    (MEASURED.pattern, measured),
    (MONEY_AFTER.pattern, money_after),
    (rf"({NUMBER})((?:\^[-+]?\d+)|[⁰¹²³⁴-⁹⁻⁺]+)", _power),
    (r"(?<![\d/])(\d+)\s(\d+)/(\d+)(?![\d/])", lambda m: f"{count(m[1])}又{count(m[3])}分之{count(m[2])}"),
    (r"(?<![\d./])(\d+)/(\d+)(?![\d./])", lambda m: f"{count(m[2])}分之{count(m[1])}"),
    (r"(?<=[元块克斤米里升次个人件吨度])/(?=[一-鿿])", "每"),
    (r"(?<=[一-鿿])/(?=[一-鿿])", "，"),
    # Signs between and before numbers.
    (r"(?<=[\d°])\+(?=[一-鿿])(?!\d)", "多"),
    (r"(?<=\d)\+(?!\s?\d)", "多"),
    (r"(?<=\d)\s?[*×xX÷=≈≠+]\s?(?=[-±√]?\d)", _operators),
    (r"(?<=[一-鿿])\s?[=≈≠]\s?(?=[-±√]?\d)", _operators),
    (r"[><≥≤≈]\s?(?=\d)", _operators),
    (rf"±\s?({NUMBER})", lambda m: "正负" + number(m[1])),
    (rf"√({NUMBER})", lambda m: "根号" + number(m[1])),
    (rf"-({NUMBER})(?=(?:到-?{NUMBER})?度)", lambda m: "零下" + number(m[1])),
    (rf"(?:(?<![一-鿿\w)-])|(?<=[为是到至低达约率于在]))-\s?({NUMBER})", lambda m: "负" + number(m[1])),
    (rf"(?<![一-鿿\w)])\+({NUMBER})", lambda m: "正" + number(m[1])),
    (rf"({NUMBER})\s?°", lambda m: number(m[1]) + "度"),
    # Ordinals, and 2 before what is counted.
    (r"(?i:No)\.\s?(\d+)", lambda m: "第" + count(m[1])),
    (r"第\s?(\d+)(?:到(\d+))?", lambda m: "第" + count(m[1]) + (f"到{count(m[2])}" if m[2] else "")),
    (TWO.pattern, "两"),
    (rf"{NUMBER}(?![\d.]|\s?[a-z]|\s?°)|{NUMBER}(?=[a-z](?![A-Za-z]))", lambda m: number(m[0])),
]


_COMPILED = [(re.compile(pattern), to) for pattern, to in _RULES]


def write_out(text: str) -> str:
    """``text`` with the numbers, and the signs that belong to them, in words.

    >>> write_out("8:30~9:30, 约5-10%")
    '八点三十分到九点三十分, 约百分之五到百分之十'
    """
    for pattern, to in _COMPILED:
        text = pattern.sub(to, text)
    return text
