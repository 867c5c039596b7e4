"""What errors are counted in."""

from ctap.text.counting import characters, syllables, without_tone, words


def test_characters():
    assert characters("ＯＫ 3.5 公里。") == ["o", "k", "3", "5", "公", "里"]


def test_words():
    assert words("“Don’t!” – she said: 'e.g.' 5 naïve Ärzte.") == [
        *["don't", "she", "said", "e", "g", "5"], "naïve", "ärzte",
    ]  # fmt: skip


def test_syllables_of_what_the_front_end_makes():
    from ctap.text.pinyin import syllable_to_phones

    words = ["ni3", "hao3", "er2", "dianr3", "zhuang4", "an1", "lve4", "zi5"]
    phones = ["sil"]
    for word in words:
        phones += syllable_to_phones(word)
    found = syllables([*phones[:5], "sp", *phones[5:], "sil"])
    assert found == ["".join(syllable_to_phones(word)) for word in words]


def test_syllables_of_phones_that_are_not_well_formed_lose_none():
    assert syllables(["n", "h", "ao3", "rr", "rr", "sil", "b", "sp", "a1", "zh"]) == [
        "n", "hao3rr", "rr", "b", "a1", "zh",
    ]  # fmt: skip


def test_without_tone():
    assert without_tone(["ni3", "h", "v4", "5", "er2"]) == ["ni", "h", "v", "5", "er"]
