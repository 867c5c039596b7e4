"""What the toolkit asks of a language; :mod:`ctap.text.languages` makes the one that a directory names."""

from __future__ import annotations

import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ctap.errors import UserError
from ctap.text.pauses import PAUSES
from ctap.text.pieces import Piece, cut_phones
from ctap.text.rules import TextRules
from ctap.text.tokens import TokenTable

WORD_TABLE = "word_phones"
"""Table of a data directory: how many phones each word of an utterance has, where phones don't tell."""

_SIGNS = {
    **dict.fromkeys(" '’-", "j"),  # join words
    **dict.fromkeys("&@_", "s"),  # stand inside words
    **dict.fromkeys("+#", "p"),  # stand behind words
    ".": "d",
}
_WORD = "f(?:f|pp|p(?!n))*"
_FOREIGN = re.compile(f"{_WORD}(?:(?:j+[ds]?j*|[ds]j*){_WORD})*d?")


@dataclass(frozen=True)
class Reading:
    """The text of one utterance.

    Attributes:
        text: As errors are counted in it.
        phones: Without pauses.
        tables: More tables of the data directory to this utterance's value.
        notice: What is to be said of it, and why it was kept; or ``None``.
    """

    text: str
    phones: list[str]
    tables: dict[str, Any] = field(default_factory=dict)
    notice: tuple[str, str] | None = None


Clauses = Sequence[Sequence[Sequence[str]]]
"""Clauses of words of phones."""


def read_by_words(text: str, clauses: Clauses) -> Reading:
    """The phones of ``clauses``, and how many each word has."""
    words = [word for clause in clauses for word in clause]
    phones = [phone for word in words for phone in word]
    return Reading(text, phones, {WORD_TABLE: [str(len(word)) for word in words]})


def with_pauses(clauses: Clauses) -> list[str]:
    """Phones of ``clauses`` for synthesis: ``sil`` at both ends, ``sp`` between two clauses."""
    phones = ["sil"]
    for clause in clauses:
        phones += [*(phone for word in clause for phone in word), "sp"]
    return [*phones[:-1], "sil"]


class Language(ABC):
    """Phones of a language, how its texts become phones, and in what its errors are counted.

    Attributes:
        name: As ``text.json`` has it.
        given: Tables that a corpus may bring, one at least.
        marks: Tables that a corpus may bring besides, which say how to read the others.
        made: Tables that :meth:`read` makes beside ``text`` and ``phones``.
        without_text: What is to be said of a corpus that brings no ``text``.
        token_name: What :meth:`text_tokens` gives, for the names of error rates: ``character``, ``word``.
        code: As recognisers and browsers name the language: two letters of ISO 639-1, or three of ISO 639-3
            where it has none; "" if the language is not known.
        example: A text that it reads; "" if none is known.
        writing: What a user may write, in words.
    """

    name: str
    given: tuple[str, ...] = ("text",)
    marks: tuple[str, ...] = ()
    made: tuple[str, ...] = (WORD_TABLE,)
    without_text = ""
    token_name = "character"
    code = ""
    example = ""
    writing = "Text"

    def __init__(self, rules: TextRules) -> None:
        self.rules = rules

    @property
    @abstractmethod
    def inventory(self) -> Mapping[str, str]:
        """Every phone, pauses first and in the order of the token table, to its manner class."""

    @cached_property
    def phones(self) -> tuple[str, ...]:
        """The inventory's phones."""
        return tuple(self.inventory)

    @cached_property
    def tokens(self) -> TokenTable:
        """The token table of every model of this language (and, if it is collected, this inventory)."""
        return TokenTable.of(self.phones)

    @cached_property
    def phone_tables(self) -> dict[str, frozenset[str]]:
        """Table of a data directory to the phones that it may hold."""
        known = frozenset(self.phones)
        return {"phones": known - frozenset(PAUSES), "aligned_phones": known}

    def is_phone(self, phone: str) -> bool:
        """Whether ``phone`` is of the inventory (pauses included)."""
        return phone in self.inventory

    def phone_class(self, phone: str) -> str:
        """Manner class of ``phone``.

        Raises:
            UserError: it is not of the inventory.
        """
        if phone not in self.inventory:
            raise UserError(f"unknown phone {phone!r}: not in the inventory of {self.name}")
        return self.inventory[phone]

    @abstractmethod
    def base(self, phone: str) -> str:
        """``phone`` without its tone or stress."""

    # --- what the aligner asks ---

    def unit(self, phone: str) -> str:
        """What the aligner models ``phone`` as, without tone or stress."""
        return self.base(phone)

    @cached_property
    def _unit_classes(self) -> dict[str, str]:
        return {self.unit(phone): kind for phone, kind in self.inventory.items()}

    def unit_class(self, unit: str) -> str:
        """Manner class of the phones of a unit; "" if no phone of the inventory is of this unit."""
        return self._unit_classes.get(unit, "")

    def has_closure(self, phone: str) -> bool:
        """Whether ``phone`` starts with a closure: stops and affricates."""
        return self.phone_class(phone) in ("stop", "affricate")

    def starts(self, phones: Sequence[str]) -> list[bool]:
        """Before which of ``phones`` (no pauses) one may pause, as far as phones alone tell."""
        return [i == 0 for i in range(len(phones))]

    # --- reading ---

    def collect(self, phones: Iterable[str]) -> tuple[tuple[str, str], ...]:
        """Of a language whose inventory is that of its corpus: ``phones`` and their classes, in order.

        Empty where the language has an inventory of its own.
        """
        return ()

    @abstractmethod
    def read(self, given: Mapping[str, str]) -> Reading:
        """The text of an utterance, of those tables of :attr:`given` that have it.

        Raises:
            UserError: it can't be read; :meth:`reason` names the sort of reason.
        """

    def reason(self, error: UserError) -> str:
        """The phrase under which an error of :meth:`read` is counted."""
        return "unreadable text"

    @abstractmethod
    def clauses(self, text: str) -> list[list[list[str]]]:
        """Clauses of a user's text, each of words (or syllables) of phones, none of them empty.

        Raises:
            UserError: it can't be read, or there is nothing to read.
        """

    def to_phones(self, text: str) -> list[str]:
        """Phones of a user's text for synthesis: ``sil`` at both ends, ``sp`` at each pause inside.

        Raises:
            UserError: it can't be read.
        """
        return with_pauses(self.clauses(text))

    # --- among others ---

    def writes(self, letter: str) -> bool:
        """Whether a letter may be of this language, in a text of several."""
        return not unicodedata.name(letter, "").startswith("CJK")

    def foreign(self, text: str) -> list[tuple[int, int]]:
        """Where in ``text`` there are words whose letters are not of this language: starts and ends.

        Words are joined by blanks, hyphens and apostrophes, and by the signs of ``AT&T``, ``foo@bar.com`` and
        ``Dr. No``; a full stop behind them is theirs, and so are the signs of ``C++`` and ``C#``, but for
        one before a number (``iPhone+5元``).
        """
        kinds = "".join(map(self._kind, text))
        return [match.span() for match in _FOREIGN.finditer(kinds)]

    def by_sounds(self, text: str) -> bool:
        """Whether ``text``, marked as of this language, is written by its sounds, as pinyin is."""
        return False

    def without_prosody(self, text: str) -> str:
        """``text`` without the marks of prosodic boundaries that corpora of this language write into it."""
        return text

    def _kind(self, char: str) -> str:
        """Its own letter, a foreign one, a number, or what :data:`_SIGNS` says of a sign."""
        if char.isalpha():
            return "o" if self.writes(char) else "f"
        return "n" if char.isnumeric() else _SIGNS.get(char, "-")

    def ends_sentence(self, before: str, after: str) -> bool:
        """Whether the full stop at the end of ``before`` ends a sentence, if ``after`` goes on."""
        return True

    @abstractmethod
    def to_pieces(self, text: str, most: int) -> list[Piece]:
        """The same in sentences, those of many more than ``most`` phones cut; see :mod:`ctap.text.pieces`."""

    def cut(self, phones: list[str], most: int) -> list[Piece]:
        """Phones as they stand in pieces of about ``most``."""
        return cut_phones(phones, most, self._may_cut)

    def _may_cut(self, phones: list[str], i: int) -> bool:
        """Whether a syllable may start at ``i``: a consonant between a vowel and a vowel."""
        kinds = [self.phone_class(phone) for phone in phones[i - 1 : i + 2]]
        return len(kinds) == 3 and kinds[0] == kinds[2] == "vowel" != kinds[1] and kinds[1] != "pause"

    def spellings(self) -> dict[str, str]:
        """Every syllable's spelling to its phones, for programs that can't ask this package; may be empty."""
        return {}

    # --- errors ---

    def written_out(self, text: str) -> str:
        """``text`` in the form in which a transcript is compared with it."""
        return text

    @abstractmethod
    def text_tokens(self, text: str) -> list[str]:
        """What errors of text are counted in."""

    def syllables(self, phones: Iterable[str]) -> list[str] | None:
        """Phones (pauses are left out) joined to syllables; ``None`` where phones do not tell them."""
        return None

    def toneless(self, tokens: Iterable[str]) -> list[str]:
        """Phones or syllables without their tones."""
        return [self.base(token) for token in tokens]

    def heard_syllables(self, text: str) -> list[str]:
        """Syllables of a transcript, as far as it can be read."""
        return []
