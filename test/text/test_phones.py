from pypinyin.contrib.tone_convert import to_initials

from ctap.text import phones
from ctap.text.phones import FINALS, INITIALS, PHONES, SYLLABIC_NASALS, base, phone_class


def test_size_and_uniqueness():
    assert len(INITIALS) == 21  # the traditional count
    assert len(PHONES) == len(set(PHONES)) == 2 + 21 + 5 * (len(FINALS) + len(SYLLABIC_NASALS)) + 1


def test_initials_are_those_of_pypinyin():
    syllables = "ba pa ma fa da ta na la ga ka ha ji qi xi zha cha sha ri za ca sa"
    assert [to_initials(s, strict=True) for s in syllables.split()] == list(INITIALS)


def test_every_phone_has_a_class_and_every_class_a_phone():
    classes = "pause stop affricate fricative nasal lateral approximant vowel"
    assert {phone_class(p) for p in PHONES} == set(classes.split())
    assert " ".join(phone_class(p) for p in ("sil", "zh", "x", "m", "m2", "l", "r", "rr", "iii4", "t")) == (
        "pause affricate fricative nasal nasal lateral approximant vowel vowel stop"
    )


def test_base():
    assert [base(p) for p in ("ian3", "ng5", "zh", "rr", "sil")] == ["ian", "ng", "zh", "rr", "sil"]
    assert phones.is_phone("sp") and not phones.is_phone("ian")
