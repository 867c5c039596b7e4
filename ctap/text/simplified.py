"""Traditional characters to simplified ones, by OpenCC's own tables (nothing is downloaded).

OpenCC's wheels are compiled for every Python from 3.10 on and carry phrase tables that are still kept up;
opencc-python-reimplemented, the same tables of 2017 read by Python alone, has had no release since 2023.
"""

from __future__ import annotations

import functools
import re
from typing import Any

# 著 of books and of fame; all else is the particle, or the verb 着.
_PARTICLE = re.compile("(?<![名原专编论译拙遗巨新合撰显昭卓土执较素微])著(?![名作者述书称文录有于闻说译])")


@functools.cache
def _converter(name: str) -> Any:
    from opencc import OpenCC

    return OpenCC(name)


def simplified(text: str) -> str:
    """``text`` in simplified characters; simplified text stays as it is.

    >>> simplified("為什麼看著裏面")
    '为什么看着里面'

    著 is a character of both scripts: traditional text writes 看著 for 看着. Beside other traditional
    characters it is changed where OpenCC takes it for the particle (顯著 becomes 显著), in text without any
    (她看著我) where it belongs to no word that simplified text writes with it.
    """
    plain = str(_converter("t2s").convert(text))
    if plain != text:
        return str(_converter("tw2s").convert(text))
    return _PARTICLE.sub("着", text) if "著" in text else text
