"""Units, currencies and measure words: what stands beside a number, and how the two are read together."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ctap.text.numbers import NUMBER, number

_LENGTHS = {"km": "公里", "m": "米", "dm": "分米", "cm": "厘米", "mm": "毫米", "μm": "微米", "nm": "纳米"}
_TIMES = {"h": "小时", "hr": "小时", "min": "分钟", "s": "秒", "ms": "毫秒", "μs": "微秒", "ns": "纳秒"}
_MULTIPLES = {"K": "千", "k": "千", "M": "兆", "G": "吉", "T": "太"}
_OTHERS = {
    "kg": "千克",
    "g": "克",
    "mg": "毫克",
    "μg": "微克",
    "t": "吨",
    "lb": "磅",
    "oz": "盎司",
    "L": "升",
    "l": "升",
    "mL": "毫升",
    "ml": "毫升",
    "dL": "分升",
    "cc": "立方厘米",
    "V": "伏",
    "kV": "千伏",
    "mV": "毫伏",
    "W": "瓦",
    "kW": "千瓦",
    "MW": "兆瓦",
    "mA": "毫安",
    "mAh": "毫安时",
    "Wh": "瓦时",
    "kWh": "千瓦时",
    "Hz": "赫兹",
    "kHz": "千赫兹",
    "MHz": "兆赫兹",
    "GHz": "吉赫兹",
    "Pa": "帕",
    "kPa": "千帕",
    "hPa": "百帕",
    "MPa": "兆帕",
    "kJ": "千焦",
    "kcal": "千卡",
    "cal": "卡",
    "dB": "分贝",
    "Ω": "欧姆",
    "kΩ": "千欧",
    "mol": "摩尔",
    "eV": "电子伏特",
    "ha": "公顷",
    "in": "英寸",
    "ft": "英尺",
    "mph": "英里每小时",
    "rpm": "转每分钟",
    "fps": "帧每秒",
    "px": "像素",
    "KB": "千字节",
    "MB": "兆字节",
    "GB": "吉字节",
    "TB": "太字节",
    "PB": "拍字节",
    **{f"{k}bps": f"{v}比特每秒" for k, v in _MULTIPLES.items()},
    "°C": "摄氏度",
    "°F": "华氏度",
    "s²": "二次方秒",
    "ppm": "百万分率",
    "mmHg": "毫米汞柱",
}
UNITS: dict[str, str] = {
    **_OTHERS,
    **_TIMES,
    **_LENGTHS,
    **{f"{k}{mark}": word + v for k, v in _LENGTHS.items() for mark, word in (("²", "平方"), ("³", "立方"))},
    **{f"{k}2": f"平方{v}" for k, v in _LENGTHS.items()},
    **{f"{k}3": f"立方{v}" for k, v in _LENGTHS.items()},
}
"""Symbol of a unit to its name."""

CURRENCIES: dict[str, str] = {
    "¥": "元",
    "RMB": "元",
    "CNY": "元",
    "$": "美元",
    "US$": "美元",
    "USD": "美元",
    "HK$": "港元",
    "HKD": "港元",
    "NT$": "新台币",
    "TWD": "新台币",
    "€": "欧元",
    "EUR": "欧元",
    "£": "英镑",
    "GBP": "英镑",
    "JPY": "日元",
    "JP¥": "日元",
    "₩": "韩元",
    "₽": "卢布",
    "₹": "卢比",
}
"""Sign or code of a currency to its name."""

MEASURES = (
    "[个個位名人只条件本张台辆家次天周秒岁米斤克吨升元块亿万千百倍种项座所场组套双对份颗部杯碗瓶袋箱盒页"
    "句遍趟步层间度股支头匹棵朵根片串群批国省市县地方队边端岸轮局盘桌顿门封首幅架艘列枚滴口栋幢晚夜餐代室厅"
    "篇句声拳脚户亩篮筐车尺寸里厘毫公平立英小分点时]|[美欧日港]元|英镑|星期|礼拜|毛钱|年(?!级)|公里"
)
"""Measure words and units before which 2 is 两, as an alternation."""

_MORE_MEASURES = "[把款段类道桶卷面排束副堆罐壶笔处届粒圈捆扇册针剂勺团阵角毛]"
"""Measure words that begin too many other words (2019-2020排名) to tell elsewhere what a number counts."""

_NO_MEASURE = (
    "点名|等|手车|维|线城|战|班|级|楼|路|号|月|日|次元|次方|时代|分之|百五|人转|人世|分音|分法|把手|类型|卷积|角[形度色]|针对|"
    r"团[队建]|处[理于在]|面[临向对试谈]|排[名练队]|排\d+[座号]|(?<=[块元角毛]2)[角毛分]"
)


def alternation(words: Iterable[str]) -> str:
    """A regular expression for any of ``words``, the longest first."""
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


TWO = (
    r"(?<![\dA-Za-z第.:/零一二三四五六七八九十百千万点])2"
    rf"(?=(?:[到至]{NUMBER})?(?!{_NO_MEASURE})(?:{MEASURES}|{_MORE_MEASURES}))"
)
_UNIT = alternation(UNITS)
_SIGNED = rf"[-+±]?{NUMBER}"
MEASURED = (
    rf"(?:(?<![\d.A-Za-z])({_SIGNED})到)?(?:(?<![\d.A-Za-z])|(?<=\d)(?=±))({_SIGNED})([万亿]?)\s?"
    rf"({_UNIT})(?:/({_UNIT}))?(?![A-Za-z\d²³])"
)
MONEY = alternation(CURRENCIES)
"""Any sign of a currency."""

MONEY_BEFORE = rf"({MONEY})\s?({NUMBER})(?:到(?:{MONEY})?\s?({NUMBER}))?([万亿]*)(?:元|美元|欧元|英镑)?"
MONEY_AFTER = rf"(?<![\d.])(?:({NUMBER})到)?({NUMBER})([万亿]*)\s?({MONEY})(?![A-Za-z])"


def signed(text: str, *, below_zero: bool = False) -> str:
    """A number with its sign; ``below_zero`` for temperatures.

    >>> signed("-5", below_zero=True)
    '零下五'
    """
    words = {"-": "零下" if below_zero else "负", "+": "零上" if below_zero else "正", "±": "正负"}
    return words.get(text[0], "") + number(text.lstrip("-+±"))


def counted(text: str) -> str:
    """A signed number before a unit: 2 alone is 两."""
    return "两" if text == "2" else signed(text)


def measured(match: re.Match[str]) -> str:
    """Reading of what :data:`MEASURED` matches: ``60到80km/h`` is 每小时六十到八十公里."""
    low, high, thousands, unit, per = match.groups()
    read = _degrees if unit.startswith("°") else counted
    amount = (f"{read(low)}到" if low else "") + read(high) + thousands
    if per is None:
        return amount + UNITS[unit]
    return f"每{UNITS[per]}{amount}{UNITS[unit]}" if per in _TIMES else f"{amount}{UNITS[unit]}每{UNITS[per]}"


def money(match: re.Match[str]) -> str:
    """Reading of what :data:`MONEY_BEFORE` matches."""
    sign, low, high, thousands = match.groups()
    return counted(low) + (f"到{counted(high)}" if high else "") + thousands + CURRENCIES[sign]


def money_after(match: re.Match[str]) -> str:
    """Reading of what :data:`MONEY_AFTER` matches."""
    low, high, thousands, sign = match.groups()
    return (f"{counted(low)}到" if low else "") + counted(high) + thousands + CURRENCIES[sign]


def _degrees(text: str) -> str:
    return "两" if text == "2" else signed(text, below_zero=True)
