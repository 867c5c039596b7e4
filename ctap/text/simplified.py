"""Traditional characters to simplified ones, by OpenCC's own tables (nothing is downloaded).

OpenCC's wheels are compiled for every Python from 3.10 on and carry phrase tables that are still kept up;
opencc-python-reimplemented, the same tables of 2017 read by Python alone, has had no release since 2023.
"""

from __future__ import annotations

import functools
from typing import Any


@functools.cache
def _converter(name: str) -> Any:
    from opencc import OpenCC

    return OpenCC(name)


def simplified(text: str) -> str:
    """``text`` in simplified characters; simplified text stays as it is.

    >>> simplified("為什麼看著裏面")
    '为什么看着里面'

    著 is a character of both scripts: traditional text writes 看著 for 看着. It is changed only beside other
    traditional characters, and there where OpenCC takes it for the particle (顯著 becomes 显著).
    """
    plain = _converter("t2s").convert(text)
    return text if plain == text else str(_converter("tw2s").convert(text))
