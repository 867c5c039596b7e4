"""Several languages in one inventory, and texts in more than one of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ctap.bin import prepare_text
from ctap.errors import UserError
from ctap.files.tables import read_table, write_table
from ctap.kaldi.validate import validate
from ctap.text.languages import language_in, language_of, rules_for
from ctap.text.pauses import PAUSES
from ctap.text.rules import TextRules
from test.recipes.readers import noise

BOTH = language_of(rules_for("mandarin english"))


def test_tokens_carry_their_language():
    alone = [language_of(rules_for(name)) for name in ("mandarin", "english")]
    assert len(BOTH.phones) == sum(len(own.phones) for own in alone) - 2  # pauses are shared
    assert BOTH.phones[:3] == ("sil", "sp", "mandarin:b")
    assert (BOTH.phone_class("mandarin:n"), BOTH.phone_class("english:AA1")) == ("nasal", "vowel")
    assert (BOTH.unit("mandarin:m2"), BOTH.unit("english:AA1")) == ("mandarin:m0", "english:AA")
    assert BOTH.base("sp") == "sp" and BOTH.unit_class("english:AA") == "vowel"
    assert BOTH.toneless(["mandarin:ao3", "english:AA1", "sil"]) == ["mandarin:ao", "english:AA", "sil"]
    said = ["mandarin:n", "mandarin:i3", "mandarin:h", "mandarin:ao3", "english:T", "english:UW1"]
    assert BOTH.starts(said) == [True, False, True, False, True, False]


@pytest.mark.parametrize(
    ("text", "phones"),
    [
        ("我用iPhone。", "sil m:uo3 m:iong4 e:AY1 e:F e:OW2 e:N sil"),
        ("你, hello", "sil m:n m:i3 sp e:HH e:AH0 e:L e:OW1 sil"),
        ("hello，你", "sil e:HH e:AH0 e:L e:OW1 sp m:n m:i3 sil"),
        ("买2部 iPad吧", "sil m:m m:ai3 m:l m:iang3 m:b m:u4 e:AY1 e:P e:AE2 e:D m:b m:a5 sil"),
        ("<mandarin> ni3", "sil m:n m:i3 sil"),
        ("<english>so<mandarin>ni3", "sil e:S e:OW1 m:n m:i3 sil"),
        # what full stops and signs join, and what numbers take with them
        ("Dr.李", "sil e:D e:AA1 e:K e:T e:ER0 m:l m:i3 sil"),
        ("U.S.的", "sil e:Y e:UW2 e:EH1 e:S m:d m:e5 sil"),
        ("so.你", "sil e:S e:OW1 sp m:n m:i3 sil"),
        ("AT&T的", "sil e:EY1 e:T e:IY0 e:AH0 e:N e:T e:IY1 m:d m:e5 sil"),
        ("他5°C", "sil m:t m:a1 m:u3 m:sh m:e4 m:sh m:iii4 m:d m:u4 sil"),
        ("他5kg", "sil m:t m:a1 m:u3 m:q m:ian1 m:k m:e4 sil"),
        ("No.5的", "sil m:d m:i4 m:u3 m:d m:e5 sil"),
        ("他iPhone 5s", "sil m:t m:a1 e:AY1 e:F e:OW2 e:N m:u3 e:EH1 e:S sil"),
        # signs at the seam
        ("你/iPad", "sil m:n m:i3 sp e:AY1 e:P e:AE2 e:D sil"),
        ("iPad ／（你）", "sil e:AY1 e:P e:AE2 e:D sp m:n m:i3 sil"),
        ("C++的", "sil e:S e:IY1 e:P e:L e:AH1 e:S e:P e:L e:AH1 e:S m:d m:e5 sil"),
        ("他C#", "sil m:t m:a1 e:S e:IY1 e:HH e:AE1 e:SH sil"),
        ("iPad+5的", "sil e:AY1 e:P e:AE2 e:D m:zh m:eng4 m:u3 m:d m:e5 sil"),  # the sign of a number
        ("他#1so#2的#3你#4", "sil m:t m:a1 e:S e:OW1 m:d m:e5 m:n m:i3 sil"),  # marks of CSMSC
        ("5万/㎡", "sil m:u3 m:uan4 m:m m:ei3 m:p m:ing2 m:f m:ang1 m:m m:i3 sil"),  # no seam
    ],
)
def test_words_of_the_other_language(text, phones):
    found = " ".join(BOTH.to_phones(text))
    assert found.replace("mandarin:", "m:").replace("english:", "e:") == phones


@pytest.mark.parametrize("languages", ["mandarin english", "english mandarin"])
@pytest.mark.parametrize(
    ("text", "stretches"),
    [
        ("我有3只猫。I have 3 cats.", "m 我有3只猫。|e I have 3 cats."),
        ("I have 3 cats. 我有3只猫", "e I have 3 cats. |m 我有3只猫"),
        ("我在2024年买了iPhone", "m 我在2024年买了|e iPhone"),
        ("3月5日的meeting", "m 3月5日的|e meeting"),
        ("第3个Apple", "m 第3个|e Apple"),
        ("比分3:2吗OK", "m 比分3:2吗|e OK"),
        ("I met Mr. Li at 5. 他18岁了", "e I met Mr. Li at 5. |m 他18岁了"),
    ],
)
def test_a_number_is_of_its_sentence_and_of_the_hanzi_that_it_touches(languages, text, stretches):
    both = language_of(rules_for(languages))
    found = [(label[0], own) for label, own in both.stretches(text)]
    assert found == [(own[0], own[2:]) for own in stretches.split("|")]
    said = [phone for piece in both.to_pieces(text, 1000) for phone in piece.phones if phone not in PAUSES]
    reading = both.read({"text": text})
    assert (reading.text, reading.phones) == (text, said)


def test_a_unit_before_the_other_language_ends_its_sentence():
    pieces = BOTH.to_pieces("It is 5 km. 谢谢。", 1000)
    assert len(pieces) == 2 and "english:K" in pieces[0].phones and "mandarin:u3" not in pieces[0].phones
    said = [phone for piece in pieces for phone in piece.phones if phone not in PAUSES]
    assert BOTH.read({"text": "It is 5 km. 谢谢。"}).phones == said


def test_a_number_behind_a_word_stays_with_it():
    english = language_of(rules_for("english mandarin"))
    for text, own in (("我用iPhone 15", "iPhone 15"), ("iPhone15很好", "iPhone15"), ("A4纸", "A4")):
        assert ("english", own) in english.stretches(text)
    assert BOTH.stretches("我用iPhone 15")[-1] == ("mandarin", " 15")


def test_a_mark_holds_until_the_next_one():
    pieces = BOTH.to_pieces("<mandarin>ni3. hao3. <english> So. 好。", 100)
    assert [piece.phones[-2].partition(":")[0] for piece in pieces] == [
        *["mandarin"] * 2,
        "english",
        "mandarin",
    ]
    with pytest.raises(UserError, match="mark <klingon>: expected one of mandarin, english"):
        BOTH.to_phones("<klingon> Qapla")
    with pytest.raises(UserError, match="nothing to read"):
        BOTH.to_phones("<english> ...")


def test_pinyin_is_spelt_for_other_programs_and_asked_for_with_its_mark():
    phones = BOTH.spellings()["zhuang4"].split()
    assert phones == ["mandarin:zh", "mandarin:uang4"]
    assert BOTH.to_phones("<mandarin> zhuang4") == ["sil", *phones, "sil"]
    assert "<mandarin> or <english> before what" in BOTH.writing


@pytest.mark.parametrize(
    ("text", "joints"),
    [
        ("I met Mr. Smith at 5 p.m. today. He left.", ["sil", ""]),
        ("他是Dr. Li。再见。", ["sil", ""]),
        ("他住在Main St. 附近", [""]),
        ("<english> In the U.S. He left.", ["sil", ""]),
        ("Mr. Li <mandarin> ni3. hao3.", ["sil", ""]),
        ("So. 好。<english>", ["sil", ""]),
    ],
)
def test_an_abbreviation_ends_no_sentence(text, joints):
    pieces = BOTH.to_pieces(text, 1000)
    assert [piece.joint for piece in pieces] == joints
    said = [phone for piece in pieces for phone in piece.phones if phone not in PAUSES]
    assert said == [phone for phone in BOTH.to_phones(text) if phone not in PAUSES]


def test_errors_are_counted_in_what_each_is_counted_in():
    assert BOTH.text_tokens("我用 iPhone, OK?") == ["我", "用", "iphone", "ok"]
    assert BOTH.text_tokens("⁇") == [] and BOTH.written_out("賠2000元。") == "赔两千元"
    assert BOTH.text_tokens(BOTH.written_out("Mr. Li: $5.")) == ["mister", "li", "five", "dollars"]
    assert BOTH.syllables(["mandarin:a1"]) is None


def test_a_text_is_marked_where_its_letters_do_not_tell():
    two = language_of(rules_for("english espeak:de"))
    reading = two.read({"text": "Ich heiße", "utt2lang": "de"})
    assert reading.text == "<de> Ich heiße" and reading.phones[0] == "de:ɪ"
    known = two.collect(reading.phones)
    assert ("de:ç", "fricative") in known and all(phone.startswith("de:") for phone, _ in known)
    kept = language_of(replace(rules_for("english espeak:de"), phones=known))
    assert kept.to_phones(reading.text)[1:-1] == reading.phones
    with pytest.raises(UserError, match="phones f pf: not among") as caught:
        kept.read({"text": "pfeife", "utt2lang": "de"})
    assert kept.reason(caught.value) == "unknown phone"


@pytest.mark.parametrize(
    ("given", "text", "phones"),
    [
        ({"text": "<mandarin> ni3 hao3"}, "<mandarin> ni3 hao3", "n i3 h ao3"),
        ({"text": "nǐ ma", "utt2lang": "mandarin"}, "<mandarin> nǐ ma", "n i3 m a5"),
    ],
)
def test_pinyin_that_is_marked_is_read_in_a_corpus_as_in_synthesis(given, text, phones):
    reading = BOTH.read(given)
    assert (reading.text, reading.tables["word_phones"], reading.notice) == (text, ["2", "2"], None)
    assert reading.phones == [f"mandarin:{phone}" for phone in phones.split()]
    assert BOTH.to_phones(reading.text)[1:-1] == reading.phones


def test_pinyin_of_a_text_that_is_not_of_mandarin_alone_is_reported():
    reading = BOTH.read({"text": "我用iPad", "pinyin": "wo2 yong4 iPad"})
    assert reading.phones[0] == "mandarin:uo3"
    assert reading.notice == ("pinyin not used, the text was read instead", "我用iPad / wo2 yong4 iPad")
    assert BOTH.read({"text": "so", "pinyin": "sou1"}).notice
    assert BOTH.read({"text": "你", "pinyin": "ni2"}).notice is None


def test_each_voice_reads_its_own_script():
    two = language_of(rules_for("espeak:de espeak:ru"))
    assert [label for label, _ in two.stretches("Guten Tag, Привет Welt")] == ["de", "ru", "de"]
    assert two.to_phones("Привет")[1].startswith("ru:")
    with pytest.raises(UserError, match="'你好': eSpeak NG's de can't read it"):
        two.to_phones("Hallo 你好")


@pytest.mark.parametrize(
    "name", ["mandarin mandarin", "mandarin custom", "english,mandarin", "english klingon"]
)
def test_what_can_not_be_together(name):
    with pytest.raises(UserError, match="or several set apart by blanks"):
        rules_for(name)


def test_a_data_directory_of_two_languages(tmp_path):
    texts = {"ann-1": "你好。", "ann-2": "Hello", "ann-4": "用iPad", "ann-5": "hello"}
    utts = [*texts, "ann-3"]
    write_table(tmp_path / "in" / "wav.scp", {utt: str(noise(tmp_path / f"{utt}.wav")) for utt in utts})
    write_table(tmp_path / "in" / "utt2spk", dict.fromkeys(utts, "ann"))
    write_table(tmp_path / "in" / "text", texts)
    write_table(tmp_path / "in" / "pinyin", {"ann-1": "ni3 hao5", "ann-3": "ma1"})
    write_table(tmp_path / "in" / "utt2lang", {"ann-1": "mandarin", "ann-2": "english", "ann-5": "french"})
    data = tmp_path / "all"
    words = ["--in_dir", str(tmp_path / "in"), "--out_dir", str(data), "--language", "mandarin english"]
    prepare_text.main(words)
    assert read_table(data / "text") == {
        "ann-1": "你好",
        "ann-2": "Hello",
        "ann-3": "<mandarin> ma1",
        "ann-4": "用iPad",
    }
    phones = read_table(data / "phones")
    assert phones["ann-1"] == "mandarin:n mandarin:i3 mandarin:h mandarin:ao5"  # pinyin is what was said
    assert read_table(data / "word_phones")["ann-4"] == "1 4"
    assert read_table(data / "utt2lang")["ann-4"] == "mandarin" and not (data / "pinyin").exists()
    assert "utt2lang french: expected one of mandarin, english" in (tmp_path / "skipped.tsv").read_text()
    language = language_in(data)
    assert language.phones == BOTH.phones and TextRules.load(data).language == "mandarin english"
    assert validate(data, phones=language.phone_tables) == []
    assert language.to_phones(read_table(data / "text")["ann-3"]) == [
        "sil",
        "mandarin:m",
        "mandarin:a1",
        "sil",
    ]
