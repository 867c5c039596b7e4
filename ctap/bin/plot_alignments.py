"""Pictures of alignments: the mel, its phones, and how sure the aligner is of each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from ctap.align.durations import Durations, read_durations, strip_pauses
from ctap.align.events import read_reference
from ctap.align.textgrid import intervals_to_durations
from ctap.audio.logmel import log_mel
from ctap.audio.settings import AudioSettings
from ctap.audio.wave import load_wave
from ctap.bin.entry import command
from ctap.errors import UserError
from ctap.files.lists import spread
from ctap.files.tables import read_table
from ctap.report.plots import plot_alignment, save_figure


def plot_alignments(
    data_dir: Path,
    out_dir: Path,
    count: int = 6,
    utterances: Sequence[str] | None = None,
    reference: Path | None = None,
    settings: Path | None = None,
) -> None:
    """Draw the alignments of some utterances of a data directory: OUT_DIR/<utterance>.png.

    Args:
        data_dir: With ``wav.scp``, ``aligned_phones`` and ``durations``.
        out_dir: Where the pictures go.
        count: How many utterances: half of them those that the aligner is least sure of, the rest
            evenly spread.
        utterances: Draw these instead.
        reference: Phoneme events or TextGrids to draw below.
        settings: Audio settings; default: 24 kHz, 10 ms.
    """
    audio = AudioSettings.load(settings)
    alignments = read_durations(data_dir)
    waves = read_table(data_dir / "wav.scp")
    missing = [u for u in utterances or () if u not in alignments]
    if missing:
        raise UserError(f"{data_dir}: no durations of {missing[0]!r}")
    score, confidence = (_optional(data_dir / name) for name in ("align_score", "align_confidence"))
    names = list(utterances or ()) or choose(alignments, {u: float(s) for u, s in score.items()}, count)
    truth: Durations = {}
    if reference is not None:
        phones = {u: strip_pauses(alignments[u][0]) for u in names}
        known = read_reference(reference, phones).phones
        if not known:
            raise UserError(f"{reference}: holds no phones to draw (word boundaries can't be)")
        for u in names:
            if u in known:
                truth[u] = intervals_to_durations(known[u], sum(alignments[u][1]), audio)
    for u in names:
        if u not in waves:
            raise UserError(f"{data_dir / 'wav.scp'}: {u!r} is missing")
        mel = log_mel(torch.from_numpy(load_wave(waves[u], audio.sample_rate)), audio)
        sure = [float(value) for value in confidence[u].split()] if u in confidence else None
        title = f"{u}, score {score[u]}" if u in score else u
        figure = plot_alignment(
            mel, *alignments[u], confidence=sure, reference=truth.get(u), title=title, hop=audio.frame_shift
        )
        save_figure(figure, out_dir / f"{u}.png")
    print(f"{out_dir}: {len(names)} pictures")


def choose(alignments: Durations, score: dict[str, float], count: int) -> list[str]:
    """``count`` utterances: up to half of them of the lowest score, the rest evenly spread."""
    lowest = sorted(score.keys() & alignments.keys(), key=lambda u: (score[u], u))[: count // 2]
    others = [u for u in sorted(alignments) if u not in lowest]
    return lowest + spread(others, count - len(lowest))


def _optional(path: Path) -> dict[str, str]:
    return read_table(path) if path.is_file() else {}


main = command(plot_alignments)

if __name__ == "__main__":
    main()
