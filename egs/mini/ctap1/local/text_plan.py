"""What the embedded corpus says: utterances of dictionary phrases that bring in every phone."""

from __future__ import annotations

import collections
import random
from dataclasses import dataclass
from functools import cached_property

from ctap.text.pinyin import UnknownPinyin, canonical, pinyin_to_phones

SECONDS_PER_SYLLABLE = 0.24
SECONDS_PER_PAUSE = 0.32
SECONDS_AROUND = 0.4
MOST_USES = 8
CANDIDATES = 12


@dataclass(frozen=True)
class Phrase:
    """A dictionary entry: hanzi, and one syllable with tone digit for each."""

    hanzi: str
    syllables: tuple[str, ...]

    @cached_property
    def phones(self) -> tuple[str, ...]:
        """The phones of the phrase."""
        return tuple(pinyin_to_phones(self.syllables))


@dataclass(frozen=True)
class Utterance:
    """Groups of phrases; there is a pause between groups."""

    groups: tuple[tuple[Phrase, ...], ...]

    def __str__(self) -> str:
        return self.hanzi

    @property
    def phrases(self) -> list[Phrase]:
        """All phrases in order."""
        return [phrase for group in self.groups for phrase in group]

    @property
    def hanzi(self) -> str:
        """The text without punctuation."""
        return "".join(phrase.hanzi for phrase in self.phrases)

    @property
    def syllables(self) -> list[str]:
        """Pinyin, one syllable for each hanzi."""
        return [syllable for phrase in self.phrases for syllable in phrase.syllables]

    @property
    def aligned(self) -> tuple[str, list[str]]:
        """Hanzi and pinyin, of the same length."""
        return self.hanzi, self.syllables

    @property
    def spoken(self) -> str:
        """For eSpeak NG: the syllables of a phrase together, a comma where a pause is meant."""
        return ", ".join(" ".join("".join(phrase.syllables) for phrase in group) for group in self.groups)

    @property
    def marked_hanzi(self) -> str:
        """Hanzi with % after a phrase and $ at a pause and the end."""
        return "".join("%".join(phrase.hanzi for phrase in group) + "$" for group in self.groups)

    @property
    def marked_pinyin(self) -> str:
        """Pinyin with % after a phrase and $ at a pause and the end."""
        groups = (" % ".join(" ".join(phrase.syllables) for phrase in group) for group in self.groups)
        return " ".join(f"{group} $" for group in groups)

    @property
    def seconds(self) -> float:
        """A guess at how long it takes to say."""
        pauses = (len(self.groups) - 1) * SECONDS_PER_PAUSE
        return SECONDS_AROUND + pauses + len(self.syllables) * SECONDS_PER_SYLLABLE


def read_phrases() -> list[Phrase]:
    """pypinyin's phrases of 2 to 4 hanzi that have one known syllable for each."""
    from pypinyin.phrases_dict import phrases_dict

    phrases = []
    for hanzi, readings in phrases_dict.items():
        if not (2 <= len(hanzi) <= 4 and len(readings) == len(hanzi)):
            continue
        if not all("\u4e00" <= character <= "\u9fff" for character in hanzi):
            continue
        try:
            syllables = tuple(canonical(reading[0], bare_tone="5") for reading in readings)
            pinyin_to_phones(syllables)
        except UnknownPinyin:
            continue
        phrases.append(Phrase(hanzi, syllables))
    return sorted(phrases, key=lambda phrase: phrase.hanzi)


def plan_utterances(
    phrases: list[Phrase], seconds: list[float], pick: random.Random
) -> list[list[Utterance]]:
    """Make one list of utterances per speaker, by turns, so that rare phones go to all.

    Phrases are drawn greedily: the one of a few candidates whose phones were heard least, and every fourth
    time one with the rarest phone of all.

    Args:
        phrases: what may be said; none is said more than a few times.
        seconds: how much each speaker will say; a fifth more is planned, to make up for the guess.
        pick: source of chance.
    """
    chooser = _Chooser(phrases, pick)
    plans: list[list[Utterance]] = [[] for _ in seconds]
    left = [value * 1.2 + 5.0 if value > 0 else 0.0 for value in seconds]
    while any(value > 0 for value in left):
        for i, value in enumerate(left):
            if value > 0:
                utterance = chooser.utterance()
                plans[i].append(utterance)
                left[i] -= utterance.seconds
    return plans


class _Chooser:
    def __init__(self, phrases: list[Phrase], pick: random.Random) -> None:
        if not phrases:
            raise ValueError("no phrases to choose from")
        self.phrases, self.pick = phrases, pick
        self.heard: collections.Counter[str] = collections.Counter()
        self.uses: collections.Counter[str] = collections.Counter()
        self.having: dict[str, list[Phrase]] = collections.defaultdict(list)
        for phrase in phrases:
            for phone in dict.fromkeys(phrase.phones):
                self.having[phone].append(phrase)

    def utterance(self) -> Utterance:
        """Groups of phrases, 2 to 8 seconds long, most of them 3 to 5."""
        wanted = self.pick.triangular(2.2, 7.5, 3.6)
        groups: list[tuple[Phrase, ...]] = []
        while True:
            size = self.pick.randint(4, 10)
            group: list[Phrase] = []
            while sum(len(phrase.hanzi) for phrase in group) < size:
                group.append(self.phrase())
                utterance = Utterance((*groups, tuple(group)))
                if utterance.seconds >= wanted:
                    return utterance
            groups.append(tuple(group))

    def phrase(self) -> Phrase:
        """The next phrase."""
        pool = self.phrases
        if self.pick.random() < 0.25:
            rarest = min(self.having, key=lambda phone: (self.heard[phone], phone))
            pool = self.having[rarest]
        drawn = [self.pick.choice(pool) for _ in range(CANDIDATES)]
        best = max(drawn, key=lambda phrase: self._need(phrase) / (1 + self.uses[phrase.hanzi]))
        self.heard.update(best.phones)
        self.uses[best.hanzi] += 1
        if self.uses[best.hanzi] >= MOST_USES:
            self._retire(best)
        return best

    def _need(self, phrase: Phrase) -> float:
        return sum(1 / (1 + self.heard[phone]) for phone in phrase.phones) / len(phrase.phones)

    def _retire(self, phrase: Phrase) -> None:
        for phone in dict.fromkeys(phrase.phones):
            if phone in self.having:
                self.having[phone] = [other for other in self.having[phone] if other is not phrase]
                if not self.having[phone]:
                    del self.having[phone]
