"""Pinyin syllables to phones, and hanzi to pinyin.

Pinyin is written here as AISHELL-3 writes it: lower case, the tone as a last digit (5 neutral), ``v`` for
``ü``, erhua as an ``r`` before the tone (``dianr3``). :func:`canonical` brings other usual spellings to that
form. The spelling rules undone by :func:`syllable_to_phones` are those of the *Scheme for the Chinese
phonetic alphabet* (1958) and of GB/T 16159-2012, *Basic rules of the Chinese phonetic alphabet orthography*.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable

from ctap.errors import UserError
from ctap.text.latin import RUN, names
from ctap.text.phones import ERHUA, INITIALS, SYLLABIC_NASALS
from ctap.text.sandhi import apply_sandhi
from ctap.text.simplified import simplified


class UnknownPinyin(UserError):  # noqa: N818 - the name callers catch says what it is
    """A string that is not a Mandarin syllable with tone."""


_TONE_MARKS = {"\u0304": "1", "\u0301": "2", "\u030c": "3", "\u0300": "4"}
_FORM = re.compile(r"([a-zê]+)([1-5])")
ZERO_INITIAL = {
    final: final
    for final in ("a", "o", "e", "ê", "ai", "ei", "ao", "ou", "an", "en", "ang", "eng", "er", "io")
}
ZERO_INITIAL |= {
    "yi": "i",
    "ya": "ia",
    "yo": "io",
    "ye": "ie",
    "yao": "iao",
    "you": "iou",
    "yan": "ian",
    "yin": "in",
}
ZERO_INITIAL |= {
    "yang": "iang",
    "ying": "ing",
    "yong": "iong",
    "yu": "v",
    "yue": "ve",
    "yuan": "van",
    "yun": "vn",
}
ZERO_INITIAL |= {"yv": "v", "yve": "ve", "yvan": "van", "yvn": "vn"}  # as some write yu, as jv for ju
ZERO_INITIAL |= {"wu": "u", "wa": "ua", "wo": "uo", "wai": "uai", "wei": "uei", "wan": "uan", "wen": "uen"}
# wong is how dictionaries write the Cantonese-coloured reading of weng.
ZERO_INITIAL |= {"wang": "uang", "weng": "ueng", "wong": "ueng"}
"""Syllable without an initial, tone left out, to its final."""
_WRITTEN_SHORT = {"iu": "iou", "ui": "uei", "un": "uen"}

_OPEN = {"a", "e", "ai", "ei", "ao", "ou", "an", "en", "ang", "eng", "ong"}
_I = {"i", "ia", "ie", "iao", "iou", "ian", "in", "iang", "ing"}
_U = {"u", "ua", "uo", "uai", "uei", "uan", "uen", "uang"}
_V = {"v", "ve", "van", "vn"}
# What may follow an initial. Wider than the standard syllabary (biang, fiao, duang, rua are said), but no
# wider than Mandarin phonotactics, so that a slip of the pen is found and not trained on.
_AFTER = {
    **dict.fromkeys(("b", "p", "m", "f"), _OPEN | _I | {"o", "u"}),
    **dict.fromkeys(("d", "t"), _OPEN | _I | (_U - {"ua", "uai"})),
    **dict.fromkeys(("n", "l"), _OPEN | _I | (_U - {"ua", "uai"}) | _V | {"o"}),
    **dict.fromkeys(("g", "k", "h"), _OPEN | _U),
    **dict.fromkeys(("j", "q", "x"), _I | _V | {"iong"}),
    **dict.fromkeys(("zh", "ch", "sh", "r"), _OPEN | _U | {"iii"}),
    **dict.fromkeys(("z", "c", "s"), _OPEN | _U | {"ii"}),
}


def canonical(syllable: str, *, bare_tone: str | None = None) -> str:
    """Bring a syllable to the form ``dianr3``: ``ü``, ``u:`` to ``v``, tone mark to digit, ``0`` to ``5``.

    ``lue`` and ``nue`` become ``lve`` and ``nve``. Whether it is a syllable of Mandarin is not checked here.

    Args:
        syllable: pinyin with a tone digit at its end or a tone mark.
        bare_tone: tone of a syllable that shows none (in text with tone marks that is the neutral tone, 5).

    Raises:
        UnknownPinyin: no tone and no ``bare_tone``, two tones, or characters that pinyin does not have.
    """
    letters, tone = [], ""
    for char in unicodedata.normalize("NFD", syllable.strip().lower().replace("u:", "v")):
        if char in _TONE_MARKS:
            tone += _TONE_MARKS[char]
        elif char == "\u0308" and letters[-1:] == ["u"]:
            letters[-1] = "v"
        elif char == "\u0302" and letters[-1:] == ["e"]:
            letters[-1] = "ê"
        else:
            letters.append(char)
    if letters and letters[-1] in "012345":
        tone += letters.pop().replace("0", "5")
    body = "".join(letters)
    match = _FORM.fullmatch(body + (tone or bare_tone or ""))
    if match is None:
        why = "" if tone else ": no tone (expected a digit 1-5 at its end, 5 for the neutral tone)"
        raise UnknownPinyin(f"not a pinyin syllable: {syllable!r}{why}")
    if body in ("lue", "nue", "luer", "nuer"):
        body = body.replace("u", "v")
    return body + match[2]


@functools.lru_cache(maxsize=8192)
def _phones(syllable: str) -> tuple[str, ...]:
    form = canonical(syllable)
    body, tone = form[:-1], form[-1]
    if body == "r":
        return (ERHUA,)
    if body in SYLLABIC_NASALS:
        return (body + tone,)
    if body in ("hm", "hng"):
        return ("h", body[1:] + tone)
    ending: tuple[str, ...] = ()
    if body.endswith("r") and body not in ("er", "err"):
        body, ending = body[:-1], (ERHUA,)
    if body in ZERO_INITIAL:
        return (ZERO_INITIAL[body] + tone, *ending)
    initial = body[:2] if body[:2] in INITIALS else body[:1]
    final = body[len(initial) :]
    if initial in ("j", "q", "x") and final.startswith("u"):
        final = "v" + final[1:]
    elif initial in ("zh", "ch", "sh", "r") and final == "i":
        final = "iii"
    elif initial in ("z", "c", "s") and final == "i":
        final = "ii"
    elif final in _WRITTEN_SHORT.values():
        final = ""  # spelled in full after an initial (duei): no such pinyin
    else:
        final = _WRITTEN_SHORT.get(final, final)
    if initial not in _AFTER or final not in _AFTER[initial]:
        raise UnknownPinyin(f"not a pinyin syllable: {syllable!r}")
    return (initial, final + tone, *ending)


def syllable_to_phones(syllable: str) -> list[str]:
    """Phones of one syllable: initial (if any), final with tone, ``rr`` if it is an erhua.

    >>> syllable_to_phones("dianr3")
    ['d', 'ian3', 'rr']

    Raises:
        UnknownPinyin: ``syllable`` is not a Mandarin syllable with tone.
    """
    return list(_phones(syllable))


def pinyin_to_phones(syllables: Iterable[str]) -> list[str]:
    """Phones of several syllables in a row, without pauses.

    Raises:
        UnknownPinyin: naming the first syllable that does not exist.
    """
    return [phone for syllable in syllables for phone in _phones(syllable)]


def is_erhua(syllable: str) -> bool:
    """Whether a canonical syllable carries the erhua ending (``dianr3``), a 儿 more in hanzi."""
    body = syllable[:-1]
    return len(body) > 1 and body.endswith("r") and body != "er"


def count_fits(hanzi: str, syllables: list[str]) -> bool:
    """Whether ``syllables`` can be the reading of ``hanzi``: one each, and an erhua may take a further 儿.

    Letters among the hanzi count with the syllables of their names.
    """
    extra = len(RUN.sub("", hanzi)) + sum(len(names(run)) for run in RUN.findall(hanzi)) - len(syllables)
    return 0 <= extra <= min(hanzi.count("儿") + hanzi.count("兒"), sum(map(is_erhua, syllables)))


def hanzi_to_pinyin(hanzi: str, *, sandhi: bool = False) -> list[str]:
    """Reading of ``hanzi``, one canonical syllable for each character, from pypinyin's phrase dictionary.

    The dictionary is one of simplified characters: traditional ones are read as those that stand for them.
    儿 is read as a syllable of its own (``er2``): whether it is an erhua is not in the dictionary. Latin
    letters are read by their names, which may have several syllables.

    Args:
        hanzi: characters to read; no punctuation or digits (see :mod:`ctap.text.normalize`).
        sandhi: spoken tones, see :mod:`ctap.text.sandhi`. Off, tones are the dictionary's, whose phrases
            already write the sandhi of 一 and 不 (一个 ``yi2 ge4``).

    Raises:
        UnknownPinyin: naming the characters that have no reading.
    """
    syllables: list[str] = []
    start = 0
    for run in RUN.finditer(hanzi):
        syllables += _read_hanzi(hanzi[start : run.start()], sandhi) + names(run[0])
        start = run.end()
    return syllables + _read_hanzi(hanzi[start:], sandhi)


def _read_hanzi(hanzi: str, sandhi: bool) -> list[str]:
    import pypinyin

    unread: set[str] = set()

    def note(chars: str) -> None:
        unread.update(chars)

    # A rare character may have a simplified form that is rarer still, and in no dictionary.
    plain = "".join(s if s < "\U00010000" else own for own, s in zip(hanzi, simplified(hanzi), strict=True))
    syllables = pypinyin.lazy_pinyin(
        plain,
        style=pypinyin.Style.TONE3,
        errors=note,
        v_to_u=False,
        neutral_tone_with_five=True,
    )
    if unread or len(syllables) != len(hanzi):
        what = "".join(own for own, read in zip(hanzi, plain, strict=True) if read in unread)
        raise UnknownPinyin(f"no reading for {what or hanzi!r} in {hanzi!r}")
    syllables = [canonical(syllable) for syllable in syllables]
    return apply_sandhi(plain, syllables) if sandhi else syllables
