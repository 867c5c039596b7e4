import pytest

from ctap.text.pinyin import hanzi_to_pinyin
from ctap.text.sandhi import apply_sandhi


@pytest.mark.parametrize(
    ("hanzi", "spoken"),
    [
        # Examples of textbooks; the last syllables' readings are the dictionary's.
        ("你好", "ni2 hao3"),
        ("老鼠", "lao2 shu3"),
        ("展览馆", "zhan2 lan2 guan3"),
        ("保管好", "bao2 guan2 hao3"),
        ("好吗", "hao3 ma5"),
        ("不是", "bu2 shi4"),
        ("不好", "bu4 hao3"),
        ("我不", "wo3 bu4"),
        ("一定", "yi2 ding4"),
        ("一天", "yi4 tian1"),
        ("一年", "yi4 nian2"),
        ("一起", "yi4 qi3"),
        ("一个", "yi2 ge4"),
        ("一百", "yi4 bai3"),
        ("第一次", "di4 yi1 ci4"),
        ("十一个", "shi2 yi1 ge4"),
        ("一月一日", "yi1 yue4 yi1 ri4"),
        ("一九一一年", "yi1 jiu3 yi1 yi1 nian2"),
        ("统一", "tong3 yi1"),
        ("看一看", "kan4 yi5 kan4"),
        ("差不多", "cha4 bu5 duo1"),
    ],
)
def test_textbook_examples(hanzi, spoken):
    assert " ".join(hanzi_to_pinyin(hanzi, sandhi=True)) == spoken


@pytest.mark.parametrize(
    ("phrases", "tone"),
    [
        ("一年级 一班 一楼 一等奖 一单元 一季度 一线城市 一级棒 高一学生 大一新生 上一年级", 1),
        ("一加一 一到十 一比三 除以一等于 一加手机", 1),
        ("一班人 下一班 同一年级 十加一起 一级台阶 下一级 一组人 高一点 一加热 十到一百", 4),
        ("一线生机 命悬一线 一到家 每一季度 提高一下", 2),
    ],
)
def test_one_that_numbers_and_one_that_counts(phrases, tone):
    for hanzi in phrases.split():
        assert hanzi_to_pinyin(hanzi, sandhi=True)[hanzi.index("一")] == f"yi{tone}", hanzi


def test_a_term_behind_a_sign_keeps_its_tone():
    assert " ".join(hanzi_to_pinyin("一加一等于二", sandhi=True)) == "yi1 jia1 yi1 deng3 yu2 er4"


def test_a_not_a_question():
    assert apply_sandhi("是不是", ["shi4", "bu4", "shi4"]) == ["shi4", "bu5", "shi4"]


@pytest.mark.parametrize(
    ("count", "tones"), [(1, "3"), (2, "23"), (3, "223"), (4, "2323"), (5, "23223"), (6, "232323")]
)
def test_runs_of_third_tones(count, tones):
    assert "".join(s[-1] for s in apply_sandhi("我" * count, ["wo3"] * count)) == tones


def test_a_pause_or_another_tone_ends_a_run():
    assert apply_sandhi("我他我我", ["wo3", "ta1", "wo3", "wo3"]) == ["wo3", "ta1", "wo2", "wo3"]


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="2 hanzi and 1"):
        apply_sandhi("你好", ["ni3"])
