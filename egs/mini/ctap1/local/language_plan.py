"""What the embedded corpus says in a language of eSpeak NG: names from the locale data of Unicode (CLDR).

The package Babel holds, for some 300 languages, how each calls the languages, countries, currencies, cities,
units, months and days of the world: some thousand phrases in its own writing, free to use (Unicode licence).
"""

from __future__ import annotations

import collections
import random
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from ctap.errors import UserError
from ctap.text.spoken import Spoken

LOCALES = {"cmn": "zh", "hak": "zh_Hant", "nb": "no"}
MOST_CHARACTERS = 40
CANDIDATES = 12
MOST_USES = 6
SECONDS_PER_PHONE = 0.085
SECONDS_PER_PAUSE = 0.32
SECONDS_AROUND = 0.4

Phrase = tuple[str, tuple[str, ...]]
"""A text and its phones."""


def locale_of(voice: str) -> Any:
    """Babel's locale of a voice such as ``en-us``.

    Raises:
        UserError: there is none.
    """
    from babel import Locale, UnknownLocaleError

    root, *rest = voice.split("-")
    for name in (f"{root}_{rest[0].upper()}" if rest else root, LOCALES.get(root, root)):
        try:
            return Locale.parse(name)
        except (UnknownLocaleError, ValueError):
            continue
    raise UserError(f"espeak:{voice}: Babel has no names in this language; bring a corpus of your own")


def names_in(voice: str) -> list[str]:
    """Phrases in the language of a voice, sorted, each once: letters, blanks, apostrophes, hyphens."""
    locale = locale_of(voice)
    tables = [locale.languages, locale.territories, locale.currencies, locale.scripts, locale.variants]
    tables += [locale.months, locale.days, locale.time_zones, locale.meta_zones]
    tables += [locale._data["unit_display_names"]]
    found = set()
    for text in _texts(tables):
        plain = unicodedata.normalize("NFC", re.sub(r"\s*[(（].*?[)）]", "", text)).strip()
        letters = all(c in " '’-" or unicodedata.category(c)[0] in "LM" for c in plain)
        if 2 <= len(plain) <= MOST_CHARACTERS and letters:
            found.add(plain)
    return sorted(found)


def _texts(table: Any) -> Iterator[str]:
    if isinstance(table, str):
        yield table
    elif isinstance(table, (list, tuple)):
        for item in table:
            yield from _texts(item)
    elif hasattr(table, "items"):
        for key in table:
            try:
                value = table[key]
            except KeyError:  # an alias of Babel's that leads nowhere, in some small languages
                continue
            yield from _texts(value)


def sayable(voice: Spoken) -> list[Phrase]:
    """The phrases that the voice reads in its own language."""
    found = []
    for text in names_in(voice.voice):
        try:
            clauses, switched = voice.reads(text), voice.switched(text)
        except UserError:
            continue
        if not switched and len(clauses) == 1:
            found.append((text, tuple(p for word in clauses[0] for p in voice.phones_of(word))))
    if len(found) < 100:
        raise UserError(
            f"{voice.name}: only {len(found)} phrases in Babel that the voice reads; at least 100 needed"
        )
    return found


class Planner:
    """Draws phrases so that rare phones are heard often: of a few, the one with the rarest phones."""

    def __init__(self, phrases: list[Phrase], pick: random.Random) -> None:
        self.pool, self.pick = list(phrases), pick
        self.heard: collections.Counter[str] = collections.Counter()
        self.uses: collections.Counter[str] = collections.Counter()

    def utterances(self, seconds: float) -> list[str]:
        """Texts of about ``seconds`` and a fifth more: groups of phrases with commas between."""
        texts, left = [], seconds * 1.2 + 5.0 if seconds else 0.0
        while left > 0:
            wanted, planned = self.pick.triangular(2.2, 7.5, 3.6), SECONDS_AROUND
            groups: list[str] = []
            while planned < wanted:
                group = [self._draw() for _ in range(self.pick.randint(1, 3))]
                groups.append(" ".join(text for text, _ in group))
                planned += SECONDS_PER_PHONE * sum(len(phones) for _, phones in group) + SECONDS_PER_PAUSE
            texts.append(", ".join(groups))
            left -= planned
        return texts

    def _draw(self) -> Phrase:
        drawn = [self.pick.choice(self.pool) for _ in range(CANDIDATES)]
        best = max(drawn, key=lambda phrase: self._need(phrase) / (1 + self.uses[phrase[0]]))
        self.heard.update(best[1])
        self.uses[best[0]] += 1
        if self.uses[best[0]] >= MOST_USES and len(self.pool) > 2 * CANDIDATES:
            self.pool.remove(best)
        return best

    def _need(self, phrase: Phrase) -> float:
        return sum(1 / (1 + self.heard[phone]) for phone in phrase[1]) / len(phrase[1])
