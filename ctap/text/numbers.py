"""Written numbers to hanzi: counts, digits one by one, decimals.

Where 二 and 两 are both said, 两 stands before 百, 千, 万 and 亿 at the head of a number (两百二十二), as
wetext writes it.
"""

from __future__ import annotations

DIGITS = "零一二三四五六七八九"
NUMBER = r"\d+(?:\.\d+)?"
"""A number without its sign, for regular expressions."""

_LONGEST = 16  # a number of more digits is not read as a count


def digits(text: str, *, one: str = "一") -> str:
    """``text`` digit by digit, 点 for a full stop, all else left out.

    >>> digits("110", one="幺")
    '幺幺零'
    """
    words = {**dict(zip("0123456789", DIGITS, strict=True)), "1": one, ".": "点"}
    return "".join(words.get(char, "") for char in text)


def count(text: str) -> str:
    """A whole number as a count; digit by digit with a zero before it or more than 16 digits.

    >>> count("20304")
    '两万零三百零四'
    """
    if len(text) > _LONGEST or (text[0] == "0" and len(text) > 1):
        return digits(text)
    value = int(text)
    if value == 0:
        return "零"
    out = ""
    for size, word in ((10**12, "万亿"), (10**8, "亿"), (10**4, "万"), (1, "")):
        group, value = divmod(value, size)
        if group:
            out += ("零" if out and group < 1000 else "") + _group(group) + word
    if out.startswith("一十"):
        out = out[1:]
    return "两" + out[1:] if out.startswith("二") and out[1:2] in tuple("百千万亿") else out


def number(text: str) -> str:
    """A number that may have a fraction part: what is before the point as a count, the rest by digits.

    >>> number("12.05")
    '十二点零五'
    """
    whole, point, part = text.partition(".")
    return count(whole or "0") + ("点" + digits(part) if point else "")


def _group(value: int) -> str:
    """1 to 9999, without a zero in front."""
    out = ""
    for size, word in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, value = divmod(value, size)
        if digit:
            out += DIGITS[digit] + word
            if value and value * 10 < size:
                out += "零"
    return out
