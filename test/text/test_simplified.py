"""Traditional to simplified: what each script shares stays, and simplified text is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctap.text.simplified import simplified


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("為什麽看著裏面", "为什么看着里面"),
        ("公安機關正在進一步調查中。", "公安机关正在进一步调查中。"),
        ("頭髮發現皇后後面", "头发发现皇后后面"),  # two characters for one, and one for two
        ("乾隆吃乾麵", "乾隆吃干面"),
        ("顯著的著名人物", "显著的著名人物"),
        ("显著的原著看着", "显著的原著看着"),  # simplified: 著 is right where it stands
        ("她看著我，很著急", "她看着我，很着急"),  # traditional, with no other sign of it
        ("著名作家的专著", "著名作家的专著"),
        ("OK 3.5 ni3 hao3", "OK 3.5 ni3 hao3"),
        ("", ""),
    ],
)
def test_by_hand(text, expected):
    assert simplified(text) == expected


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), max_size=12))
def test_one_character_for_one(text):
    assert len(simplified(text)) == len(text)


def test_phrases_of_a_simplified_dictionary_hardly_change():
    from pypinyin.phrases_dict import phrases_dict

    phrases = list(phrases_dict)[::20]
    assert sum(simplified(p) != p for p in phrases) < 0.005 * len(phrases)
