import pytest

from ctap.text.normalize import UnreadableText, hanzi_only, is_hanzi, normalize_text


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


@pytest.mark.parametrize("text", ["CEO说", "①", "", " 。", "好😀", "これ"])
def test_what_cannot_be_read_is_refused(text):
    with pytest.raises(UnreadableText):
        normalize_text(text)


def test_the_unreadable_is_named():
    with pytest.raises(UnreadableText, match="no Mandarin reading for 'CEO'"):
        normalize_text("CEO说")


def test_hanzi_only_has_no_pauses():
    assert hanzi_only("一，二。三") == "一二三"
    assert is_hanzi("𠮷") and is_hanzi("〇") and not is_hanzi("，") and not is_hanzi("ア")


def test_plain_hanzi_need_no_grammar(monkeypatch):
    monkeypatch.setattr("ctap.text.normalize._normalizer", lambda: pytest.fail("the grammars were loaded"))
    assert normalize_text("今天，天气好。") == "今天，天气好"
