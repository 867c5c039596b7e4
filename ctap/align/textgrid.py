"""TextGrids: written for Praat, read from MFA and others (through praatio)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ctap.align.durations import read_durations
from ctap.align.ipa import SILENCES, UNKNOWN, match_labels, merge, unmapped
from ctap.align.topology import starts_syllable
from ctap.audio.frames import boundaries_to_durations, durations_to_boundaries
from ctap.audio.settings import AudioSettings
from ctap.errors import UserError
from ctap.files.tables import read_table
from ctap.text.phones import PAUSES

PHONE_TIERS = ("phones", "phone", "phonemes", "segments")
END_TOLERANCE = 0.1  # seconds between the ends of a TextGrid and of its audio


@dataclass(frozen=True)
class Segment:
    """A labelled stretch of time, in seconds."""

    label: str
    start: float
    end: float


def read_textgrid(path: str | Path) -> list[Segment]:
    """The phone tier of a TextGrid: its intervals from 0 to the end, empty ones included.

    The tier is called ``phones`` in any case, alone or after a speaker's name (``SPK - phones``), or is the
    only interval tier.

    Raises:
        UserError: the file is not a TextGrid, has no such tier or more than one.
    """
    from praatio import textgrid
    from praatio.utilities.errors import PraatioException

    try:
        grid = textgrid.openTextgrid(str(path), includeEmptyIntervals=True, reportingMode="silence")
    except (
        OSError,
        PraatioException,
        ValueError,
        IndexError,
        KeyError,
        AttributeError,
        AssertionError,
    ) as error:
        raise UserError(f"{path}: not a readable TextGrid: {type(error).__name__}: {error}") from None
    tiers = [t for t in grid.tiers if isinstance(t, textgrid.IntervalTier)]
    named = [t for t in tiers if t.name.lower().rsplit(" - ", 1)[-1].strip() in PHONE_TIERS]
    if not named and len(tiers) == 1:
        named = tiers
    if len(named) != 1:
        names = ", ".join(repr(t.name) for t in grid.tiers)
        raise UserError(f"{path}: expected one tier of phones (called 'phones'), found the tiers {names}")
    return [Segment(e.label.strip(), float(e.start), float(e.end)) for e in named[0].entries]


def align_intervals(intervals: Sequence[Segment], phones: Sequence[str]) -> list[Segment]:
    """Give intervals of another aligner our labels.

    Args:
        intervals: of a phone tier, silences included.
        phones: the utterance's phones, pauses left out.

    Returns:
        Intervals labelled with ``phones``, ``sil`` where there is silence at the ends and ``sp`` inside.

    Raises:
        UserError: the labels can't be read as these phones; what does not map is named.
    """
    spoken = [x for x in intervals if x.label.lower() not in SILENCES]
    lost = sorted({x.label for x in spoken if x.label.lower() in UNKNOWN})
    if lost:
        raise UserError(f"holds {lost[0]!r}: a word that the aligner did not know")
    counts = match_labels([x.label for x in spoken], phones)
    if counts is None:
        strange = unmapped([x.label for x in spoken])
        raise UserError(
            f"labels do not map: {' '.join(strange)}"
            if strange
            else f"labels {' '.join(x.label for x in spoken)} cannot be read as {' '.join(phones)}"
        )
    spans = merge([(x.start, x.end) for x in spoken], counts)
    result: list[Segment] = []
    at = intervals[0].start if intervals else 0.0
    for phone, (start, end) in zip(phones, spans, strict=True):
        if start > at + 1e-6:
            result.append(Segment("sp" if result else "sil", at, start))
        result.append(Segment(phone, start, end))
        at = end
    end = intervals[-1].end if intervals else at
    if end > at + 1e-6:
        result.append(Segment("sil", at, end))
    return result


def intervals_to_durations(
    intervals: Sequence[Segment], total_frames: int, settings: AudioSettings
) -> tuple[list[str], list[int]]:
    """Aligned phones and their frames, from labelled intervals in seconds.

    A stretch before the first or after the last interval is ``sil``, if a frame fits in.

    Raises:
        UserError: the intervals end well after the audio, or there are more of them than frames.
    """
    length = (total_frames - 1) * settings.frame_shift
    if intervals[-1].end > length + END_TOLERANCE:
        raise UserError(f"ends at {intervals[-1].end:.3f} s, but its audio at about {length:.3f} s")
    filled = list(intervals)
    if filled[0].start > settings.frame_shift and filled[0].label not in PAUSES:
        filled.insert(0, Segment("sil", 0.0, filled[0].start))
    if filled[-1].end < length - settings.frame_shift and filled[-1].label not in PAUSES:
        filled.append(Segment("sil", filled[-1].end, length))
    frames = boundaries_to_durations([x.end for x in filled], total_frames, settings)
    return [x.label for x in filled], frames


def export_textgrids(data_dir: str | Path, out_dir: str | Path, settings: AudioSettings | None = None) -> int:
    """Write ``out_dir/<utterance>.TextGrid`` with the tiers ``pinyin`` (where known) and ``phones``.

    Returns:
        How many were written.

    Raises:
        UserError: the data directory has no sound durations.
    """
    from praatio import textgrid

    data_dir, out_dir = Path(data_dir), Path(out_dir)
    settings = settings or AudioSettings()
    durations = read_durations(data_dir)
    pinyin = read_table(data_dir / "pinyin") if (data_dir / "pinyin").is_file() else {}
    out_dir.mkdir(parents=True, exist_ok=True)
    for utterance, (labels, frames) in durations.items():
        ends = durations_to_boundaries(frames, settings)
        starts = [0.0, *ends[:-1]]
        entries = [
            (max(0.0, a), b, "" if p in PAUSES else p) for a, b, p in zip(starts, ends, labels, strict=True)
        ]
        grid = textgrid.Textgrid(0.0, ends[-1])
        syllables = _syllables(labels, starts, ends, pinyin.get(utterance, "").split())
        if syllables:
            grid.addTier(textgrid.IntervalTier("pinyin", syllables, 0.0, ends[-1]))
        grid.addTier(textgrid.IntervalTier("phones", entries, 0.0, ends[-1]))
        path = out_dir / f"{utterance}.TextGrid"
        temporary = path.with_suffix(".TextGrid.tmp")
        grid.save(str(temporary), format="long_textgrid", includeBlankSpaces=True)
        temporary.replace(path)
    return len(durations)


def _syllables(
    labels: Sequence[str], starts: Sequence[float], ends: Sequence[float], pinyin: Sequence[str]
) -> list[tuple[float, float, str]]:
    spoken = [i for i, label in enumerate(labels) if label not in PAUSES]
    phones = [labels[i] for i in spoken]
    firsts = [k for k in range(len(phones)) if starts_syllable(phones, k)]
    if len(firsts) != len(pinyin):
        return []
    lasts = [*(k - 1 for k in firsts[1:]), len(phones) - 1]
    return [
        (max(0.0, starts[spoken[a]]), ends[spoken[b]], syllable)
        for a, b, syllable in zip(firsts, lasts, pinyin, strict=True)
    ]
