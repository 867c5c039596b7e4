import itertools
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctap.errors import UserError
from ctap.text.frontend import text_to_phones, text_to_pinyin
from ctap.text.normalize import UnreadableText
from ctap.text.phones import PHONES
from ctap.text.pinyin import UnknownPinyin


@pytest.mark.parametrize(
    ("text", "phones"),
    [
        ("你好，再见。", "sil n i3 h ao3 sp z ai4 j ian4 sil"),
        ("ni3 hao3, zai4 jian4.", "sil n i3 h ao3 sp z ai4 j ian4 sil"),
        ("nǐ hǎo ma", "sil n i3 h ao3 m a5 sil"),
        ("yi4 % dianr3 $", "sil i4 d ian3 rr sil"),
        ("，好，。", "sil h ao3 sil"),
        ("ni3 hao3 “zai4 jian4”", "sil n i3 h ao3 z ai4 j ian4 sil"),
        ("“ni3” (hao3) : ma5", "sil n i3 h ao3 sp m a5 sil"),
        ("nu:3 hao3", "sil n v3 h ao3 sil"),
        ("ni3#1 hao3 #4 ma5%", "sil n i3 h ao3 m a5 sil"),
        ("n\u200bi3\ufeff hao3\u00ad", "sil n i3 h ao3 sil"),
        ("ｎｉ３　ｈａｏ３", "sil n i3 h ao3 sil"),
        ("你好#1吗#4", "sil n i3 h ao3 m a5 sil"),
        ("⽔⻓", "sil sh uei3 zh ang3 sil"),
        ("10kg", "sil sh iii2 q ian1 k e4 sil"),
    ],
)
def test_known_texts(text, phones):
    assert text_to_phones(text) == phones.split()


def test_sandhi_reaches_hanzi_only():
    assert text_to_pinyin("你好", sandhi=True) == [["ni2", "hao3"]]
    assert text_to_pinyin("ni3 hao3", sandhi=True) == [["ni3", "hao3"]]


@pytest.mark.parametrize(
    ("text", "error"),
    [("", UnreadableText), ("...", UnreadableText), ("ni hao3", UnknownPinyin), ("CEO你好", UnreadableText)],
)
def test_errors(text, error):
    with pytest.raises(error):
        text_to_phones(text)


def test_traditional_text_is_read_by_phrases():
    pairs = (
        "銀行在重慶/银行在重庆 長城/长城 音樂/音乐 睡覺/睡觉 乾淨/干净 乾坤/乾坤 著急/着急 著名/著名",
        "頭髮/头发 發展/发展 她看著我/她看着我 顯著/显著 會計/会计 調查/调查 裏面/里面 皇后/皇后 後天/后天",
    )
    for pair in " ".join(pairs).split():
        traditional, plain = pair.split("/")
        assert text_to_pinyin(traditional) == text_to_pinyin(plain), pair
    assert text_to_pinyin("銀行在重慶") == [["yin2", "hang2", "zai4", "chong2", "qing4"]]
    assert text_to_pinyin("數不清", sandhi=True) == text_to_pinyin("数不清", sandhi=True)


@pytest.mark.parametrize(
    ("text", "pinyin"),
    [
        ("卡拉OK", "ka3 la1 ou1 kei4"),
        ("OK", "ou1 kei4"),
        ("K歌", "kei4 ge1"),
        ("W", "da2 bu5 liu5"),
        ("ni3 hao3", "ni3 hao3"),
    ],
)
def test_letters_by_their_names(text, pinyin):
    assert " ".join(itertools.chain(*text_to_pinyin(text, spell_latin=True))) == pinyin
    if text != "ni3 hao3":
        with pytest.raises(UserError):
            text_to_pinyin(text)


def test_messages_quote_what_was_written():
    with pytest.raises(UnknownPinyin, match="'zai'"):
        text_to_phones("ni3 hao3 “zai”")
    with pytest.raises(UnreadableText, match="for 'ni', 'hao', 'zai', 'jian' in 'ni3 hao3 “zai4 jian4”好'"):
        text_to_phones("ni3 hao3 “zai4 jian4”好")


@settings(deadline=None)  # a first text loads tables
@given(st.text(alphabet="你好一不，。 a1ni3 %$-", max_size=20))
def test_phones_are_framed_by_silence_or_refused(text):
    try:
        phones = text_to_phones(text)
    except UserError:
        return
    assert phones[0] == phones[-1] == "sil" and set(phones) <= set(PHONES)
    assert "sil" not in phones[1:-1]
    assert all(pair != ("sp", "sp") for pair in itertools.pairwise(phones))
    assert phones[1] != "sp" and phones[-2] != "sp"


def test_text_needs_no_torch():
    code = (
        "import sys, ctap.text.frontend, ctap.text.tokens, ctap.text.units; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("text", ["Привет", "の", "안녕 하세요"])
def test_other_scripts_are_no_pinyin(text):
    with pytest.raises(UnreadableText, match="no Mandarin reading for"):
        text_to_phones(text)
