"""TextGrids: written for Praat, read from MFA and others (through praatio)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ctap.align.durations import read_durations
from ctap.audio.frames import boundaries_to_durations, durations_to_boundaries
from ctap.audio.settings import AudioSettings
from ctap.errors import UserError
from ctap.files.tables import read_table
from ctap.text.labels import BUILT_IN, UNKNOWN, LabelTable, match_labels, parts, unread
from ctap.text.language import Language
from ctap.text.languages import language_in
from ctap.text.pauses import PAUSES

PHONE_TIERS = ("phones", "phone", "phonemes", "segments")
END_TOLERANCE = 0.1  # seconds between the ends of a TextGrid and of its audio
OVERLAP = 1e-3  # seconds: what rounding may put the start of an interval before the end of the last


@dataclass(frozen=True)
class Segment:
    """A labelled stretch of time, in seconds."""

    label: str
    start: float
    end: float


def find_textgrids(folder: Path) -> dict[str, list[Path]]:
    """Utterance to its files ``<utterance>.TextGrid`` (in any case) in ``folder`` at any depth, sorted."""
    found: dict[str, list[Path]] = {}
    for file in sorted(folder.rglob("*")):
        if file.suffix.lower() == ".textgrid":
            found.setdefault(file.stem, []).append(file)
    return found


def read_textgrid(path: str | Path) -> list[Segment]:
    """The phone tier of a TextGrid: its intervals to the end of the file's time, empty ones included.

    The tier is called ``phones`` in any case, alone or after a speaker's name (``SPK - phones``), or is the
    only interval tier.

    Raises:
        UserError: the file is not a TextGrid, has no such tier or more than one, or its intervals overlap.
    """
    from praatio.utilities.constants import INTERVAL_TIER
    from praatio.utilities.errors import PraatioException
    from praatio.utilities.textgrid_io import parseTextgridStr

    try:
        grid = parseTextgridStr(_EXPONENT.sub(_decimal, _decoded(path)), includeEmptyIntervals=True)
        tiers = [tier for tier in grid["tiers"] if tier["class"] == INTERVAL_TIER]
        end = float(grid["xmax"])
    except (OSError, PraatioException, ValueError, LookupError, AttributeError, TypeError) as error:
        raise UserError(f"{path}: not a readable TextGrid: {type(error).__name__}: {error}") from None
    named = [tier for tier in tiers if tier["name"].lower().rsplit(" - ", 1)[-1].strip() in PHONE_TIERS]
    if not named and len(tiers) == 1:
        named = tiers
    if len(named) != 1:
        names = ", ".join(repr(tier["name"]) for tier in grid["tiers"])
        raise UserError(f"{path}: expected one tier of phones (called 'phones'), found the tiers {names}")
    try:
        found = [Segment(str(label).strip(), float(a), float(b)) for a, b, label in named[0]["entries"]]
    except (ValueError, TypeError) as error:
        raise UserError(f"{path}: not a readable TextGrid: {error}") from None
    before = 0.0
    for number, x in enumerate(found, 1):
        if not before - OVERLAP <= x.start < x.end:
            raise UserError(
                f"{path}: interval {number} ({x.label!r}) goes from {x.start:g} to {x.end:g} s, "
                f"where one that starts at {before:g} s or later and lasts is expected"
            )
        before = x.end
    return [*found, Segment("", before, end)] if end > before else found


def _decoded(path: str | Path) -> str:
    """The file's text: UTF-16 if it says so, as Praat writes it, else UTF-8."""
    content = Path(path).read_bytes()
    return content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")


_EXPONENT = re.compile(r"^([ \t]*(?:\w+ ?= ?)?)(-?\d+\.?\d*[eE][-+]?\d{1,3})(?=\s*$)", re.MULTILINE)
"""A number as in ``xmin = 5.68e-14``, which praatio does not read."""


def _decimal(match: re.Match[str]) -> str:
    return f"{match[1]}{float(match[2]):.17f}"


def align_intervals(
    intervals: Sequence[Segment], phones: Sequence[str], table: LabelTable = BUILT_IN
) -> list[Segment]:
    """Give intervals of another aligner our labels.

    Args:
        intervals: of a phone tier, silences included.
        phones: the utterance's phones, pauses left out.
        table: how phones may be written.

    Returns:
        Intervals labelled with ``phones``, ``sil`` where there is silence at the ends and ``sp`` inside.

    Raises:
        UserError: a word was unknown to the other aligner, or (:class:`~ctap.text.labels.UnreadLabels`) the
            labels can't be read as these phones.
    """
    spoken = [part for x in intervals if not table.is_silence(x.label) for part in _parts(x, table)]
    lost = sorted({x.label for x in spoken if x.label.lower() in UNKNOWN})
    if lost:
        raise UserError(f"holds {lost[0]!r}: a word that the aligner did not know")
    labels = [x.label for x in spoken]
    counts = match_labels(labels, phones, table)
    if counts is None:
        raise unread(labels, phones, table)
    spans = merge([(x.start, x.end) for x in spoken], counts)
    result: list[Segment] = []
    at = intervals[0].start if intervals else 0.0
    for phone, (start, end) in zip(phones, spans, strict=True):
        if start > at + OVERLAP:
            result.append(Segment("sp" if result else "sil", at, start))
        result.append(Segment(phone, start, end))
        at = end
    end = intervals[-1].end if intervals else at
    if end > at + OVERLAP:
        result.append(Segment("sil", at, end))
    return result


def merge(spans: Sequence[tuple[float, float]], counts: Sequence[int]) -> list[tuple[float, float]]:
    """Join consecutive (start, end) spans: ``counts[i]`` of them make span ``i``."""
    edges = [0, *itertools.accumulate(counts)]
    return [(spans[a][0], spans[b - 1][1]) for a, b in itertools.pairwise(edges)]


def _parts(whole: Segment, table: LabelTable) -> list[Segment]:
    """An interval, or where its label stands for two phones, a half for each."""
    labels = parts(whole.label, table)
    edges = np.linspace(whole.start, whole.end, len(labels) + 1).tolist()
    return [Segment(*one) for one in zip(labels, edges, edges[1:], strict=False)]


def intervals_to_durations(
    intervals: Sequence[Segment], total_frames: int, settings: AudioSettings
) -> tuple[list[str], list[int]]:
    """Aligned phones and their frames, from labelled intervals in seconds.

    A stretch before the first or after the last interval is ``sil``, if a frame fits in.

    Raises:
        UserError: the intervals end well after the audio, or there are more of them than frames.
    """
    length = (total_frames - 1) * settings.frame_shift
    if not intervals:
        raise UserError("holds no intervals")
    if intervals[-1].end > length + END_TOLERANCE:
        check_end(intervals, total_frames, settings)
    filled = list(intervals)
    if filled[0].start > settings.frame_shift and filled[0].label not in PAUSES:
        filled.insert(0, Segment("sil", 0.0, filled[0].start))
    if filled[-1].end < length - settings.frame_shift and filled[-1].label not in PAUSES:
        filled.append(Segment("sil", filled[-1].end, length))
    frames = boundaries_to_durations([x.end for x in filled], total_frames, settings)
    return [x.label for x in filled], frames


def check_end(intervals: Sequence[Segment], total_frames: int, settings: AudioSettings) -> None:
    """Make sure that a TextGrid was made of audio of the same length.

    Raises:
        UserError: it ends well before its audio, or well after it.
    """
    end, length = intervals[-1].end if intervals else 0.0, (total_frames - 1) * settings.frame_shift
    if abs(end - length) > END_TOLERANCE:
        raise UserError(
            f"ends at {end:.3f} s, but its audio at about {length:.3f} s: made of another or a cut recording?"
        )


def export_textgrids(data_dir: str | Path, out_dir: str | Path, settings: AudioSettings) -> int:
    """Write ``out_dir/<utterance>.TextGrid`` with the tiers ``pinyin`` (where known) and ``phones``.

    Returns:
        How many were written.

    Raises:
        UserError: the data directory has no sound durations.
    """
    from praatio import textgrid

    data_dir, out_dir = Path(data_dir), Path(out_dir)
    durations, language = read_durations(data_dir), language_in(data_dir)
    pinyin = read_table(data_dir / "pinyin") if (data_dir / "pinyin").is_file() else {}
    out_dir.mkdir(parents=True, exist_ok=True)
    for utterance, (labels, frames) in durations.items():
        ends = durations_to_boundaries(frames, settings)
        starts = [0.0, *ends[:-1]]
        entries = [
            (max(0.0, a), b, "" if p in PAUSES else p) for a, b, p in zip(starts, ends, labels, strict=True)
        ]
        grid = textgrid.Textgrid(0.0, ends[-1])
        syllables = _syllables(language, labels, starts, ends, pinyin.get(utterance, "").split())
        if syllables:
            grid.addTier(textgrid.IntervalTier("pinyin", syllables, 0.0, ends[-1]))
        grid.addTier(textgrid.IntervalTier("phones", entries, 0.0, ends[-1]))
        path = out_dir / f"{utterance}.TextGrid"
        temporary = path.with_suffix(".TextGrid.tmp")
        grid.save(str(temporary), format="long_textgrid", includeBlankSpaces=True)
        temporary.replace(path)
    return len(durations)


def _syllables(
    language: Language,
    labels: Sequence[str],
    starts: Sequence[float],
    ends: Sequence[float],
    pinyin: Sequence[str],
) -> list[tuple[float, float, str]]:
    spoken = [i for i, label in enumerate(labels) if label not in PAUSES]
    phones = [labels[i] for i in spoken]
    firsts = [k for k, first in enumerate(language.starts(phones)) if first]
    if len(firsts) != len(pinyin):
        return []
    lasts = [*(k - 1 for k in firsts[1:]), len(phones) - 1]
    return [
        (max(0.0, starts[spoken[a]]), ends[spoken[b]], syllable)
        for a, b, syllable in zip(firsts, lasts, pinyin, strict=True)
    ]
