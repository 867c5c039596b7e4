import pytest
from sentencepiece import SentencePieceProcessor

from ctap.errors import UserError
from ctap.text.units import MODEL_TYPES, Units, train_units

SENTENCES = ["今天天气好", "明天天气不好", "今天不去", "我们明天去", "天气好我们去", "好好学习天天向上"] * 3


def pieces(path):
    """The units as strings, in the order of their ids."""
    model = SentencePieceProcessor(model_file=str(path))
    return [model.id_to_piece(i) for i in range(len(model))]


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_round_trip_and_determinism(tmp_path, model_type):
    units = train_units(SENTENCES, tmp_path / "a.model", vocab_size=30, model_type=model_type)
    train_units(reversed(SENTENCES), tmp_path / "b.model", vocab_size=30, model_type=model_type)
    assert (tmp_path / "a.model").read_bytes() == (tmp_path / "b.model").read_bytes()
    assert pieces(units.path)[:2] == ["<blank>", "<unk>"] and len(units) <= 30
    for sentence in SENTENCES:
        ids = units.encode(sentence)
        assert units.blank_id not in ids and units.unk_id not in ids
        assert units.decode(ids) == sentence


def test_unknown_characters_and_blanks(tmp_path):
    units = train_units(SENTENCES, tmp_path / "a.model")
    assert units.encode("好囧") == [*units.encode("好"), units.unk_id]
    assert units.decode([0, *units.encode("好"), 0]) == "好"
    with pytest.raises(UserError, match="unit id 999 is outside"):
        units.decode([999])


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_words_stay_apart_where_the_text_has_blanks(tmp_path, model_type):
    sentences = ["the weather is fine", "is the weather fine today", "today the weather is bad"] * 3
    units = train_units(sentences, tmp_path / "a.model", vocab_size=30, model_type=model_type)
    for sentence in sentences:
        assert units.decode(units.encode(sentence)) == sentence
    blank, word = [pieces(units.path).index("▁")], units.encode("the")
    assert units.decode([*blank, *word, *blank, 0, *blank, *units.encode("fine"), *blank]) == "the fine"
    assert units.decode([*word, units.unk_id, *blank, units.unk_id]) == "the⁇ ⁇"


def test_hanzi_stay_without_blanks(tmp_path):
    units = train_units(["我 用 my phone 打 电话", "明天 天气 好"] * 3, tmp_path / "a.model")
    for text in ("我 用 my phone 打 电话", "我用my phone打电话"):
        assert units.decode(units.encode(text)) == "我用my phone打电话"
    assert units.decode([*units.encode("好"), units.unk_id, *units.encode("天")]) == "好⁇天"


def test_letters_stay_as_they_are_written(tmp_path):
    """Sentencepiece's own rules would write ＫＴＶ as KTV, and ½ as 1/2."""
    units = train_units(["去ＫＴＶ唱½首"] * 3, tmp_path / "a.model")
    assert units.decode(units.encode("去ＫＴＶ唱½首")) == "去ＫＴＶ唱½首"


def test_errors(tmp_path):
    with pytest.raises(UserError, match="no sentences"):
        train_units([" "], tmp_path / "a.model")
    with pytest.raises(UserError, match="expected one of char, unigram, bpe"):
        train_units(SENTENCES, tmp_path / "a.model", model_type="word")
    (tmp_path / "bad.model").write_bytes(b"nonsense")
    for name in ("bad.model", "none.model"):
        with pytest.raises(UserError, match=name):
            Units(tmp_path / name)
    assert not (tmp_path / "a.model").exists()
