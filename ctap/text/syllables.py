"""All syllables of Mandarin with their phones, for programs that can't ask this package."""

from __future__ import annotations

from ctap.text.pinyin import UnknownPinyin, canonical, syllable_to_phones


def every_syllable() -> dict[str, str]:
    """Pinyin with tone to phones, ``{"jin1": "j in1", ...}``, of all readings that pypinyin knows.

    Each with erhua besides (``dianr3``), and the ending alone (``r5``).
    """
    from pypinyin.pinyin_dict import pinyin_dict

    found: dict[str, str] = {}
    bases = set()
    for readings in set(pinyin_dict.values()):
        for reading in readings.split(","):
            try:
                bases.add(canonical(reading, bare_tone="5")[:-1])
            except UnknownPinyin:
                continue  # dialects, and sounds that are no syllables
    for base in sorted({*bases, *(f"{base}r" for base in bases), "r"}):
        try:
            found |= {base + tone: " ".join(syllable_to_phones(base + tone)) for tone in "12345"}
        except UnknownPinyin:
            continue  # no erhua, of er or of a nasal
    return found
