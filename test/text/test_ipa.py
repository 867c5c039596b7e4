"""Classes of phones from their IPA symbols."""

import pytest

from ctap.errors import UserError
from ctap.text.ipa import CHART, CLASS_OF, base, class_of, letters


def test_the_chart_has_each_letter_once():
    assert len(CLASS_OF) == sum(len(listed.split()) for listed in CHART.values())
    assert all(len(letter) == 1 for letter in CLASS_OF)


@pytest.mark.parametrize(
    ("phones", "kind"),
    [
        ("ˈoʊ aɪ ɚ əl ɯᵝ ä ɑ̃ onɡ1 ˌiː", "vowel"),
        ("p tʰ t̪ ɡ ʔ ɗ kʷ tˤ", "stop"),
        ("tʃ dʒ pf ts tɕ t͡s ʈʂʰ", "affricate"),
        ("ç ɕ s̪ ɬ h ð", "fricative"),
        ("m ɲ ŋ̍ n̩ mʲ", "nasal"),
        ("l ʎ ɭ", "lateral"),
        ("r ɾ ɽʲ", "trill"),
        ("w j ɹ ʋ", "approximant"),
    ],
)
def test_classes(phones, kind):
    assert {phone: class_of(phone) for phone in phones.split()} == dict.fromkeys(phones.split(), kind)


def test_stress_and_tone_are_no_part_of_the_base():
    assert [base(p) for p in ("ˈoʊ", "ˌɪ", "ai35", "t", "iɛ6", "tˤ")] == ["oʊ", "ɪ", "ai", "t", "iɛ", "tˤ"]
    assert letters("ˈɔ̃ː") == "ɔ"


@pytest.mark.parametrize("phone", ["", "ˈ", "7", "Q", "+"])
def test_what_is_no_letter_of_the_chart_is_named(phone):
    with pytest.raises(UserError, match="not a letter of the IPA"):
        class_of(phone)
