"""True boundaries to score an aligner with: phoneme events, word boundaries, TextGrids. Never to train on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ctap.align.textgrid import Segment, align_intervals, find_textgrids, read_textgrid
from ctap.errors import UserError
from ctap.text.pauses import PAUSES

EVENT_COLUMNS = ["utterance", "phone", "index", "mnemonic", "start", "end"]


@dataclass(frozen=True)
class Word:
    """A joined word.

    Attributes:
        start: seconds.
        end: seconds.
        hanzi: the word.
        syllables: how many.
    """

    start: float
    end: float
    hanzi: str
    syllables: int


@dataclass
class Reference:
    """What is known about the truth; one of the two is empty.

    Attributes:
        phones: utterance to its phones and pauses in time.
        words: utterance to its words in time.
        unusable: utterance to the reason why it can't be scored.
    """

    phones: dict[str, list[Segment]]
    words: dict[str, list[Word]]
    unusable: dict[str, str]


def read_reference(path: str | Path, phones: Mapping[str, list[str]]) -> Reference:
    """Read true boundaries, whatever their kind.

    Args:
        path: a table of phoneme events (with the header ``utterance phone index mnemonic start end``), a
            table of words (``utterance start end hanzi pinyin``, no header), or a directory of TextGrids.
        phones: utterance to phones without pauses, to read TextGrids with.

    Raises:
        UserError: it is none of these, or a line is malformed.
    """
    path = Path(path)
    if path.is_dir():
        return _read_textgrids(path, phones)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from None
    if lines and lines[0].split("\t") == EVENT_COLUMNS:
        return Reference(_phones(path, lines[1:]), {}, {})
    if lines and len(lines[0].split("\t")) == 5:
        return Reference({}, _words(path, lines), {})
    raise UserError(
        f"{path}: expected phoneme events (tab-separated, first line {' '.join(EVENT_COLUMNS)}), "
        "word boundaries (utterance, start, end, hanzi, pinyin), or a directory of TextGrids"
    )


def _phones(path: Path, lines: list[str]) -> dict[str, list[Segment]]:
    """Events of one phone (same index) are joined: a stop's closure and burst, a diphthong's two halves."""
    result: dict[str, list[Segment]] = {}
    last: tuple[str, str] | None = None
    for number, line in enumerate(lines, 2):
        fields = line.split("\t")
        try:
            utterance, phone, index, _, start, end = fields
            span = (float(start), float(end))
        except ValueError:
            raise UserError(f"{path}:{number}: expected 6 tab-separated fields, times in seconds") from None
        intervals = result.setdefault(utterance, [])
        if last == (utterance, index):
            intervals[-1] = Segment(phone, intervals[-1].start, span[1])
        else:
            intervals.append(Segment(phone, *span))
        last = (utterance, index)
    return result


def _words(path: Path, lines: list[str]) -> dict[str, list[Word]]:
    result: dict[str, list[Word]] = {}
    for number, line in enumerate(lines, 1):
        try:
            utterance, start, end, hanzi, pinyin = line.split("\t")
            word = Word(float(start), float(end), hanzi, len(pinyin.split()))
        except ValueError:
            raise UserError(f"{path}:{number}: expected 5 tab-separated fields, times in seconds") from None
        if not word.syllables:
            raise UserError(f"{path}:{number}: {hanzi}: no pinyin, so its syllables can't be counted")
        result.setdefault(utterance, []).append(word)
    return result


def _read_textgrids(folder: Path, phones: Mapping[str, list[str]]) -> Reference:
    reference = Reference({}, {}, {})
    grids = find_textgrids(folder)
    if not grids:
        raise UserError(f"{folder}: holds no TextGrids")
    for utterance, files in grids.items():
        if utterance not in phones:
            continue
        try:
            if len(files) > 1:
                raise UserError(f"has {len(files)} TextGrids, {files[0]} and {files[1]}")
            spoken = [phone for phone in phones[utterance] if phone not in PAUSES]
            reference.phones[utterance] = align_intervals(read_textgrid(files[0]), spoken)
        except UserError as error:
            reference.unusable[utterance] = str(error)
    if not reference.phones:
        first = next(iter(reference.unusable.values()), "none is of an utterance with phones")
        raise UserError(f"{folder}: no TextGrid can be used; the first reason: {first}")
    return reference
