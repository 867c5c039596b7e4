"""Written forms of numbers to words: dates, times, ranges, scores, telephone numbers, amounts.

The grammars of wetext, which know more units, have no rule for many of these forms, or confuse them
(``5-10%`` is not a date); a number with a unit that is unknown here is left to them. The rules are in the
order in which they are tried; each produces hanzi, which no later rule changes. All take text in the form of
:func:`ctap.text.forms.plain_form`, in simplified characters.
"""

from __future__ import annotations

import re

from ctap.text.dates import DASH, DATES_AND_TIMES, TIME_OF_DAY, Match, Rule, is_score
from ctap.text.numbers import NUMBER, count, digits, number
from ctap.text.quantities import (
    MEASURED,
    MEASURES,
    MONEY,
    MONEY_AFTER,
    MONEY_BEFORE,
    TWO,
    UNITS,
    alternation,
    counted,
    measured,
    money,
    money_after,
    signed,
)

_SERVICES = r"10086|10010|12306|12315|12333|12345|12348|12369|95[3-6]\d\d"
# Between 3 and -5 these are not units: 3加-5, 3等于-5, 3米到-5米.
_NO_UNIT = "加|减|乘|除|等于|是|为|变成|减去"
_UNIT = rf"(?:{alternation(UNITS)}|[%‰°万亿]|(?!{_NO_UNIT})[一-鿿]{{1,2}}(?<![到至的和与或跟比变于去]))"
_NUMERALS = "一二三四五六七八九十百千万"
# A hyphen after other hanzi joins a name and its number (歼-20, 北京-3号线, 成人票-120元).
_SIGNED = (
    "海拔|余额|金额|总额|差额|利润|净利|亏损|水位|气温|温度|室温|高度|深度|坐标|电压|电流|电荷|差值|数值|得分|评分|"
    "总分|积分|分数|涨幅|跌幅|增幅|降幅|增长|增速|误差|偏差"
)
_ONE_BEFORE, _TWO_BEFORE = (
    "[为是到至低达约率于在从有以乘减和与或跟比]",
    rf"\d[加的]|[加乘]上|变成|减去|{_SIGNED}",
)
_MINUS = rf"(?:(?<![一-鿿\w)-])|(?<={_ONE_BEFORE})|(?<={_TWO_BEFORE}))-\s?"
_PLATE = "[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]"
_NAMED = (
    "电话|手机|热线|拨打|致电|传真|客服|号码|邮编|邮政编码|QQ群?|微信号?|验证码|密码|编号|学号|工号|卡号|账号|帐号|房号|"
    "房间号|尾号|证号|单号|代码|群号|分机|车次|航班"
)


def _by_digits(match: Match) -> str:
    text = match[0]
    return ("加" if text.startswith("+") else "") + digits(text, one="幺")


def _named(match: Match) -> str:
    return match[1] + match[2] + digits(match[3], one="幺")


def _range(match: Match) -> str:
    """``A-B`` to ``A到B``, or a score, or a difference."""
    low, unit, high = match[1], match[2] or "", match[3]
    after = match.string[match.end() : match.end() + 1]
    if after == "=":
        return f"{number(low)}减{signed(high)}" if low[0] != "-" else match[0]
    if not unit and is_score(match) and not after.startswith("%"):
        return f"{number(low.lstrip('-'))}比{number(high.lstrip('-'))}"
    if unit or "~" in match[0] or high[0] == "-" or float(low) < float(high) or after in _UNIT_STARTS:
        if after in ("%", "‰") and not unit:
            return f"{low}{after}到{high}"
        return f"{low}{unit}到{high}"
    return f"{number(low.lstrip('-'))}比{number(high)}"


def _plate(text: str) -> str:
    return "".join(c if c.isalpha() else digits(c, one="幺") for c in text)


def _percent(match: Match) -> str:
    sign, amount, mark = match.groups()
    of = {"%": "百", "‰": "千", "‱": "万"}[mark]
    words = {"-": "负", "+": "正", "±": "正负", None: ""}
    return f"{words[sign]}{of}分之" + ("百" if (amount, mark) == ("100", "%") else number(amount))


def _ratio(match: Match) -> str:
    return "比".join(map(number, re.split(r"\s*:\s*", match[0])))


def _version(match: Match) -> str:
    parts = match[0].split(".")
    if len(parts) > 3:
        return "点".join(digits(p, one="幺") for p in parts)
    return "点".join([count(parts[0]), *map(digits, parts[1:])])


def _power(match: Match) -> str:
    power = match[2].translate(_SUPERSCRIPTS).lstrip("^")
    name = {"2": "平方", "3": "立方"}.get(power) or signed(power) + "次方"
    return f"{number(match[1])}的{name}"


def _thousands(match: Match) -> str:
    """``5k`` and ``3w`` before money; w is wan, 万."""
    if match[2] in "wW":
        return f"{match[1]}万"
    amount = float(match[1]) * 1000
    return number(str(int(amount))) if amount == int(amount) else f"{number(match[1])}千"


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


def _operators(match: Match) -> str:
    return _OPERATORS[match[0].strip()]


_RULES: list[Rule] = [
    (r"(?<=\d)\s+(?=[一-鿿%‰°])|(?<=[一-鿿])\s+(?=\d)", ""),
    # Several hyphens for one, but for the sign of a second number below zero, or one that is subtracted.
    (
        rf"(?<![\d.])(?<!^-)(?<![^\d–—-]-)({NUMBER}{_UNIT}?)\s*[-–—]{{2,}}\s*(?={NUMBER}(?![\d.]|\s?=))",
        r"\1-",
    ),
    # A range with the same words behind both numbers; those of one or two are looked at below.
    (rf"(?<![\d.])({NUMBER})([一-鿿]{{2,5}}){DASH}(?={NUMBER}\2)", r"\1\2到"),
    # Groups of three digits; with the comma of Chinese text only where it can be nothing else.
    (r"(?<![\d,.])\d{1,3}(?:,\d{3})+(?![\d,])", lambda m: m[0].replace(",", "")),
    (r"(?<![\d，.])\d{1,3}(?:，\d{3})*，000(?![\d，])", lambda m: m[0].replace("，", "")),
    (r"(?<![\d\s.:-])[1-9]\d{0,2}(?: \d{3})+(?![\d -])", lambda m: m[0].replace(" ", "")),
    (r"(?<![\dA-Za-z.])\.(?=\d)", "0."),
    # Telephone numbers and other names made of digits; four years in a row are no number of a card.
    (
        r"(?<![\d.-])(?!(?:(?:19|20)\d\d[ -]){3})\d{4}([ -])\d{4}(?:\1\d{4}){2,}(?:\1\d{1,3})?(?![\d.-])",
        _by_digits,
    ),
    (r"(?<![\d.])(?:\+?86[- ]?)?1[3-9]\d([- ]?)\d{4}\1\d{4}(?![\d.])", _by_digits),
    (r"(?<![\d.])\+\d{1,3}[- ]\d{2,4}[- ]\d{3,4}[- ]?\d{3,4}(?!\d)", _by_digits),
    (r"(?<![\d.])\(?0\d{2,3}(?:\)|[- ]|\)[- ])\d{3,4}[- ]?\d{4}(?:-\d{1,5})?(?!\d)", _by_digits),
    (r"(?<![\d.])0(?:10|2\d|[3-9]\d\d)\d{7,8}(?!\d)", _by_digits),
    (r"(?<![\d.])[48]00([- ]?)\d{3,4}\1\d{3,4}(?![\d元个人.])", _by_digits),
    (r"(?<!\d)\d{17}[\dXx](?!\d)", _by_digits),
    (rf"({_NAMED})([为是号:：\s]{{0,3}})(\d[\d-]{{2,}})(?![\d.]|[个元人%条万])", _named),
    (r"(?<=[打拨报叫])1(?:10|19|20|22|14)(?![\d.:%])", _by_digits),
    (r"(?<![\d.])1(?:10|19|20|22|14)(?=报警|查号|急救|火警|电话|热线|平台|指挥)", _by_digits),
    (rf"({_PLATE}[A-Z])([·\s]?)((?=[A-Z]*\d)[A-Z0-9]{{5,6}})(?![A-Z0-9])", lambda m: m[1] + _plate(m[3])),
    (r"(?<=[A-Z])\d{3,}(?![\d.%])", _by_digits),
    (r"(?<=[GDCKTZ])\d{1,4}(?=次)", _by_digits),
    (r"(?<=波音|空客)\d{3}(?:-\d{3})?(?!\d)", lambda m: digits(m[0])),
    (r"(?<![\d.])\d{3,4}(?=房|室|教室|寝室|病房|宿舍)", _by_digits),
    (
        r"(?<![\d.])\d{3,5}(?=热线)|(?<=转)\d{3,}(?!\d)|[48]00(?=电话|客服)|^(?:110|114|119|120|122)$",
        _by_digits,
    ),
    (rf"(?<![\d.第])(?:{_SERVICES})(?!\d|\.\d|[%‰]|\s?(?:{MEASURES}))", _by_digits),
    (r"(?<![\d.])(?:[05-9][05](?=后(?![\d天年]))|(?:985|211)(?=工程|高校))", lambda m: digits(m[0])),
    (r"(?<![\d.])(?!\d00)\d{3}(?=路|[国省县]道)", _by_digits),
    (
        r"(?:(?<=单元|号楼)|(?<=[A-Z\d]座))\d{3,4}(?![\d.:%/-]|[元米人户个平间年])",
        _by_digits,
    ),
    *DATES_AND_TIMES,
    # Numbers of several parts, scores and ratios.
    (r"(?<=[vV])\d+(?:\.\d+)*|(?<![\d.])\d+(?:\.\d+){2,}(?![\d.])", _version),
    (rf"(?<![\d.:]){NUMBER}(?:\s?:\s?{NUMBER})+(?![\d:])", _ratio),
    (r"(?<![\d.A-Za-z-])\d{1,2}(?:-\d{1,2}){2,}(?![\d-])", lambda m: "".join(map(count, m[0].split("-")))),
    (rf"(?<![\d.A-Za-z])({NUMBER})\s?-\s?({NUMBER})\s?(?==)", lambda m: f"{number(m[1])}减{number(m[2])}"),
    (rf"({MONEY})\s?({NUMBER}[万亿]?){DASH}(?={MONEY})", r"\1\2到"),
    (rf"(?<![\d.])({NUMBER})([到至])(?={NUMBER}([%‰]))", r"\1\3\2"),
    (rf"(?<=[{_NUMERALS}])\s*[-~]\s*(?=[{_NUMERALS}])", "到"),
    (rf"(?<![\d./])(\d+/\d+){DASH}(?=\d+/\d)", r"\1到"),
    # Ranges; what stands on both sides is read by what follows.
    (rf"(?<![\d.A-Za-z])((?<![一-鿿])-?{NUMBER}|{NUMBER})({_UNIT}?){DASH}(-?{NUMBER})(?![\d-])", _range),
    (
        rf"(?:(?<=[\d零两{_NUMERALS}][日号月年点分秒时])|(?<=[今明昨即当][日年])|(?<=点半)){DASH}"
        rf"(?={TIME_OF_DAY}(?:\d|[零两{_NUMERALS}]+[年月日号点]))",
        "到",
    ),
    # Signs between numbers, before these are read.
    (r"(?<=[\d²³⁰-⁹])\s?[*×xX÷=≈≠+]\s?(?=[-±√]?\d)|(?<=m)\s?[*×]\s?(?=\d)", _operators),
    (r"(?<=[一-鿿])\s?[=≈≠]\s?(?=[-±√]?\d)", _operators),
    (r"[><≥≤≈]\s?(?=-?\d)(?!\d+>)", _operators),
    # Shares, powers, fractions, amounts.
    (r"第\s?(\d+)/(\d+)(?=季度|[季期章节集页])", lambda m: f"第{count(m[1])}{count(m[2])}"),
    (r"(?:(?<=血压)|(?<![\d./]))(\d+)/(?=\d+\s?mmHg)|(?<=血压)(\d+)/(?=\d)", lambda m: f"{m[1] or m[2]}，"),
    (r"(?<!\d)(\d+)#(?=[楼栋座])", r"\1号"),
    (r"(?<![\d.])(\d+)h(?=\d+min)", lambda m: counted(m[1]) + "小时"),
    (r"(?<![\d.])([12])[m米](\d\d)(?![\d.%个名人元块厘])", lambda m: f"{counted(m[1])}米{digits(m[2])}"),
    (r"(?<![\d.])[1-9]{2}(?=(?:到[1-9]{1,2})?折(?![叠线]))", lambda m: digits(m[0])),
    (rf"(?<![\d.])([-+±])?({NUMBER})\s?([%‰‱])", _percent),
    (rf"(?<![\d.A-Za-z])({NUMBER})\s?([kKwW])(?=元|块|人民币|粉丝|用户|播放|阅读|点赞)", _thousands),
    (rf"{_MINUS}(?={MONEY}\s?\d)", "负"),
    (MONEY_BEFORE, money),
    (MEASURED, measured),
    (MONEY_AFTER, money_after),
    (rf"(?<![\d.])({NUMBER})((?:\^[-+]?\d+)|[⁰¹²³⁴-⁹⁻⁺]+)", _power),
    (r"(?<![\d/])(\d+)\s(\d+)/(\d+)(?![\d/])", lambda m: f"{count(m[1])}又{count(m[3])}分之{count(m[2])}"),
    (r"(?<![\d./])(-?)(\d+)/(\d+)(?![\d./])", lambda m: f"{m[1] and '负'}{count(m[3])}分之{count(m[2])}"),
    (r"(?<=[元块克斤米里升次个人件吨度钟秒])/(?=[一-鿿])", "每"),
    (rf"(?<=[元块次个万])/({alternation(UNITS)})(?![A-Za-z\d²³])", lambda m: "每" + UNITS[m[1]]),
    (r"(?<=\S)\s?&\s?(?=\S)", "和"),
    (r"(?<=[一-鿿])/(?=[一-鿿])", "，"),
    (r"(?<![A-Za-z/])([A-Za-z])([²³])", lambda m: m[1] + {"²": "的平方", "³": "的立方"}[m[2]]),
    # Signs before and behind numbers.
    (r"(?<=[\d°])\+(?=[一-鿿])(?!\d)", "多"),
    (r"(?<=[\d百千万亿])\+(?!\s?\d)", "多"),
    (rf"±\s?({NUMBER})", lambda m: "正负" + number(m[1])),
    (rf"√({NUMBER})", lambda m: "根号" + number(m[1])),
    (rf"-({NUMBER})(?=(?:到-?{NUMBER})?度)", lambda m: "零下" + number(m[1])),
    (rf"{_MINUS}({NUMBER})", lambda m: "负" + number(m[1])),
    (rf"(?<![一-鿿\w)])\+({NUMBER})", lambda m: "正" + number(m[1])),
    (rf"(?<![\d.])({NUMBER})\s?°", lambda m: number(m[1]) + "度"),
    # Ordinals, and 2 before what is counted.
    (r"(?<![A-Za-z])N[oO]\.?\s?(\d+)", lambda m: "第" + count(m[1])),
    (
        r"第\s?(\d+(?:\.\d+)?)(?:到(\d+))?",
        lambda m: "第" + number(m[1]) + (f"到{count(m[2])}" if m[2] else ""),
    ),
    (TWO, "两"),
    (rf"(?<!\d){NUMBER}(?:(?![\d.]|\s?[a-z]|\s?°)|(?=[a-z](?![A-Za-z])))", lambda m: number(m[0])),
]


_COMPILED = [(re.compile(pattern, re.ASCII), to) for pattern, to in _RULES]


def write_out(text: str) -> str:
    """``text`` with the numbers, and the signs that belong to them, in words.

    >>> write_out("8:30~9:30, 约5-10%")
    '八点三十分到九点三十分, 约百分之五到百分之十'
    """
    for pattern, to in _COMPILED:
        text = pattern.sub(to, text)
    return text
