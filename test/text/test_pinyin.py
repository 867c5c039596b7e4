import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypinyin.contrib.tone_convert import to_finals, to_initials, to_tone3
from pypinyin.phrases_dict import phrases_dict
from pypinyin.pinyin_dict import pinyin_dict

from ctap.text.normalize import is_hanzi
from ctap.text.phones import PHONES, base
from ctap.text.pinyin import (
    UnknownPinyin,
    canonical,
    count_fits,
    hanzi_to_pinyin,
    is_erhua,
    pinyin_to_phones,
    syllable_to_phones,
)


@pytest.fixture(scope="module")
def syllables():
    """Every syllable of pypinyin's dictionaries, with tone marks."""
    found = {syllable for readings in pinyin_dict.values() for syllable in readings.split(",")}
    found.update(syllable for phrase in phrases_dict.values() for slot in phrase for syllable in slot)
    assert len(found) > 1500
    return sorted(found)


def test_every_syllable_of_pypinyin_maps(syllables):
    for syllable in syllables:
        phones = syllable_to_phones(to_tone3(syllable, neutral_tone_with_five=True))
        assert set(phones) <= set(PHONES), syllable
        assert pinyin_to_phones([canonical(syllable, bare_tone="5")]) == phones


def test_initials_and_finals_are_those_of_pypinyin(syllables):
    # Where we differ on purpose: the apical vowels, syllabic nasals, and two rare spellings.
    differ = {}
    for syllable in syllables:
        theirs = [to_initials(syllable, strict=True), to_finals(syllable, strict=True).replace("ü", "v")]
        ours = [base(phone) for phone in syllable_to_phones(to_tone3(syllable, neutral_tone_with_five=True))]
        if ours != [part for part in theirs if part]:
            differ[to_tone3(syllable, neutral_tone_with_five=True)[:-1]] = " ".join(ours)
    assert differ == {
        **{initial + "i": f"{initial} ii" for initial in ("z", "c", "s")},
        **{initial + "i": f"{initial} iii" for initial in ("zh", "ch", "sh", "r")},
        "m": "m",
        "n": "n",
        "ng": "ng",
        "hm": "h m",
        "hng": "h ng",
        "yo": "io",
        "wong": "ueng",
    }


@pytest.mark.parametrize(
    ("syllable", "phones"),
    [
        ("dianr3", "d ian3 rr"),
        ("huir4", "h uei4 rr"),
        ("wanr2", "uan2 rr"),
        ("zir3", "z ii3 rr"),
        ("er2", "er2"),
        ("r5", "rr"),
        ("lve4", "l ve4"),
        ("lue4", "l ve4"),
        ("jv2", "j v2"),
        ("yv2", "v2"),
        ("yvan2", "van2"),
        ("ju2", "j v2"),
        ("xiong1", "x iong1"),
        ("yuan2", "van2"),
        ("you3", "iou3"),
        ("liu2", "l iou2"),
        ("gui4", "g uei4"),
        ("lun2", "l uen2"),
        ("qun2", "q vn2"),
        ("ng4", "ng4"),
        ("m2", "m2"),
        ("io1", "io1"),
        ("ê4", "ê4"),
        ("shi4", "sh iii4"),
        ("nü3", "n v3"),
        ("nu:3", "n v3"),
        ("ma0", "m a5"),
        ("Bei3", "b ei3"),
        ("lǜ", "l v4"),
    ],
)
def test_known_syllables(syllable, phones):
    assert syllable_to_phones(syllable) == phones.split()


SLIPS = ",5,ma,ma6,ma33,mā1,bua1,jong3,zhia1,duei4,xx3,err3,q3,fi,hello,好,gi1,ku4a,yua4,wi1,ba 1,ng,lvr,%"


@pytest.mark.parametrize("bad", SLIPS.split(","))
def test_slips_are_refused(bad):
    with pytest.raises(UnknownPinyin, match="not a pinyin syllable"):
        syllable_to_phones(bad)


@given(st.text(max_size=7))
def test_anything_else_is_refused_in_the_same_way(text):
    with contextlib.suppress(UnknownPinyin):
        assert set(syllable_to_phones(text)) <= set(PHONES)


def test_erhua_and_counts():
    assert is_erhua("dianr3") and not is_erhua("er2") and not is_erhua("r5")
    assert count_fits("一点儿", ["yi4", "dianr3"]) and count_fits("一点", ["yi4", "dianr3"])
    assert not count_fits("一点儿", ["yi4", "dian3"])
    assert not count_fits("一点呀", ["yi4", "dianr3"])
    assert not count_fits("一", ["yi4", "dian3"])


def test_hanzi_are_read_in_context():
    assert hanzi_to_pinyin("银行行长") == ["yin2", "hang2", "hang2", "zhang3"]
    assert hanzi_to_pinyin("绿女略") == ["lv4", "nv3", "lve4"]
    assert hanzi_to_pinyin("好吗") == ["hao3", "ma5"]


def test_sandhi_is_an_option():
    assert hanzi_to_pinyin("你好") == ["ni3", "hao3"]
    assert hanzi_to_pinyin("你好", sandhi=True) == ["ni2", "hao3"]


def test_rare_traditional_characters_are_read():
    assert hanzi_to_pinyin("㘓") == ["lan2"]  # its simplified form is in no dictionary
    unread = [c for c in map(chr, pinyin_dict) if is_hanzi(c) and not _reads(c)]
    assert len(unread) < 5


def _reads(char):
    try:
        return len(hanzi_to_pinyin(char)) == 1
    except UnknownPinyin:
        return False


def test_characters_without_reading_are_named():
    with pytest.raises(UnknownPinyin, match="no reading for '%'"):
        hanzi_to_pinyin("好%")
