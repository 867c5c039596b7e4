"""The table of syllables is that of the package's own reading."""

from __future__ import annotations

from ctap.text.phones import PHONES
from ctap.text.pinyin import syllable_to_phones
from ctap.text.syllables import every_syllable


def test_a_syllable_may_have_an_erhua() -> None:
    table = every_syllable()
    assert (table["tianr1"], table["zher4"], table["r5"]) == ("t ian1 rr", "zh e4 rr", "rr")
    assert set(table) >= {"dianr3", "nar3", "wanr2"} and (table["er2"], "err2" in table) == ("er2", False)


def test_every_syllable_has_its_phones() -> None:
    table = every_syllable()
    assert len(table) > 2000 and set(table) >= {"jin1", "zhuang4", "lv3", "shi2", "er2", "a5"}
    assert all(phones.split() == syllable_to_phones(name) for name, phones in table.items())
    assert {phone for phones in table.values() for phone in phones.split()} <= set(PHONES)
