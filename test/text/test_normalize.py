import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctap.text.normalize import UnreadableText, is_hanzi, normalize_text


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("我有123个苹果。", "我有一百二十三个苹果"),
        ("增长了12.5%", "增长了百分之十二点五"),
        ("2024年3月5日", "二零二四年三月五日"),
        ("3:30开会", "三点三十分开会"),
        ("10kg", "十千克"),
        ("3-5个", "三到五个"),
        ("他说：“好！”", "他说，好"),
        ("……你 好，，《书》（新）。", "你好，书新"),
        ("二〇二四", "二〇二四"),
    ],
)
def test_what_is_written_and_what_is_said(written, spoken):
    assert normalize_text(written) == spoken


def written_forms():
    """Rows of the table; invisible characters stand in it as escapes."""
    table = (Path(__file__).parent / "written_forms.tsv").read_text(encoding="utf-8")
    _, *rows = re.sub(r"\\x\w\w|\\u\w{4}|\\U\w{8}", lambda m: chr(int(m[0][2:], 16)), table).splitlines()
    return [row.split("\t") for row in rows]


@pytest.mark.parametrize(("category", "written", "spoken"), written_forms())
def test_written_forms(category, written, spoken):
    assert normalize_text(written, spell_latin=True) == spoken
    if re.search("[A-Za-z]", spoken):
        with pytest.raises(UnreadableText, match="no Mandarin reading for"):
            normalize_text(written)
    else:
        assert normalize_text(written) == spoken


@settings(deadline=None)  # a first text loads tables
@given(st.text(alphabet="0123456789.:：-～—~/%℃元年月日第点,，+=*×$¥ kmg约²½'", max_size=16))
def test_whatever_is_read_is_hanzi_and_stays(text):
    try:
        spoken = normalize_text(text)
    except UnreadableText as error:
        assert repr(text) in str(error)
        return
    assert all(is_hanzi(char) or char == "，" for char in spoken)
    assert normalize_text(spoken) == spoken


def test_digits_of_other_scripts_are_refused():
    with pytest.raises(UnreadableText, match="٣"):
        normalize_text("有٣个")


def test_the_table_holds_what_people_write():
    rows = written_forms()
    assert len(rows) > 400 and len({category for category, _, _ in rows}) == 18


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("3點30分在臺灣", "三點三十分在臺灣"),
        ("氣溫25℃，增長了12.5%", "氣溫二十五摄氏度，增長了百分之十二点五"),  # what is inserted is simplified
        ("比分3：2", "比分三比二"),
        ("2個裏面", "两個裏面"),
        ("2024年3月5號發現", "二零二四年三月五號發現"),
        ("乾隆3年頭髮乾了", "乾隆三年頭髮乾了"),
    ],
)
def test_traditional_text_stays_as_it_is_written(written, spoken):
    assert normalize_text(written) == spoken


def test_long_text_takes_time_by_its_length():
    written, spoken = "今年3月有個學生說他們國家漲了25%", "今年三月有個學生說他們國家漲了百分之二十五"
    start = time.process_time()
    for end in ("，", ""):
        assert normalize_text((written + end) * 200) == ((spoken + end) * 200).rstrip("，")
    assert normalize_text("1" * 5000) == "一" * 5000
    assert time.process_time() - start < 2  # it was seven seconds


@pytest.mark.parametrize("text", ["CEO说", "∮", "", " 。", "好😀", "これ"])
def test_what_cannot_be_read_is_refused(text):
    with pytest.raises(UnreadableText):
        normalize_text(text)


def test_the_unreadable_is_named():
    with pytest.raises(UnreadableText, match="no Mandarin reading for 'CEO'"):
        normalize_text("CEO说")
    with pytest.raises(UnreadableText, match="for '∮', '∝' in '第3～5∮和∝'"):
        normalize_text("第3～5∮和∝")
    with pytest.raises(UnreadableText, match="for 'ＣＥＯ' in 'ＣＥＯ说3:30'"):
        normalize_text("ＣＥＯ说3:30")
    with pytest.raises(UnreadableText, match="for 'iPhone' in '我的iPhone和VIP'"):
        normalize_text("我的iPhone和VIP", spell_latin=True)


def test_plain_hanzi_need_no_grammar(monkeypatch):
    monkeypatch.setattr("ctap.text.normalize._normalizer", lambda: pytest.fail("the grammars were loaded"))
    assert normalize_text("今天，天气好。") == "今天，天气好"


def test_units_of_wetext():
    assert normalize_text("压力5bar，功率3kw") == "压力五巴，功率三千瓦"
