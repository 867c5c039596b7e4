import pytest

from ctap.errors import UserError
from ctap.text.reading import read, reason


def test_hanzi_alone_are_read_by_the_dictionary():
    reading = read("你好，2024年。", None)
    assert reading.text == "你好二零二四年"
    assert " ".join(reading.pinyin) == "ni3 hao3 er4 ling2 er4 si4 nian2"
    assert read("你好", None, sandhi=True).pinyin == ["ni2", "hao3"]
    assert read("我很，好", None, sandhi=True).pinyin == ["wo2", "hen3", "hao3"]


def test_pinyin_that_is_given_stays():
    reading = read("你好", "ni2 % hao3 $", sandhi=True)
    assert reading.pinyin == ["ni2", "hao3"]
    assert reading.phones == ["n", "i2", "h", "ao3"]
    assert read("一点儿", "yi4 dianr3").phones == ["i4", "d", "ian3", "rr"]


def test_traditional_text_is_kept_and_told():
    reading = read("銀行在重慶", None)
    assert (reading.text, reading.traditional) == ("銀行在重慶", True)
    assert " ".join(reading.pinyin) == "yin2 hang2 zai4 chong2 qing4"
    assert not read("银行在重庆", None).traditional
    assert not read("銀行", "yin2 hang2").traditional  # nothing was read


def test_letters_stay_in_the_text():
    reading = read("K歌去KTV", None, spell_latin=True)
    assert reading.text == "K歌去KTV"
    assert " ".join(reading.pinyin) == "kei4 ge1 qu4 kei4 ti4 wei1"
    assert read("去KTV", "qu4 kei4 ti4 wei1", spell_latin=True).text == "去KTV"
    with pytest.raises(UserError, match="KTV"):
        read("去KTV", "qu4 kei4 wei1", spell_latin=True)


def test_pinyin_may_hold_marks():
    assert read("你好吗", "ni3#1 hao3, “ma5”#4").pinyin == ["ni3", "hao3", "ma5"]


def test_a_mismatch_quotes_what_was_written():
    with pytest.raises(UserError, match=r"3 hanzi but 2 pinyin syllables: 3～5 \(said 三到五\) / san1 dao4"):
        read("3～5", "san1 dao4")


def test_pinyin_alone():
    reading = read(None, "nü3 ren2")
    assert (reading.text, reading.pinyin) == ("nv3ren2", ["nv3", "ren2"])


@pytest.mark.parametrize(
    ("hanzi", "pinyin", "why"),
    [
        ("你好", "ni3 hoa3", "unknown pinyin"),
        ("你好", "ni3 hao3 ma5", "wrong number of pinyin"),
        ("你好吗", "ni3 hao3", "wrong number of pinyin"),
        ("KTV", "ni3 hao3", "unreadable text"),
        ("KTV", None, "unreadable text"),
        (None, None, "unreadable text"),
        (None, "% $", "unreadable text"),
        ("𠮷", None, "unknown pinyin"),
    ],
)
def test_reasons(hanzi, pinyin, why):
    with pytest.raises(UserError) as error:
        read(hanzi, pinyin)
    assert reason(error.value) == why
