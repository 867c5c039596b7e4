"""Languages as eSpeak NG reads them: IPA phones with stress or tone, words, and its own normalisation."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cached_property

from ctap.errors import UserError
from ctap.text import english_forms, english_numbers, ipa
from ctap.text.abbreviations import is_abbreviated
from ctap.text.counting import characters, words
from ctap.text.espeak import Espeak, Read
from ctap.text.forms import unwritten, usual_form
from ctap.text.language import Clauses, Language, Reading, read_by_words
from ctap.text.pauses import PAUSES
from ctap.text.pieces import Piece, join_sentences, split_sentences
from ctap.text.rules import TextRules
from ctap.text.scripts import SCRIPTS

TONAL = ("cmn", "hak", "yue", "vi", "th", "my", "shn")
"""Voices whose mnemonics end in tones."""

UNSPACED = ("cmn", "hak", "yue", "ja", "th", "lo", "my", "km")
"""Voices whose languages are written without blanks between words: errors are counted in characters."""

CODES = {"cmn": "zh", "nb": "no"}
"""Voices that are named otherwise than recognisers name their language."""

_LETTERS = {"yue": {"z": "ts", "c": "tsʰ"}}
"""Voices to what they leave in letters of the language's romanisation that in IPA are of another class."""

_ASCII = str.maketrans("ANSXZΦε", "ɑŋʃχʒɸɛ")  # what the library's data leave in its own or Greek letters
_LATIN = re.compile("[A-Za-zÀ-ɏ]+")
_TONE = re.compile(r"(?<=.)\d+$")
_STOP = re.compile(r"\.[^\S\n\r]*\Z")


class UnreadText(UserError):  # noqa: N818 - what it is
    """Text without a reading."""


class UnknownPhones(UserError):  # noqa: N818 - what they are
    """Phones that are not of the inventory that is to be kept to."""


class Collected(Language):
    """A language whose inventory is what its corpus has, or that of a model.

    Args:
        rules: With ``phones``, the inventory; without, any phone is taken (and :meth:`collect` tells all).

    Attributes:
        whose: Where the phones of the inventory are from, in words.
    """

    whose = "the model"

    def __init__(self, rules: TextRules) -> None:
        self.rules, self.name = rules, rules.language

    @cached_property
    def inventory(self) -> Mapping[str, str]:
        """The pauses, and the phones of the rules."""
        return dict.fromkeys(PAUSES, "pause") | dict(self.rules.phones)

    def collect(self, phones: Iterable[str]) -> tuple[tuple[str, str], ...]:
        """Phones of a corpus and their classes, sorted by the phones without stress and tone."""
        found = sorted(set(phones), key=lambda phone: (self.base(phone), phone))
        return tuple((phone, self.class_of(phone)) for phone in found)

    def class_of(self, phone: str) -> str:
        """Class of a phone that may be of no inventory yet."""
        return ipa.class_of(phone)

    def base(self, phone: str) -> str:
        """Without stress and tone."""
        return ipa.base(phone)

    def unit_class(self, unit: str) -> str:
        """Manner class of a unit, which need not be of the inventory (an aligner of another corpus)."""
        return super().unit_class(unit) or self.class_of(unit)

    def known(self, clauses: Clauses) -> list[list[list[str]]]:
        """``clauses`` with phones replaced as the rules say.

        Raises:
            UnknownPhones: naming those that are not of the inventory, if there is one.
        """
        found = [[[p for phone in word for p in self._mapped(phone)] for word in own] for own in clauses]
        phones = {phone for clause in found for word in clause for phone in word}
        if self.rules.phones and (unknown := sorted(phones - self.inventory.keys())):
            raise UnknownPhones(
                f"phones {' '.join(unknown)}: not among the {len(self.rules.phones)} of {self.whose}; a "
                "table may say what stands for them (--phone_map)"
            )
        return found

    def _mapped(self, phone: str) -> list[str]:
        return self._map.get(phone, [phone])

    @cached_property
    def _map(self) -> dict[str, list[str]]:
        return {phone: others.split() for phone, others in self.rules.phone_map}

    def reason(self, error: UserError) -> str:
        """The phrase under which an error of :meth:`read` is counted."""
        return "unknown phone" if isinstance(error, UnknownPhones) else "unreadable text"


class Spoken(Collected):
    """The language of a voice of eSpeak NG, ``espeak:VOICE``."""

    def __init__(self, rules: TextRules) -> None:
        super().__init__(rules)
        self.voice = rules.language.partition(":")[2]
        root = self.voice.partition("-")[0]
        self._tonal, self._spaced = root in TONAL, root not in UNSPACED
        self._letters = _LETTERS.get(root, {})
        listed = {script for script, own in SCRIPTS.items() if {self.voice, root} & set(own.split())}
        self._scripts = listed or {"LATIN"}
        self.token_name = "word" if self._spaced else "character"
        self.code = CODES.get(root, root)
        self.writing = f"Text that eSpeak NG's voice {self.voice} reads"

    @cached_property
    def _espeak(self) -> Espeak:
        return Espeak(self.voice)

    def clauses(self, text: str) -> list[list[list[str]]]:
        """Clauses of ``text``, each of words of phones; there are at least one clause, word and phone.

        Raises:
            UnreadText: there is nothing to read, or a character that the voice does not know.
            UnknownPhones: see :meth:`known`.
        """
        runs = [""]
        for first, *others in self._sentences(text):
            runs = [*runs[:-1], runs[-1] + first, *others]
        read: list[list[list[Read]]] = []
        for run in runs:
            own = self.reads(run)
            if read:  # behind an abbreviation
                read[-1] = read[-1] + own.pop(0)
            read += own
        return self.known([[own for word in part if (own := self.phones_of(word))] for part in read])

    def _sentences(self, text: str) -> list[list[str]]:
        """Sentences, in parts where the voice would take the full stop of an abbreviation for an end."""
        found: list[list[str]] = []
        for part in split_sentences(text):
            if not found or self.ends_sentence("".join(found[-1]), part):
                found.append([part])
            elif self._cuts(found[-1][-1], part):
                found[-1].append(part)
            else:
                found[-1][-1] += part
        return found

    def _cuts(self, before: str, after: str) -> bool:
        """Whether the voice begins a clause at ``after``."""
        before, after = " ".join(before.split()[-2:]), " ".join(after.split()[:2])
        self._espeak.voice("")
        apart, others, whole = (
            len([1 for clause in self._espeak.read(usual_form(part))[0] if any(map(self.phones_of, clause))])
            for part in (before, after, f"{before} {after}")
        )
        return min(apart, others) > 0 and whole == apart + others

    def ends_sentence(self, before: str, after: str) -> bool:
        """No, if it is that of an abbreviation: one that is known, or one behind which the voice goes on.

        A text without capitals is cut at its full stops all the same, but for those of ``d.h.``.
        """
        if not _STOP.search(before):
            return True
        if self.code == "en":
            return english_forms.ends_sentence(before, after)
        if is_abbreviated(before, after, self.code):
            return False
        return not after.strip() or before == before.lower() or self._cuts(before, after)

    def reads(self, text: str) -> list[list[list[Read]]]:
        """The same as the library gives them, with what has no sound of its own.

        Raises:
            UnreadText: as above.
        """
        self._espeak.voice("")
        plain = usual_form(text)
        if unread := unwritten(plain, self._reads):
            listed = ", ".join(map(repr, unread))
            raise UnreadText(f"{listed}: eSpeak NG's {self.voice} can't read it, in: {plain}")
        found, switched = self._espeak.read(plain)
        if switched and self._espeak.read(_LATIN.sub(" ", plain))[1]:  # Latin words are read as English
            raise UnreadText(f"a character that eSpeak NG's {self.voice} can't read, in: {text}")
        found = [clause for clause in found if any(map(self.phones_of, clause))]
        if not found:
            mute = "" if self._espeak.read("a e i o")[0] else ", for this voice's dictionary is missing"
            raise UnreadText(f"nothing to read in {text!r}{mute}")
        return found

    def switched(self, text: str) -> bool:
        """Whether the voice reads part of ``text`` in another language."""
        self._espeak.voice("")
        return self._espeak.read(usual_form(text))[1]

    def phones_of(self, word: Iterable[Read]) -> list[str]:
        """Phones of what the library reads, which says some of its phonemes by others."""
        return [phone for read in word if (phone := self._phone(read))]

    def _phone(self, read: Read) -> str:
        symbol, tone = read.ipa.strip("_|"), ""
        if self._tonal and (match := _TONE.search(read.mnemonic)):
            tone = match[0]
            # the library writes the digits of tones as they are, or by the sign for such a mnemonic
            symbol = symbol.rstrip("0123456789")
            symbol = symbol.removesuffix("ɜ") if tone[0] == "3" and len(ipa.letters(symbol)) > 1 else symbol
        if self._tonal:
            symbol = symbol.lstrip(ipa.STRESS)  # every syllable with a tone is marked as stressed
        symbol = symbol.translate(_ASCII)
        if read.table in ("", self.voice):  # an English z is one
            symbol = self._letters.get(symbol, symbol)
        return unicodedata.normalize("NFC", symbol + tone) if ipa.letters(symbol) else ""

    def read(self, given: Mapping[str, str]) -> Reading:
        """The phones of ``text``, and how many each word has."""
        text = " ".join(given["text"].split())
        found = read_by_words(text, self.clauses(text))
        self.collect(found.phones)  # a phone without a class is refused here
        return found

    def writes(self, letter: str) -> bool:
        """Those of the language's scripts."""
        return not self._scripts.isdisjoint(re.split("[ -]", unicodedata.name(letter, "")))

    def _reads(self, letter: str) -> bool:
        """Those, and Latin ones, which every voice reads, if need be as English."""
        return self.writes(letter) or "LATIN" in unicodedata.name(letter, "")

    def to_pieces(self, text: str, most: int) -> list[Piece]:
        """Sentences, long ones cut at clauses."""
        sentences = [self.to_phones("".join(parts)) for parts in self._sentences(text)]
        return join_sentences(sentences, most, self._may_cut)

    def written_out(self, text: str) -> str:
        """English as it is said, numbers in words; other languages as they are."""
        return english_numbers.written_out(text) if self.code == "en" else text

    def text_tokens(self, text: str) -> list[str]:
        """Words, or characters where they are not set apart."""
        return words(text) if self._spaced else characters(text)


class Own(Collected):
    """Phones that a corpus brings itself, ``custom``: table ``phones``, classes in a file.

    A user's text is its phones, set apart by blanks, with ``|`` between words and ``,`` for a pause.
    """

    given = ("phones",)
    whose = "the table of own phones"
    without_text = "`text` holds the phones, in which this corpus is read"
    token_name = "phone"
    writing = "Phones set apart by blanks, | between words, a comma at a pause"

    def class_of(self, phone: str) -> str:
        """From the table of classes."""
        return self.phone_class(phone)

    def base(self, phone: str) -> str:
        """Without a final digit (tone, stress), if other phones are the same without it."""
        return self._bases.get(phone, phone)

    @cached_property
    def _bases(self) -> dict[str, str]:
        names = [phone for phone, _ in self.rules.phones]
        roots = [name.rstrip("0123456789") for name in names]
        return {name: root for name, root in zip(names, roots, strict=True) if roots.count(root) > 1 and root}

    def unit_class(self, unit: str) -> str:
        """Manner class of a unit of the table."""
        return self._unit_classes.get(unit, "")

    def collect(self, phones: Iterable[str]) -> tuple[tuple[str, str], ...]:
        """Those of the table, whatever the corpus has."""
        return self.rules.phones

    def clauses(self, text: str) -> list[list[list[str]]]:
        """Phones as they stand.

        Raises:
            UnreadText: there are none.
            UnknownPhones: see :meth:`known`.
        """
        clauses = [[word.split() for word in clause.split("|")] for clause in text.split(",")]
        clauses = [[word for word in clause if word] for clause in clauses]
        if not any(clauses):
            raise UnreadText("no phones")
        return self.known([clause for clause in clauses if clause])

    def read(self, given: Mapping[str, str]) -> Reading:
        """Phones as they are given."""
        return read_by_words(given["phones"], self.clauses(given["phones"]))

    def to_pieces(self, text: str, most: int) -> list[Piece]:
        """One sentence, cut at pauses if it is long."""
        return self.cut(self.to_phones(text), most)

    def text_tokens(self, text: str) -> list[str]:
        """Phones."""
        return text.replace("|", " ").replace(",", " ").split()
