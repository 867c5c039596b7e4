"""Written characters of many forms to one form: widths, compatibility characters, radicals, invisible marks.

Compatibility normalisation (NFKC, Unicode Standard Annex 15) does most of it. It is kept from what carries a
meaning of its own: superscripts (``2²`` is not 22), numbers in circles (``①②`` is not 12), fractions (``1½``
is not 11/2), and the full-width comma (``3，4`` is not a number of thousands).
"""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata
from collections.abc import Callable

from ctap.text.numbers import count

# Radicals that stand for a character and have no decomposition (CJK Radicals Supplement; Unicode's
# EquivalentUnifiedIdeograph), as fonts and scanned books mix them in.
_RADICALS = """
⺁厂 ⺂乛 ⺃乚 ⺄乙 ⺅亻 ⺆冂 ⺇几 ⺈刀 ⺉刂 ⺊卜 ⺋㔾 ⺌小 ⺍小 ⺎兀 ⺏尢 ⺐尣 ⺑尢 ⺒巳 ⺓幺 ⺔彑
⺕彐 ⺖忄 ⺗心 ⺘扌 ⺙攵 ⺛旡 ⺜日 ⺝月 ⺞歹 ⺟母 ⺠民 ⺡氵 ⺢水 ⺣灬 ⺤爪 ⺥爫 ⺦丬 ⺧牛 ⺨犭 ⺩王
⺪疋 ⺫目 ⺬示 ⺭礻 ⺮竹 ⺯糸 ⺰纟 ⺱网 ⺲罒 ⺳罓 ⺴罒 ⺵网 ⺶羊 ⺷羊 ⺸羊 ⺹老 ⺺肀 ⺻聿 ⺼肉 ⺽臼
⺾艹 ⺿艹 ⻀艹 ⻁虎 ⻂衤 ⻃西 ⻄西 ⻅见 ⻆角 ⻇角 ⻈讠 ⻉贝 ⻊足 ⻋车 ⻌辶 ⻍辶 ⻎辶 ⻏阝 ⻐钅 ⻑長
⻒镸 ⻓长 ⻔门 ⻕阜 ⻖阝 ⻗雨 ⻘青 ⻙韦 ⻚页 ⻛风 ⻜飞 ⻝食 ⻞食 ⻟飠 ⻠饣 ⻡首 ⻢马 ⻣骨 ⻤鬼 ⻥鱼
⻦鸟 ⻧卤 ⻨麦 ⻩黄 ⻪黾 ⻫斉 ⻬齐 ⻭歯 ⻮齿 ⻯竜 ⻰龙 ⻱龟 ⻲亀
"""
_CHANGED = {
    **{pair[0]: pair[1] for pair in _RADICALS.split()},
    **dict.fromkeys("\u2010\u2011\u2012\u2212\ufe63\uff0d", "-"),
    **dict.fromkeys("\u301c\uff5e\u223c\u02dc\u3030", "~"),
    **dict.fromkeys("\u2027\uff65\u00b7\u30fb\u2022\u22c5\u2219", "·"),
    **dict.fromkeys("●○■□◆◇▲△▼▽★☆※→⋯\u2025\u2026", "…"),
    **dict.fromkeys("\u2028\u2029\u0085\v\f", "\n"),
    **dict.fromkeys("™®©℠", ""),
    **dict.fromkeys("\u2015\u2500\u2501", "—"),
    **dict.fromkeys("\u034f\u115f\u1160\u3164\uffa0\u180b\u180c\u180d", ""),  # fillers and selectors
    "\u2236": ":",
    "\u2044": "/",
    "\u2215": "/",
    "\u00b4": "'",
    "，": "，",
    "№": "No.",
}
# Circles that are typed for 〇: behind a numeral, or before digits that go on. Others are marks of lists.
_ROUND_ZERO = re.compile(
    "(?<=[零〇一二三四五六七八九十百千万亿])[○◯]+"
    "|[○◯]+(?=[零〇一二三四五六七八九](?:[零〇一二三四五六七八九○◯年月日号后级届，。！？；]|$))"
)
_KEPT = re.compile("[\u00b2\u00b3\u00b9\u2070-\u207b]")  # superscripts


@functools.cache
def _plain(char: str) -> str:
    """What stands for ``char``."""
    if char in _CHANGED:
        return _CHANGED[char]
    category = unicodedata.category(char)
    if category == "Cf" or "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef":
        return ""
    if category == "Zs":
        return " "
    if category == "Cc":
        return char if char in "\t\n\r" else ""
    if category == "Cs":  # half of a character, which no encoding takes
        return "\ufffd"
    if _KEPT.match(char) or category == "Sk":
        return char
    plain = unicodedata.normalize("NFKC", char)
    if "\u2044" in plain and len(plain) > 1:  # ½, and ⅟ of which the lower half is to follow
        above, _, below = plain.partition("\u2044")
        return f"{count(below)}分之{count(above)}" if below else f"{above}/"
    if category in ("No", "Nl") and plain != char and not "\u2080" <= char <= "\u2089":
        value = unicodedata.numeric(char)
        return count(str(int(value)))
    if "\u3371" <= char <= "\u33df" and plain[-1:] in "23":  # ㎡
        return plain[:-1] + {"2": "²", "3": "³"}[plain[-1]]
    return plain


_LOOKS = re.compile("<(?:wide|narrow|square|initial|medial|final|isolated|circle|font)>")
_LOOKS_TOO = re.compile("[\u2103\u2109\u2160-\u217f\ufb00-\ufb06\ufb13-\ufb17]")  # ℃, Ⅳ, ﬁ
_SIGNS = frozenset("%&+=@#$/-~")


def usual_form(text: str) -> str:
    """``text`` composed, with the usual characters for those that voices read by number or not at all.

    Punctuation, superscripts and fractions stay as they are; what no encoding takes becomes U+FFFD.

    >>> usual_form("１２％ ﬁnden ㎏ Ⅳ")
    '12% finden kg IV'
    """
    return unicodedata.normalize("NFC", "".join(map(_usual, text)))


@functools.cache
def _usual(char: str) -> str:
    category = unicodedata.category(char)
    if category in ("Cc", "Cs"):
        return "\ufffd" if category == "Cs" else char if char in "\t\n\r" else " "
    if char in "ʼ・･":  # the apostrophe as a letter, what joins Japanese names
        return "'" if char == "ʼ" else " "
    if _LOOKS.match(unicodedata.decomposition(char)) is None and not _LOOKS_TOO.match(char):
        return char
    plain = unicodedata.normalize("NFKC", char)
    if category == "No":
        return f" {plain} " if plain.isdecimal() else char
    return plain if all(c.isalnum() or c in _SIGNS or c == "°" for c in plain) else char


_PROSODY = re.compile(r"(?<=\S)#[1-4](?!\d)|(?<![\d.)])(?<!\d )%|(?<![\dA-Za-z])\$(?!\s*[\d.])")
_PROSODY_OF_PINYIN = re.compile(r"[%$]|#[1-4](?!\d)")
_FRACTION = re.compile(r"(?<=\d)\s?(?=[¼½¾⅐-⅞↉])")
_AS_IT_IS = re.compile("[\u4e00-\u9fff，。！？；：、“”a-zA-Z0-9 \n,.!?%$:-]*")


def plain_form(text: str) -> str:
    """``text`` with one form for characters that are the same: half width, no radicals, nothing invisible.

    >>> plain_form("５０％ ⽂㎏")
    '50% 文kg'

    Superscripts stay; numbers in circles and Roman ones become hanzi. White space of all kinds becomes
    blanks, the ends of lines and paragraphs newlines.
    """
    if _AS_IT_IS.fullmatch(text):
        return text.replace("：", ":")
    text = _ROUND_ZERO.sub(lambda circles: "〇" * len(circles[0]), _FRACTION.sub("又", text))
    return unicodedata.normalize("NFC", "".join(map(_plain, text)))


def without_prosody(text: str, *, pinyin: bool = False) -> str:
    """``text`` with blanks for the marks of prosodic boundaries.

    They are ``%`` and ``$`` (AISHELL-3), and ``#1`` to ``#4`` (CSMSC). In hanzi, a ``%`` after a number and a
    ``$`` beside one are not marks; in pinyin digits are tones.

    >>> without_prosody("妈妈#1当时#3很好%吗$，5%")
    '妈妈 当时 很好 吗 ，5%'
    """
    return (_PROSODY_OF_PINYIN if pinyin else _PROSODY).sub(" ", text)


_SYMBOL = re.compile("(?<![Α-Ωα-ω])[Α-Ωα-ωµΩ](?![Α-Ωα-ω])")


def unwritten(text: str, writes: Callable[[str], bool]) -> list[str]:
    """What ``text`` has, each once, of letters and digits that a language does not write, and of pictures.

    >>> unwritten("Über π 你好 5° 😀", str.isascii)
    ['Ü', '你好', '😀']

    Args:
        text: Where a Greek letter that stands alone is a symbol, which is read by its name.
        writes: Whether it writes a letter, or a digit other than 0 to 9.
    """
    stretches = itertools.groupby(_SYMBOL.sub(" ", text), lambda char: _is_unwritten(char, writes))
    return list(dict.fromkeys("".join(stretch) for is_unwritten, stretch in stretches if is_unwritten))


def _is_unwritten(char: str, writes: Callable[[str], bool]) -> bool:
    plain, category = unicodedata.normalize("NFKC", char), unicodedata.category(char)
    if category == "So":  # but for ° and ©, which are read by name, and ℃, which is written in letters
        return char > "\xff" and plain == char and not writes(char)
    marks = category == "Lm" and "MODIFIER" in unicodedata.name(char)
    return (
        (category[0] == "L" or category == "Nd")
        and not marks
        and any(c.isalnum() and c not in "0123456789" and not writes(c) for c in plain)
    )
