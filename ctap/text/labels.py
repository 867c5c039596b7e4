"""Labels of other aligners as phones: which labels make up which phone.

Of Mandarin three sources say how a phone may be written: pinyin in its spellings, the table below (with what
a user adds to it), and the IPA of MFA's Mandarin models (:mod:`ctap.text.mfa_labels`). Tones never decide:
dictionaries and readers differ in them (sandhi). In any other language a label is the phone that is written
so, in any case (unless only it tells two phones apart) and with any stress or tone, or what a user's table
says.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ctap.errors import UserError
from ctap.text.language import Language
from ctap.text.mfa_labels import IPA_SEGMENTS, ipa_ways, plain
from ctap.text.phones import ERHUA, FINALS, INITIALS, PAUSES, SYLLABIC_NASALS, base, is_phone
from ctap.text.pinyin import ZERO_INITIAL

SILENCES = frozenset(("", "sil", "sp", "<sil>", "[sil]", "<eps>", "<p:>", "pau", "#", "silence"))
SILENCES |= {f"sp{length}" for length in range(5)}  # sp1 of CSMSC
UNKNOWN = frozenset(("spn", "<unk>", "unk", "noise", "nsn"))

TABLE = """
er    e rr | e r | rr
rr    er | r | e rr
ueng  w uen
io    y iou
"""
"""Ways that neither spelling nor IPA explains, in the form that :meth:`LabelTable.load` reads.

The lexicon of most public alignments of AISHELL-3 writes the syllable er as ``e rr`` and a lone r as ``er``;
some copies give weng as ``w uen`` and yo as ``y iou``. That it sets ``y`` or ``w`` before the final of a
syllable without an initial (``w uo3``, ``y van2``) follows from the spelling and is added by rule.
"""

_SPELLINGS = {
    "iu": "iou",
    "ui": "uei",
    "un": "uen",
    "ue": "ve",
    "uong": "ong",
    "eh": "ê",
    "ix": "iii",
    "iy": "ii",
}

Way = tuple[str, ...]


class UnreadLabels(UserError):  # noqa: N818 - what they are
    """Labels that cannot be read as the phones of an utterance.

    Attributes:
        strange: labels that stand for no phone at all, each as often as it occurs.
        instead: the first label that does not fit, and the phone that the text has there; ``None`` if some
            labels are strange.
    """

    def __init__(self, message: str, strange: list[str], instead: tuple[str, str] | None) -> None:
        super().__init__(message)
        self.strange = strange
        self.instead = instead


def _is_written(phone: str, language: Language | None) -> bool:
    """Whether ``phone`` is of the inventory, with its tone or stress or without."""
    if language is None:
        return is_phone(phone) or is_phone(f"{phone}1")
    return any(phone in (known, language.base(known)) for known in language.phones)


@dataclass(frozen=True)
class LabelTable:
    """How phones may be written.

    Attributes:
        ways: a phone, with its tone or without, to the sequences of labels that stand for it. A label with a
            digit is taken as it stands, any other whatever the tone and the case.
        pauses: more labels that mean silence.
        language: of the phones, if it is not Mandarin.
    """

    ways: Mapping[str, tuple[Way, ...]] = field(default_factory=dict)
    pauses: frozenset[str] = frozenset()
    language: Language | None = None

    @classmethod
    def parse(cls, text: str, where: str, language: Language | None = None) -> LabelTable:
        """Read lines such as ``er  e rr | e r``: a phone, then its ways; ``sil`` lists labels of silence.

        Empty lines and lines that start with ``# `` are passed over; a phone may have several lines.

        Raises:
            UserError: naming the line: no such phone, or no label for it.
        """
        ways: dict[str, list[Way]] = {}
        pauses: set[str] = set()
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip() or line.startswith(("# ", "#\t")):
                continue
            phone, *rest = line.split(maxsplit=1)
            found = [tuple(way.split()) for way in (rest[0] if rest else "").split("|")]
            if not _is_written(phone, language):
                raise UserError(
                    f"{where}:{number}: {phone!r} is not a phone of the inventory (with its tone or without)"
                )
            if not all(found):
                raise UserError(f"{where}:{number}: expected 'PHONE LABEL...' with | between several ways")
            if phone in PAUSES:
                pauses.update(label.lower() for way in found for label in way)
            else:
                ways.setdefault(phone, []).extend(found)
        return cls({phone: tuple(found) for phone, found in ways.items()}, frozenset(pauses), language)

    @classmethod
    def load(cls, path: str | Path | None, language: Language | None = None) -> LabelTable:
        """The built-in table of a language and, before it, the lines of a user's file; see :meth:`parse`.

        Raises:
            UserError: the file can't be read, or a line is malformed.
        """
        built_in = BUILT_IN if language is None or language.name == "mandarin" else cls(language=language)
        if path is None:
            return built_in
        try:
            text = Path(path).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{path}: the table of labels can't be read: {error}") from None
        return cls.parse(text, str(path), built_in.language) | built_in

    def __or__(self, other: LabelTable) -> LabelTable:
        phones = [*self.ways, *(phone for phone in other.ways if phone not in self.ways)]
        ways = {phone: (*self.ways.get(phone, ()), *other.ways.get(phone, ())) for phone in phones}
        return LabelTable(ways, self.pauses | other.pauses, self.language)

    def base(self, phone: str) -> str:
        """``phone`` without stress or tone."""
        return self.language.base(phone) if self.language else base(phone)

    def is_spelling(self, written: str, phone: str) -> bool:
        """Whether a label is ``phone`` as the language itself writes it."""
        if self.language is None:
            return _is_spelling(_lower(written), phone)
        written = _composed(written)
        forms = {self._form(form) for form in (written, self.base(written), _bare(written))}
        return self._form(phone) == self._form(written) or self._form(self.base(phone)) in forms

    def _form(self, written: str) -> str:
        """A label or phone in small letters, or as it stands if several phones are the same in these."""
        small = _lower(written)
        return small if self._ambiguous.isdisjoint((small, _bare(small))) else _composed(written)

    @cached_property
    def _ambiguous(self) -> frozenset[str]:
        """What stands in small letters for several phones (``s`` and ``S`` of X-SAMPA)."""
        phones = self.language.phones if self.language else ()
        forms = Counter(map(_lower, {*phones, *map(self.base, phones)}))
        return frozenset(form for form, count in forms.items() if count > 1)

    def of(self, phone: str) -> tuple[Way, ...]:
        """The ways of ``phone``, those with its tone first."""
        toned = self.ways.get(phone, ())
        return toned if self.base(phone) == phone else toned + self.ways.get(self.base(phone), ())

    def is_silence(self, label: str) -> bool:
        """Whether ``label`` means silence."""
        return label.strip().lower() in SILENCES or label.strip().lower() in self.pauses


def _glides() -> LabelTable:
    """``y`` and ``w`` before the final, and before the rest of the spelling: ``y ian``, ``y an``."""
    ways: dict[str, tuple[Way, ...]] = {}
    for syllable, final in ZERO_INITIAL.items():
        if syllable[0] in "yw":
            ways[final] = (*ways.get(final, ()), (syllable[0], final), (syllable[0], syllable[1:]))
    return LabelTable(ways)


BUILT_IN = LabelTable.parse(TABLE, "ctap.text.labels") | _glides()
"""What is read without a table of the user's."""


def parts(label: str, table: LabelTable = BUILT_IN) -> tuple[str, ...]:
    """``label``, or the final and the ``rr`` that it writes as one (``uanr1``: lexicons of CSMSC)."""
    merged = _MERGED.fullmatch(_lower(label)) if table.language is None else None
    if merged is None or _SPELLINGS.get(merged[1], merged[1]) not in FINALS or not unmapped([label], table):
        return (label,)
    return merged[1] + merged[2], ERHUA


def match_labels(
    labels: Sequence[str], phones: Sequence[str], table: LabelTable = BUILT_IN
) -> list[int] | None:
    """Find which labels make up which phones.

    Args:
        labels: of another aligner, silences left out.
        phones: ours, pauses left out.
        table: more ways to write phones.

    Returns:
        How many labels each phone takes (each at least one), or ``None`` if they don't fit. Of several
        ways the one that uses pinyin spellings, then the table, then more labels early, is taken.
    """
    reachable = _reachable(labels, phones, table)
    if len(reachable) <= len(phones) or len(labels) not in reachable[-1]:
        return None
    counts, at = [], len(labels)
    for step in reversed(reachable[1:]):
        counts.append(step[at])
        at -= step[at]
    return counts[::-1]


def _reachable(labels: Sequence[str], phones: Sequence[str], table: LabelTable) -> list[dict[int, int]]:
    """After each phone, from none on: labels used so far, to how many of them the last phone took.

    It ends before the first phone that no labels match.
    """
    forms = [plain(label) for label in labels]
    written = [_lower(label) for label in labels]
    result: list[dict[int, int]] = [{0: 0}]
    for phone in phones:
        here: dict[int, int] = {}
        for used in result[-1]:
            if used < len(labels) and table.is_spelling(labels[used], phone):
                here.setdefault(used + 1, 1)
            for way in table.of(phone):
                if used + len(way) <= len(labels) and all(
                    _lower(word) == written[used + i] if _has_digit(word) else plain(word) == forms[used + i]
                    for i, word in enumerate(way)
                ):
                    here.setdefault(used + len(way), len(way))
            for way in ipa_ways(phone) if table.language is None else ():
                if tuple(forms[used : used + len(way)]) == way:
                    here.setdefault(used + len(way), len(way))
        if not here:
            break
        result.append(here)
    return result


def unread(labels: Sequence[str], phones: Sequence[str], table: LabelTable = BUILT_IN) -> UnreadLabels:
    """The error that says why :func:`match_labels` finds no way."""
    nothing = unmapped(labels, table)
    strange = [label for label in labels if label in nothing]
    if strange:
        return UnreadLabels(f"labels do not map: {' '.join(nothing)}", strange, None)
    reachable = _reachable(labels, phones, table)
    at = max(reachable[-1])
    label = labels[at] if at < len(labels) else "(end)"
    phone = phones[len(reachable) - 1] if len(reachable) <= len(phones) else "(end)"
    message = (
        f"labels {' '.join(labels)} cannot be read as {' '.join(phones)}: "
        f"label {at + 1} is {label}, where {phone} is expected"
    )
    return UnreadLabels(message, [], (label, phone))


def unmapped(labels: Sequence[str], table: LabelTable = BUILT_IN) -> list[str]:
    """Those of ``labels`` that are no silence and stand in no way of writing any phone; sorted."""
    words = {word for way in itertools.chain(*table.ways.values()) for word in way}
    exact, forms = {_lower(word) for word in words}, {plain(word) for word in words if not _has_digit(word)}
    return sorted(
        label
        for label in set(labels)
        if not table.is_silence(label)
        and not _spells_some(label, table)
        and _lower(label) not in exact
        and plain(label) not in forms
    )


def _spells_some(label: str, table: LabelTable) -> bool:
    """Whether a label is some phone, or part of one, without the table's help."""
    if table.language is not None:
        return any(table.is_spelling(label, phone) for phone in table.language.phones)
    return _lower(label).rstrip("0123456") in _PINYIN or plain(label) in IPA_SEGMENTS


_MERGED = re.compile(r"([a-zê]+)r([0-6]?)")
_PINYIN = frozenset((*INITIALS, *FINALS, *SYLLABIC_NASALS, *_SPELLINGS, ERHUA))


def _lower(label: str) -> str:
    return _composed(label.lower()).replace("ü", "v").replace("u:", "v")


def _composed(label: str) -> str:
    return unicodedata.normalize("NFC", label.strip())


def _bare(written: str) -> str:
    """A label without digits at its end: stress, in ARPAbet of small letters."""
    return written.rstrip("0123456789") or written


def _has_digit(word: str) -> bool:
    return any(char.isdigit() for char in word)


def _is_spelling(written: str, phone: str) -> bool:
    """Whether a label is ``phone`` in pinyin; dictionaries differ in tones."""
    if written == phone:
        return True
    letters = written.rstrip("0123456")
    unit = base(phone)
    if letters == "i" and unit in ("ii", "iii"):
        return True
    if letters in ("ve", "van", "vn") and unit == letters:
        return True
    return _SPELLINGS.get(letters, letters) == unit
