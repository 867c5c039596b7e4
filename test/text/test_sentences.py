"""Text of any length in pieces that a model can say."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctap.text.frontend import phones_of, text_to_phones, text_to_pinyin
from ctap.text.mandarin import Mandarin
from ctap.text.normalize import UnreadableText
from ctap.text.pieces import SLACK, cut_phones, split_sentences
from ctap.text.rules import TextRules
from ctap.text.sentences import starts_syllable, text_to_pieces

RULES = TextRules()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("你好，再见。", ["你好，再见。"]),
        ("你好。再见！好？", ["你好。", "再见！", "好？"]),
        ("他说：“你好！”我走了……", ["他说：“你好！”", "我走了……"]),
        ("3.5公斤，1.2米。2024.5.6", ["3.5公斤，1.2米。", "2024.5.6"]),
        ("ni3 hao3. zai4 jian4", ["ni3 hao3. ", "zai4 jian4"]),
        ("一行\n二行\n", ["一行\n", "二行\n"]),
        ("。。你好", ["。。你好"]),
        ("你好。（）", ["你好。（）"]),
        ("...", ["..."]),
        ("买No. 5。No. 好", ["买No. 5。", "No. ", "好"]),
    ],
)
def test_sentences(text, parts):
    assert split_sentences(text) == parts


def test_pieces_of_hanzi_and_of_pinyin_are_the_same():
    for text in ("你好，再见。天气好！", "ni3 hao3, zai4 jian4. tian1 qi4 hao3!"):
        pieces = text_to_pieces(text, RULES, 100)
        assert [p.phones for p in pieces] == [
            ["sil", "n", "i3", "h", "ao3", "sp", "z", "ai4", "j", "ian4"],
            ["t", "ian1", "q", "i4", "h", "ao3", "sil"],
        ]
        assert [p.joint for p in pieces] == ["sil", ""]
    marked = text_to_pieces(
        "nǐ hǎo. ma", RULES, 100
    )  # a bare syllable, told by the marks of the other sentence
    assert marked[1].phones == ["m", "a5", "sil"]


def test_what_cannot_be_read_is_not_passed_over():
    for text in ("你好。☃", "☃。你好", "。。。", ""):
        with pytest.raises(UnreadableText):
            text_to_pieces(text, RULES, 100)


def test_one_sentence_is_one_piece_commas_or_not():
    text = "，".join(["今天天气很好"] * 6) + "。"
    (piece,) = text_to_pieces(text, RULES, 80)
    assert piece.phones == text_to_phones(text)
    assert piece.joint == ""


def test_a_sentence_too_long_is_cut_at_commas_then_between_syllables():
    pieces = text_to_pieces("你好" * 10 + "，" + "再见" * 10 + "。", RULES, 34)
    assert [p.joint for p in pieces] == ["sp", ""]
    pieces = text_to_pieces("你好" * 40, RULES, 32)
    assert {p.joint for p in pieces} == {""}
    assert all(len(p.phones) <= 40 for p in pieces)
    assert all(p.phones[-1] in ("i3", "ao3", "sil") for p in pieces)  # no syllable is broken
    sandhi = text_to_pieces("你好" * 40, TextRules(sandhi=True), 32)  # of the whole phrase, not of its pieces
    whole = phones_of(text_to_pinyin("你好" * 40, sandhi=True))
    assert list(itertools.chain(*(p.phones for p in sandhi))) == whole


def test_syllables_with_erhua_are_cut_between_as_others_are():
    pieces = Mandarin(RULES).cut(["ua1", "rr"] * 13, 8)
    assert len(pieces) > 1 and all(piece.phones[0] == "ua1" for piece in pieces)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from(["sil", "sp", "b", "a1", "rr", "ao3"]), min_size=1, max_size=300),
    st.integers(1, 60),
)
def test_every_phone_is_in_one_piece_and_every_pause_in_one_joint(phones, most):
    pieces = cut_phones(phones, most, starts_syllable)
    assert all(0 < len(p.phones) <= max(SLACK * most, 2) for p in pieces)
    assert [x for p in pieces for x in (*p.phones, p.joint) if x] == phones


def test_letters_as_the_rules_of_the_model_say():
    pieces = text_to_pieces("K歌。好｡", TextRules(spell_latin=True), 32)
    assert [" ".join(piece.phones) for piece in pieces] == ["sil k ei4 g e1", "h ao3 sil"]
    with pytest.raises(UnreadableText, match="'K' in 'K歌。'"):
        text_to_pieces("K歌。好｡", RULES, 32)
