import itertools
import subprocess
import sys

import pytest
from hypothesis import given
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
