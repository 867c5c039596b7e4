"""Languages through eSpeak NG, and own phones."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ctap.bin import prepare_text
from ctap.errors import UserError
from ctap.files.tables import read_table, write_table
from ctap.kaldi.validate import validate
from ctap.text.espeak import Espeak, is_pause, voices
from ctap.text.languages import language_in, language_of, rules_for, with_phone_map
from ctap.text.pauses import PAUSES
from ctap.text.portions import portions
from ctap.text.rules import TextRules
from test.recipes.readers import noise


def read(language: str, text: str):
    return language_of(rules_for(language)).read({"text": text})


@pytest.mark.parametrize(
    ("language", "text", "phones", "words"),
    [
        ("espeak:en-us", "Hello, 2 worlds!", "h ə l ˈoʊ t ˈuː w ˈɜː l d z", "4 2 5"),
        ("espeak:de", "Ich heiße Pfeiffer.", "ɪ ç h ˈaɪ s ə pf ˈaɪ f ɜ", "2 4 4"),
        ("espeak:es", "El perro caro", "e l p ˈe r o k ˈa ɾ o", "2 4 4"),
        ("espeak:ja", "ミャンマー", "mʲ ˈä m m ää", "5"),
        ("espeak:sw", "Habari ya asubuhi", "h a b ˈa r i j a ˌa s u b ˈu h i", "6 2 7"),
        ("espeak:ru", "Привет, время", "p rʲ i vʲ ˈe t v rʲ ˈe mʲ ʌ", "6 5"),  # whose ; is written into r
        ("espeak:be", "Добры дзень", "d ˈɔ b r ɨ d͡zʲ ˈɛ nʲ", "5 3"),
        ("espeak:lt", "Labas rytas", "l̩ ˈa b a s rʲ ˈiː t a s", "5 5"),
        ("espeak:pl", "polski arabski", "p ˈɔ l s k i a r ˈa p s k i", "6 7"),
        ("espeak:lv", "Ammāna", "ˈaː mː aː n a", "5"),
        ("espeak:ga", "ar maidin", "ˈɛ r m ˈɑ dʒ ɪ n", "2 5"),
        ("espeak:fr-fr", "Bonjour", "b ɔ̃ ʒ ˈu ʁ", "5"),  # as the library lists fr
        # several scripts, their digits, and Latin among others
        ("espeak:sr", "Здраво Zdravo", "z d r ˈa v o z d r ˈa v o", "6 6"),
        ("espeak:ja", "かなカナ", "k ˌä n ä k ˈä n ä", "8"),
        ("espeak:ru", "iPhone", "ˈaɪ f ˈəʊ n", "1 3"),
        ("espeak:hi", "१२", "b ˈaː ɾ ə h", "5"),
        # a pause that the library writes into the first sound of a clause
        ("espeak:it", "perché città", "p e r k ˌe tʃ i tː ˈa", "5 4"),
        ("espeak:de", "»Haus«", "h ˈaʊ s", "3"),
        ("espeak:la", "Chilia", "kʰ ˈɪ l ɪ a", "5"),
        ("espeak:cmn", "人", "ʐ ə35 n", "3"),  # whose 3 is written as a vowel
        # letters that the library reads by their numbers, or not at all
        ("espeak:de", "① ﬁnden", "ˈaɪ n s f ˈɪ n d ə n", "3 6"),
        ("espeak:de", "Ｈaus\0ab", "h ˈaʊ s ˈa p", "3 2"),
        ("espeak:es", "Nguyễn", "ˈɛ n e ɣ ˈu ʝ e n", "8"),
        ("espeak:ja", "１２３", "ˌi ts i ç ˌä k ɯᵝ n i d z ˈɯᵝ s ä n", "7 2 6"),
        ("espeak:ja", "あ・い", "ˈä ˈi", "1 1"),
        ("espeak:ar", "ﻛﺘﺎﺏ", "k i t ˈaː b", "5"),
        ("espeak:fr", "lʼété", "l e t ˈe", "4"),
        # phones that it writes in letters of other alphabets
        ("espeak:da", "mælk", "m ˈɛ l k", "4"),
        ("espeak:uz", "chiroy", "tʃ ˈy ɾ ɑ j", "5"),
    ],
)
def test_phones_and_words(language, text, phones, words):
    reading = read(language, text)
    assert (" ".join(reading.phones), " ".join(reading.tables["word_phones"])) == (phones, words)
    assert reading.text == text


@pytest.mark.parametrize(
    ("language", "word", "blank"),
    [
        ("espeak:ja", "かな", ""),
        ("espeak:yue", "你好", ""),
        ("espeak:ko", "안녕", " "),
        ("espeak:my", "ဂျပန်", " "),
        ("espeak:de", "Haus", " "),
    ],
)
def test_nothing_of_a_long_clause_is_lost(language, word, blank):
    once = read(language, f"{word}{blank}{word}").phones
    language = language_of(rules_for(language))
    clauses = language.clauses(blank.join([word] * 300))
    assert sum(len(own) for clause in clauses for own in clause) == 150 * len(once)
    assert len(clauses) == 1 or blank  # cut inside a clause it stays one


def test_a_long_text_is_cut_at_blanks_and_between_syllables():
    assert portions("short, " * 200) == ["short, " * 200]
    assert [len(part) for part in portions("가나 " * 70)] == [134, 76]  # of 4 letters a word
    assert portions("か" * 58 + "きゃきゃ") == ["か" * 58 + "きゃ", "きゃ"]
    assert portions("か" * 59 + "きゃきゃ") == ["か" * 59, "きゃきゃ"]


def test_tones_are_digits():
    reading = read("espeak:yue", "好地方我愛你")
    assert {phone[-1] for phone in reading.phones if phone[-1].isdigit()} <= set("123456")
    assert any(phone.endswith("3") for phone in reading.phones)  # which the library writes as a vowel
    assert not any("ɜ" in phone for phone in reading.phones)
    assert "iɛ6" in read("espeak:vi", "Tiếng Việt").phones


@pytest.mark.parametrize(
    ("language", "text", "phones"),
    [
        ("espeak:th", "ครับ", "k h a3 r m b"),  # whose 3 is written as a vowel
        ("espeak:my", "ငါး", "ŋ e2"),
        ("espeak:shn", "ၵႃး", "k a4"),
    ],
)
def test_tones_are_no_part_of_the_unit(language, text, phones):
    reading = read(language, text)
    assert " ".join(reading.phones) == phones
    assert not any(language_of(rules_for(language)).unit(phone)[-1].isdigit() for phone in reading.phones)


def test_affricates_that_the_cantonese_voice_leaves_in_letters():
    language = language_of(rules_for("espeak:yue"))
    phones = language.read({"text": "咗廚, jazz 咗"}).phones
    assert phones == ["ts", "o2", "tsʰ", "yu4", "dʒ", "a", "z", "ts", "o2"]  # an English z is a fricative
    classes = dict(language.collect(phones))
    assert (classes["ts"], classes["tsʰ"], classes["z"]) == ("affricate", "affricate", "fricative")


def test_a_pause_at_each_clause():
    language = language_of(rules_for("espeak:en-us"))
    assert language.to_phones("No, no.") == ["sil", "n", "ˈoʊ", "sp", "n", "ˈoʊ", "sil"]
    pieces = language.to_pieces("No, no. Yes!", 100)
    assert [piece.joint for piece in pieces] == ["sil", ""] and pieces[1].phones[-1] == "sil"
    assert is_pause("_:") and is_pause("_|") and not is_pause("_j")


@pytest.mark.parametrize(
    ("language", "text", "joints", "pauses"),
    [
        ("espeak:en-us", "Mr. Smith came. He left.", ["sil", ""], 0),
        ("espeak:en-us", "letter, i.e. the letter", [""], 1),
        ("espeak:en-us", "J. R. Smith, etc. and so at 5 p.m. he left", [""], 1),
        ("espeak:en-us", "e.g. in", [""], 0),
        ("espeak:en-us", "hello. how are you", ["sil", ""], 0),
        ("espeak:en-us", "Mr.\nSmith", ["sil", ""], 0),
        ("espeak:de", "Am 3. Mai kam Dr. Meier, d.h. er war da. Er ging.", ["sil", ""], 1),
        ("espeak:de", "Es gibt z. B. Hunde usw. und so", [""], 0),
        ("espeak:de", "Etwa bzw. Nr. 3 um ca. 5 Uhr", [""], 0),
        ("espeak:de", "er ist da. sie auch", ["sil", ""], 0),
        ("espeak:de", "Es ist 3. Er kam.", ["sil", ""], 0),
        ("espeak:fr", "M. Dupont est là. Elle part.", ["sil", ""], 0),
        ("espeak:es", "Sr. García vino. Se fue.", ["sil", ""], 0),
        ("espeak:ru", "А. С. Пушкин пришёл. Она ушла.", ["sil", ""], 0),
    ],
)
def test_an_abbreviation_ends_no_sentence(language, text, joints, pauses):
    language = language_of(rules_for(language))
    pieces = language.to_pieces(text, 1000)
    assert [piece.joint for piece in pieces] == joints
    assert sum(piece.phones.count("sp") for piece in pieces) == pauses


def test_an_abbreviation_is_read_alike_in_a_corpus_and_in_synthesis():
    language = language_of(rules_for("espeak:en-us"))
    for text in ("e.g. in", "Mr. Smith, i.e. A. Smith. He left.", "No. 5 etc. and so"):
        said = [phone for piece in language.to_pieces(text, 1000) for phone in piece.phones]
        assert [phone for phone in said if phone not in PAUSES] == language.read({"text": text}).phones


@pytest.mark.parametrize(
    ("language", "text", "message"),
    [
        ("espeak:ja", "日本", "can't read"),
        ("espeak:ja", "Hello 日本", "can't read"),
        ("espeak:de", "Hallo 你好", "'你好': eSpeak NG's de can't read it, in: Hallo 你好"),
        ("espeak:de", "Привет Welt 😀", "'Привет', '😀': eSpeak NG's de can't read it"),
        ("espeak:en-us", "...", "nothing to read"),
        ("espeak:en-uk", "a", "no voice 'en-uk'; near it: .*en"),
        ("espeak:zh", "a", "no voice 'zh'; near it: cmn"),
        ("espeak:chr", "ᎣᏏᏲ", "'ᎣᏏᏲ': eSpeak NG's chr can't read it"),  # it would say letters of numbers
        ("espeak:fo", "heimur", "nothing to read in 'heimur', for this voice's dictionary is missing"),
    ],
)
def test_what_can_not_be_read(language, text, message):
    with pytest.raises(UserError, match=message):
        read(language, text)


def test_every_voice_that_is_listed_can_be_had():
    for voice in voices():
        assert Espeak(voice).name == voice


def test_the_inventory_is_the_models():
    rules = rules_for("espeak:de")
    known = language_of(rules).collect(read("espeak:de", "Ich heiße").phones)
    assert known[0] == ("ˈaɪ", "vowel") and ("ç", "fricative") in known
    language = language_of(replace(rules, phones=known))
    assert language.tokens.tokens[:4] == ("<pad>", "<blank>", "sil", "sp")
    assert language.has_closure("h") is False and language.unit("ˈaɪ") == "aɪ"
    with pytest.raises(UserError, match="phones f pf: not among the 6") as caught:
        language.read({"text": "Ich pfeife"})
    assert language.reason(caught.value) == "unknown phone"
    assert language.text_tokens("Ich heiße: „Ä“.") == ["ich", "heisse", "ä"]
    assert language_of(rules_for("espeak:ja")).text_tokens("ア イ。") == ["ア", "イ"]


def corpus(folder, texts, table="text"):
    waves = {utt: str(noise(folder / f"{utt}.wav")) for utt in texts}
    write_table(folder / "in" / "wav.scp", waves)
    write_table(folder / "in" / "utt2spk", dict.fromkeys(texts, "ann"))
    write_table(folder / "in" / table, texts)
    return folder / "in"


def prepare(source, out, *options):
    prepare_text.main(["--in_dir", str(source), "--out_dir", str(out), *map(str, options)])
    return out


def test_a_data_directory_and_one_that_keeps_to_its_phones(tmp_path):
    first = corpus(tmp_path / "a", {"ann-1": "Ich heiße.", "ann-2": "..."})
    data = prepare(first, tmp_path / "a" / "all", "--language", "espeak:de")
    assert read_table(data / "word_phones") == {"ann-1": "2 4"}
    assert validate(data, phones=language_in(data).phone_tables) == []
    rules = TextRules.load(data)
    assert rules.language == "espeak:de" and dict(rules.phones)["s"] == "fricative"
    second = corpus(tmp_path / "b", {"ann-1": "heiß ich", "ann-2": "Pfeife"})
    kept = ("--language", "espeak:de", "--phones_of", data)
    other = prepare(second, tmp_path / "b" / "all", *kept)
    assert TextRules.load(other) == rules
    assert "unknown phone\tphones f pf: not among" in (tmp_path / "b" / "skipped.tsv").read_text()
    (tmp_path / "map").write_text("pf h\nf s\n")
    mapped = prepare(second, tmp_path / "b" / "all", *kept, "--phone_map", tmp_path / "map")
    assert read_table(mapped / "phones")["ann-2"] == "h ˈaɪ s ə"


def test_phones_that_others_stand_for(tmp_path):
    table = tmp_path / "map"
    table.write_text("pf ç\nf h s\n")
    rules = rules_for("espeak:de")
    rules = replace(rules, phones=language_of(rules).collect(read("espeak:de", "Ich heiße").phones))
    mapped = with_phone_map(rules, table)
    mapped.require_same(rules, "here", "there")
    reading = language_of(mapped).read({"text": "Ich pfeife"})
    assert " ".join(reading.phones) == "ɪ ç ç ˈaɪ h s ə" and reading.tables["word_phones"] == ["2", "5"]
    assert language_of(mapped).to_phones("pfeife")[1:4] == ["ç", "ˈaɪ", "h"]
    mapped.save(tmp_path)
    assert TextRules.load(tmp_path) == mapped
    table.write_text("pf p f\n")
    with pytest.raises(UserError, match=r"pf p f: expected phones of the model .* p is not one"):
        with_phone_map(rules, table)
    with pytest.raises(UserError, match="mandarin has all of its phones"):
        with_phone_map(rules_for("mandarin"), table)


def test_own_phones(tmp_path):
    table = tmp_path / "classes"
    table.write_text("t stop\nS fricative\na1 vowel\na2 vowel\n")
    source = corpus(tmp_path, {"ann-1": "t a1 | S a2", "ann-2": "t x"}, "phones")
    data = prepare(source, tmp_path / "all", "--language", f"custom:{table}")
    assert read_table(data / "phones") == {"ann-1": "t a1 S a2"}
    assert read_table(data / "word_phones") == {"ann-1": "2 2"}
    language = language_in(data)
    assert language.phones == ("sil", "sp", "t", "S", "a1", "a2")
    assert (language.unit("a1"), language.unit_class("a"), language.has_closure("t")) == ("a", "vowel", True)
    assert language.to_phones("t a1, S a2") == ["sil", "t", "a1", "sp", "S", "a2", "sil"]
    assert "phones x: not among the 4 of the table of own phones" in (tmp_path / "skipped.tsv").read_text()
    source = corpus(tmp_path / "b", {"ann-1": "t a1"})  # its phones are in text
    with pytest.raises(UserError, match=r"holds no phones; write it$"):
        prepare_text.prepare_text(source, tmp_path / "all", language=f"custom:{table}")
    table.write_text("t plosive\n")
    with pytest.raises(UserError, match=r"t plosive: expected a phone .* and its class: vowel, stop"):
        rules_for(f"custom:{table}")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("", "expected a phone and its class a line, found nothing"),
        ("a vowel\nb stopp\n", r"table:2: b stopp: expected a phone \(no pause, .*\) and its class: vowel"),
        ("a vowel\nb\n", "table:2: b: expected a phone"),
        ("a vowel\na stop\n", "table:2: 'a' occurs a second time"),
        ("sil vowel\n", "table:1: sil vowel: expected"),
        ("a vowel\n<blank> stop\n", "table:2: <blank> stop: expected a phone .no pause, <pad> or <blank>"),
        ("a1 vowel\n<pad> vowel\n", "table:2: <pad> vowel: expected"),
        ("a stop\n\na1 vowel\na2 vowel\n", "table:3: a1 vowel: a final digit is a tone .* a is a stop; give"),
        ("a,b vowel\n", "table:1: a,b: | and , stand between words"),
    ],
)
def test_tables_of_own_phones_with_faults(tmp_path, table, message):
    (tmp_path / "table").write_text(table)
    with pytest.raises(UserError, match=message):
        rules_for(f"custom:{tmp_path / 'table'}")


def test_a_table_of_own_phones_from_windows(tmp_path):
    (tmp_path / "table").write_bytes("\ufeffa vowel\r\n\r\nb stop\r\n".encode())
    assert rules_for(f"custom:{tmp_path / 'table'}").phones == (("a", "vowel"), ("b", "stop"))
