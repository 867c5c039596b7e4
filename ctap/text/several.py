"""Several languages in one training: every phone carries its language, and a text may have words of another.

The inventory is disjoint: ``mandarin:n`` and ``english:N`` are two tokens. A stretch of text is read by the
language that it is marked with, ``<english> Hello``, else each sentence by the first of the languages that
writes its letters; words in other letters than that one's (iPhone among hanzi) by the first of the others
that writes them. The table ``utt2lang`` of a corpus marks whole utterances.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from ctap.errors import UserError
from ctap.text.language import WORD_TABLE, Language, Reading, read_by_words, with_pauses
from ctap.text.pauses import PAUSES
from ctap.text.pieces import Piece, join_sentences, split_sentences
from ctap.text.rules import TextRules, short_name
from ctap.text.seams import Span, edge, numbers, paused

LANGUAGE_TABLE = "utt2lang"
_MARK = re.compile(r"<([\w:-]+)>")
_PAUSE = re.compile(r"[，。！？；：、,.!?;:…—\n]")

Stretch = tuple[str, str]
"""The short name of a language, and what is written in it."""


class Several(Language):
    """Languages together, each with its own phones.

    Args:
        rules: ``language`` has their names, set apart by blanks; ``phones`` those of the corpus, of languages
            that collect them.
        make: Gives the language of rules.
    """

    marks = (LANGUAGE_TABLE,)
    made = (WORD_TABLE, LANGUAGE_TABLE)
    token_name = "mixed"

    def __init__(self, rules: TextRules, make: Callable[[TextRules], Language]) -> None:
        self.rules, self.name = rules, rules.language
        self.parts: dict[str, Language] = {}
        for name in rules.language.split():
            own = [(_split(p)[1], kind) for p, kind in rules.phones if _split(p)[0] == short_name(name)]
            self.parts[short_name(name)] = make(replace(rules, language=name, phones=tuple(own)))
        self.given = tuple(dict.fromkeys(table for part in self.parts.values() for table in part.given))
        marks = " or ".join(f"<{name}>" for name in rules.language.split())
        self.writing = f"{'; '.join(own.writing for own in self.parts.values())}; {marks}"
        self.writing += " before what is to be read so"  # pinyin, say, which passes for English otherwise
        self.example = next((own.example for own in self.parts.values() if own.example), "")

    @cached_property
    def inventory(self) -> Mapping[str, str]:
        """The pauses, and the phones of one language after the other."""
        found = dict.fromkeys(PAUSES, "pause")
        for label, part in self.parts.items():
            own = {f"{label}:{phone}": kind for phone, kind in part.inventory.items()}
            found |= {phone: kind for phone, kind in own.items() if kind != "pause"}
        return found

    def collect(self, phones: Iterable[str]) -> tuple[tuple[str, str], ...]:
        """Those of the languages that collect them."""
        apart = [_split(phone) for phone in phones]
        return tuple(
            (f"{label}:{phone}", kind)
            for label, part in self.parts.items()
            for phone, kind in part.collect(phone for own, phone in apart if own == label)
        )

    def base(self, phone: str) -> str:
        """As its language has it."""
        label, own = _split(phone)
        return f"{label}:{self.parts[label].base(own)}" if label in self.parts else phone

    def unit(self, phone: str) -> str:
        """As its language has it: no unit is of two languages."""
        label, own = _split(phone)
        return f"{label}:{self.parts[label].unit(own)}" if label in self.parts else phone

    def starts(self, phones: Sequence[str]) -> list[bool]:
        """Where each language says so, and at every change of language."""
        apart, found = [_split(phone) for phone in phones], []
        for label, own in itertools.groupby(apart, key=lambda item: item[0]):
            found += self.parts[label].starts([phone for _, phone in own])
        return found

    # --- which language ---

    def stretches(self, text: str, language: str = "") -> list[Stretch]:
        """``text`` cut where its language changes, without marks; a slash at an end is a pause, a comma.

        Where no mark says it, the main language of each sentence is found by the letters.

        Args:
            text: Of a user, or of a corpus.
            language: Short name of the language up to the first mark; "" where none is known.

        Raises:
            UserError: a mark names none of the languages.
        """
        return self._stretches(text, language, self._sentences)

    def _stretches(self, text: str, language: str, sentences: Callable[[str], list[str]]) -> list[Stretch]:
        found: list[Stretch] = []
        label, *rest = [language, *_MARK.split(text)]
        for stretch, mark in itertools.zip_longest(rest[::2], rest[1::2], fillvalue=""):
            if any(map(str.isalnum, stretch)):
                plain = self._without_prosody(stretch)
                for sentence in [plain] if label else sentences(plain):
                    found += self._by_letters(sentence, label or self._main(sentence))
            elif found and stretch:
                found[-1] = (found[-1][0], found[-1][1] + stretch)
            label = self._known(mark, f"mark <{mark}>") if mark else label
        if not found:
            raise UserError(f"nothing to read in {text!r}")
        joined = itertools.groupby(found, key=lambda item: item[0])
        return [(label, paused("".join(own for _, own in several))) for label, several in joined]

    def _without_prosody(self, text: str) -> str:
        """``text`` without the marks of the languages whose letters it has, also behind words of another."""
        for part in self.parts.values():
            if any(c.isalpha() and part.writes(c) for c in text):
                text = part.without_prosody(text)
        return text

    def _known(self, name: str, where: str) -> str:
        if (label := short_name(name)) not in self.parts:
            raise UserError(f"{where}: expected one of {', '.join(self.parts)}")
        return label

    def _main(self, text: str) -> str:
        letters = [c for c in text if c.isalpha()]
        writers = (label for label, part in self.parts.items() if any(map(part.writes, letters)))
        return next(writers, next(iter(self.parts)))

    def _by_letters(self, text: str, main: str) -> Iterator[Stretch]:
        done = 0
        for (start, end), other in self._foreign(text, main):
            if text[done:start]:
                yield main, text[done:start]
            yield other, text[start:end]
            done = end
        if text[done:]:
            yield main, text[done:]

    def _foreign(self, text: str, main: str) -> list[tuple[Span, str]]:
        """Where in ``text`` another language than ``main`` is written, its numbers included, and which."""
        part = self.parts[main]
        found = [(span, text[slice(*span)]) for span in part.foreign(text)]
        labelled = []
        for span, written in sorted([*found, *numbers(text, part.writes)]):
            letters = [c for c in written if c.isalpha()]
            others = (k for k, own in self.parts.items() if k != main and all(map(own.writes, letters)))
            labelled += [(span, other) for other in itertools.islice(others, 1)]
        return labelled

    # --- reading ---

    def clauses(self, text: str, language: str = "") -> list[list[list[str]]]:
        """Clauses of ``text``; words of two languages are in one where no punctuation stands between.

        Raises:
            UserError: a stretch can't be read in its language, or there is none.
        """
        found: list[list[list[str]]] = []
        pause = True
        for label, stretch in self.stretches(text, language):
            if not any(map(str.isalnum, stretch)):
                pause |= bool(_PAUSE.search(stretch))
                continue
            read = [
                [[f"{label}:{phone}" for phone in word] for word in clause]
                for clause in self.parts[label].clauses(stretch)
            ]
            first, last = (edge(own) for own in (stretch, stretch[::-1]))
            if not pause and not _PAUSE.search(first):
                found[-1] += read.pop(0)
            found += read
            pause = bool(_PAUSE.search(last)) and not self._abbreviated(label, stretch)
        return found

    def _abbreviated(self, label: str, stretch: str) -> bool:
        """Whether the full stop at the end of a stretch is that of an abbreviation."""
        return stretch.endswith(".") and not self.parts[label].ends_sentence(stretch, "")

    def read(self, given: Mapping[str, str]) -> Reading:
        """The phones of an utterance; of one in one language, as that language reads it.

        Tables of one language (``pinyin``) are not used for a text that is not in it alone, or is written by
        its sounds itself; the notice then says so.
        """
        label = given.get(LANGUAGE_TABLE, "")
        label = self._known(label, f"{LANGUAGE_TABLE} {label}") if label else ""
        text = " ".join(given.get("text", "").split())
        if not text and not label:  # what else there is, is of one language's
            label = next(k for k, part in self.parts.items() if set(part.given) & given.keys())
        stretches = self.stretches(text, label) if text else [(label, "")]
        only, whole, used = stretches[0][0], " ".join(own for _, own in stretches), {"text"}
        alike = False
        if len({own for own, _ in stretches}) > 1:
            found, alike = read_by_words(text, self.clauses(text, label)), not label
            label = label or self._main(text)
        elif self.parts[only].by_sounds(whole):
            found, label = read_by_words(text, self.clauses(text, label)), only
        else:
            label, used = only, {*self.parts[only].given}
            found = self._read_by(label, given, whole)
            text = found.text if text else next(given[k] for k in self.parts[label].given if k in given)
        marked = text if alike or self._reads_alike(text, label) else f"<{label}> {text}"
        notice = found.notice
        if left := next((name for name in self.given if name in given and name not in used), ""):
            notice = (f"{left} not used, the text was read instead", f"{text} / {given[left]}")
        return replace(found, text=marked, tables=found.tables | {LANGUAGE_TABLE: label}, notice=notice)

    def _read_by(self, label: str, given: Mapping[str, str], text: str) -> Reading:
        part = self.parts[label]
        own = {name: given[name] for name in part.given if name in given} | ({"text": text} if text else {})
        found = part.read(own)
        counts = found.tables.get(WORD_TABLE) or _counts(part.starts(found.phones))
        return replace(found, phones=[f"{label}:{p}" for p in found.phones], tables={WORD_TABLE: counts})

    def _reads_alike(self, text: str, label: str) -> bool:
        """Whether the language of ``text`` is found without a mark."""
        return self.stretches(text) == self.stretches(text, label)

    def reason(self, error: UserError) -> str:
        """As one of the languages calls it."""
        named = (part.reason(error) for part in self.parts.values())
        return next((reason for reason in named if reason != "unreadable text"), "unreadable text")

    def to_pieces(self, text: str, most: int) -> list[Piece]:
        """Sentences, long ones cut at clauses; a mark holds until the next."""
        sentences, label = [], ""
        for part in self._sentences(text):
            sentences.append(with_pauses(self.clauses(part, label)))
            label = short_name([label, *_MARK.findall(part)][-1])
        return join_sentences(sentences, most, self._may_cut)

    def _sentences(self, text: str) -> list[str]:
        """``text`` cut at the ends of sentences, not behind the abbreviations of a language."""
        found, label = [""], ""
        for part in split_sentences(text):
            if not _has_words(found[-1]) or not self._ends(found[-1], part, label):
                found[-1] += part
            elif _has_words(part):
                label = short_name([label, *_MARK.findall(found[-1])][-1])
                found.append(part)
        return found

    def _ends(self, before: str, after: str, label: str) -> bool:
        """Whether a sentence ends between two parts of a text, the first of which begins in ``label``."""
        if not before.rstrip().endswith(".") or _MARK.match(after):
            return True
        own, stretch = next(x for x in reversed(self._stretches(before, label, _whole)) if _has_words(x[1]))
        follows = short_name([label, *_MARK.findall(before)][-1])
        other, goes_on = self._stretches(after, follows, _whole)[0] if _has_words(after) else (own, "")
        return self.parts[own].ends_sentence(stretch, goes_on if other == own else "")

    def spellings(self) -> dict[str, str]:
        """Those of all languages; of one that two have, the first's."""
        found: dict[str, str] = {}
        for label, part in self.parts.items():
            for spelling, phones in part.spellings().items():
                found.setdefault(spelling, " ".join(f"{label}:{phone}" for phone in phones.split()))
        return found

    # --- errors ---

    def written_out(self, text: str) -> str:
        """Every stretch in the form of its language."""
        if not any(map(str.isalnum, text)):
            return text
        return " ".join(self.parts[label].written_out(own) for label, own in self.stretches(text))

    def text_tokens(self, text: str) -> list[str]:
        """Characters, words, or what else each language counts in."""
        if not any(map(str.isalnum, text)):
            return []
        return [t for label, own in self.stretches(text) for t in self.parts[label].text_tokens(own)]


def _split(phone: str) -> tuple[str, str]:
    """Language and phone of a token; pauses have no language."""
    label, _, own = phone.partition(":")
    return (label, own) if own else ("", phone)


def _whole(text: str) -> list[str]:
    """``text`` as one sentence."""
    return [text]


def _has_words(text: str) -> bool:
    """Whether there is more than marks and punctuation."""
    return any(map(str.isalnum, _MARK.sub("", text)))


def _counts(starts: Sequence[bool]) -> list[str]:
    """Phones of each word or syllable, from where these start."""
    firsts = [i for i, first in enumerate(starts) if first] + [len(starts)]
    return [str(end - start) for start, end in itertools.pairwise(firsts)]
