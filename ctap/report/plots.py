"""Pictures: similarity matrix, mel-spectrograms, alignments and training curves.

Every function returns a :class:`matplotlib.figure.Figure` drawn through the object interface (Agg canvas):
no global state, no display, safe in worker threads and inside a training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from ctap.report.canvas import array, drawable, fonts, new_figure, save_figure
from ctap.report.curves import plot_curves, read_curves
from ctap.text.pauses import PAUSES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

__all__ = [
    "plot_alignment",
    "plot_curves",
    "plot_mels",
    "plot_similarity",
    "read_curves",
    "save_figure",
    "segments",
]

_MEL_MAP = "magma"
_INK = "#222222"


def segments(phones: Sequence[str], durations: Sequence[int] | None = None) -> list[tuple[str, int, int]]:
    """Runs ``(phone, first frame, frame after the last)``.

    Args:
        phones: one phone per segment if ``durations`` is given, otherwise one per frame (repeats merge).
        durations: frames of each phone.
    """
    if durations is None:
        runs: list[tuple[str, int, int]] = []
        for i, phone in enumerate(phones):
            if runs and runs[-1][0] == phone:
                runs[-1] = (phone, runs[-1][1], i + 1)
            else:
                runs.append((phone, i, i + 1))
        return runs
    if len(phones) != len(durations):
        raise ValueError(f"{len(phones)} phones but {len(durations)} durations")
    ends = np.cumsum(np.asarray(durations, dtype=int)).tolist()
    return [
        (phone, end - int(n), end)
        for phone, n, end in zip(phones, durations, ends, strict=True)
        if int(n) > 0
    ]


def _width(frames: int, runs: Sequence[tuple[str, int, int]]) -> float:
    """Inches that leave room for the phone labels."""
    return float(np.clip(max(frames * 0.018, len(runs) * 0.22) + 1.5, 8.0, 40.0))


def _label_size(runs: Sequence[tuple[str, int, int]], inches: float) -> float:
    return float(np.clip(72 * inches / max(1, len(runs)) * 0.75, 4.5, 9.0))


def _phone_ticks(axis: Any, runs: Sequence[tuple[str, int, int]], size: float, hop: float) -> None:
    axis.set_ticks([(a + b) / 2 * hop for _, a, b in runs], [phone for phone, _, _ in runs])
    axis.set_tick_params(length=0, labelsize=size, pad=2)


def _phone_axis(axes: Axes, runs: Sequence[tuple[str, int, int]], inches: float, hop: float) -> None:
    """Phone labels along the top of ``axes`` and a thin line at every boundary."""
    top = axes.secondary_xaxis("top")
    size = _label_size(runs, inches)
    _phone_ticks(top.xaxis, runs, size, hop)
    narrow = any((b - a) * hop < 0.05 for _, a, b in runs)
    top.tick_params(axis="x", rotation=90 if narrow else 0)
    top.spines["top"].set_visible(False)
    for _, start, _ in runs[1:]:
        axes.axvline(start * hop, color="white", linewidth=0.6, alpha=0.7)


def _draw_mel(axes: Axes, mel: np.ndarray, low: float, high: float, hop: float) -> AxesImage:
    return axes.imshow(
        mel.T,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        cmap=_MEL_MAP,
        vmin=low,
        vmax=high,
        extent=(0, mel.shape[0] * hop, -0.5, mel.shape[1] - 0.5),
    )


def plot_similarity(
    C: Any,
    phones: Sequence[str] | None = None,
    durations: Sequence[int] | None = None,
    *,
    hop: float,
    title: str = "Similarity of speech and phoneme frames",
) -> Figure:
    """The similarity matrix of one utterance (paper Eq. 5): speech frames down, phoneme frames across.

    Args:
        C: ``[T, T]`` similarities (dot products, with or without temperature).
        phones: one per frame, or one per segment with ``durations``.
        durations: frames per phone.
        hop: seconds per frame.
        title: heading.
    """
    C = array(C)
    if C.ndim != 2:
        raise ValueError(f"the similarity matrix must be [T, T], got {C.shape}")
    rows, columns = C.shape
    runs = segments(phones, durations) if phones is not None else []
    side = float(np.clip(max(rows * 0.016, len(runs) * 0.17), 5.5, 14.0))
    figure = new_figure(side + 1.9, side + 0.7)
    axes = figure.add_subplot()
    finite = C[np.isfinite(C)]
    low, high = np.percentile(finite, [0.5, 99.8]) if finite.size else (0.0, 1.0)
    image = axes.imshow(
        C,
        cmap="viridis",
        interpolation="nearest",
        aspect="equal" if rows == columns else "auto",
        vmin=low,
        vmax=max(high, low + 1e-6),
        extent=(0, columns * hop, rows * hop, 0),
    )
    axes.set_xlabel("phoneme frame (s)")
    axes.set_ylabel("speech frame (s)")
    if runs:
        size = _label_size(runs, side)
        top, right = axes.secondary_xaxis("top"), axes.secondary_yaxis("right")
        _phone_ticks(top.xaxis, runs, size, hop)
        _phone_ticks(right.yaxis, runs, size, hop)
        top.tick_params(axis="x", rotation=90)
        for _, start, _ in runs[1:]:
            axes.axvline(start * hop, color="white", linewidth=0.35, alpha=0.45)
            axes.axhline(start * hop, color="white", linewidth=0.35, alpha=0.45)
    axes.set_title(drawable(title), fontsize=11, pad=12, fontfamily=fonts())
    bar = figure.colorbar(image, ax=axes, shrink=0.85, pad=0.02, extend="both")
    bar.set_label("similarity")
    return figure


def plot_mels(
    mels: Mapping[str, Any],
    phones: Sequence[str] | None = None,
    durations: Sequence[int] | None = None,
    *,
    hop: float,
    title: str | None = None,
) -> Figure:
    """Mel-spectrograms one under the other on one colour scale and one time axis.

    Args:
        mels: name -> ``[T, M]`` log-mel (natural logarithm); lengths may differ.
        phones: overlay on the first one (per frame, or per segment with ``durations``).
        durations: frames per phone.
        hop: seconds per frame.
        title: heading.
    """
    arrays = {name: array(mel) for name, mel in mels.items()}
    if not arrays:
        raise ValueError("no mel-spectrogram to draw")
    for name, mel in arrays.items():
        if mel.ndim != 2:
            raise ValueError(f"mel {name!r} must be [T, M], got {mel.shape}")
    runs = segments(phones, durations) if phones is not None else []
    frames = max(mel.shape[0] for mel in arrays.values())
    width = _width(frames, runs)
    figure = new_figure(width, 2.1 * len(arrays) + 0.6)
    stack = figure.subplots(len(arrays), 1, sharex=True, squeeze=False)[:, 0]
    # one scale, set by the reference if there is one: differences in level then show as such
    low, high = np.percentile(next(iter(arrays.values())), [0.5, 99.8])
    image = None
    for i, (axes, (name, mel)) in enumerate(zip(stack, arrays.items(), strict=True)):
        image = _draw_mel(axes, mel, low, max(high, low + 1e-6), hop)
        axes.set_ylabel("mel bin")
        axes.text(
            0.006, 0.95, drawable(name), transform=axes.transAxes, va="top", ha="left", fontsize=9,
            color="white", fontfamily=fonts(),
            bbox={"facecolor": "black", "alpha": 0.55, "pad": 2.5, "edgecolor": "none"},
        )  # fmt: skip
        axes.set_xlim(0, frames * hop)
        if runs and i == 0:
            _phone_axis(axes, runs, width - 1.5, hop)
        elif runs:
            for _, start, _ in runs[1:]:
                axes.axvline(start * hop, color="white", linewidth=0.6, alpha=0.35)
    stack[-1].set_xlabel("time (s)")
    if title:
        figure.suptitle(drawable(title), fontsize=11, fontfamily=fonts())
    bar = figure.colorbar(image, ax=list(stack), pad=0.01, aspect=12 * len(arrays), extend="both")
    bar.set_label("log mel (natural logarithm)")
    return figure


def plot_alignment(
    mel: Any,
    phones: Sequence[str],
    durations: Sequence[int],
    *,
    hop: float,
    reference: tuple[Sequence[str], Sequence[int]] | None = None,
    confidence: Sequence[float] | None = None,
    title: str | None = None,
) -> Figure:
    """A mel-spectrogram with its phones below: boundaries, labels, pauses hatched.

    Args:
        mel: ``[T, M]`` log-mel.
        phones: one per segment.
        durations: frames per phone.
        hop: seconds per frame.
        reference: phones and durations of another alignment, drawn as a second row.
        confidence: one per segment, at most 0 (the best); drawn as bars that hang from 0.
        title: heading.
    """
    mel = array(mel)
    rows = [("phones", segments(phones, durations))]
    if reference is not None:
        rows.append(("reference", segments(*reference)))
    runs = rows[0][1]
    width = _width(mel.shape[0], runs)
    height = 0.42
    heights = [2.4] + [height] * len(rows) + ([0.7] if confidence is not None else [])
    figure = new_figure(width, 0.5 + sum(heights))
    grid = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    low, high = np.percentile(mel, [0.5, 99.8])
    image = _draw_mel(grid[0], mel, low, max(high, low + 1e-6), hop)
    for _, start, _ in runs[1:]:
        grid[0].axvline(start * hop, color="white", linewidth=0.7, alpha=0.8)
    grid[0].set_ylabel("mel bin")
    grid[0].set_xlim(0, max(mel.shape[0], runs[-1][2] if runs else 0) * hop)
    size = _label_size(runs, width - 1.5)
    if confidence is not None:
        _confidence_bars(grid[-1], runs, confidence, hop)
    for axes, (name, row) in zip(grid[1 : 1 + len(rows)], rows, strict=True):
        axes.set_ylim(0, 1)
        axes.set_yticks([0.5], [name])
        axes.tick_params(axis="y", length=0)
        _phone_boxes(axes, row, size, (width - 1.5) / max(1, mel.shape[0]), hop)
    grid[-1].set_xlabel("time (s)")
    if title:
        figure.suptitle(drawable(title), fontsize=11, fontfamily=fonts())
    figure.colorbar(image, ax=grid[0], pad=0.01).set_label("log mel (natural logarithm)")
    return figure


def _phone_boxes(
    axes: Axes,
    row: Sequence[tuple[str, int, int]],
    size: float,
    frame_inches: float,
    hop: float,
) -> None:
    for i, (phone, a, b) in enumerate(row):
        pause = phone in PAUSES
        axes.axvspan(
            a * hop, b * hop, facecolor="#eeeeee" if pause else ("#cfe0f3", "#e6eef8")[i % 2],
            edgecolor="#a8a8a8", hatch="///" if pause else None, linewidth=0.5,
        )  # fmt: skip
        upright = len(phone) * size * 0.62 / 72 > (b - a) * frame_inches
        axes.text(
            (a + b) / 2 * hop, 0.5, phone, ha="center", va="center", color=_INK,
            fontsize=size if not upright else min(size, 7.0), rotation=90 if upright else 0,
        )  # fmt: skip


def _confidence_bars(
    axes: Axes, runs: Sequence[tuple[str, int, int]], confidence: Sequence[float], hop: float
) -> None:
    for (_, a, b), value in zip(runs, confidence, strict=True):
        axes.bar(a * hop, value, width=(b - a) * hop, align="edge", color="#c44e52", linewidth=0)
    axes.set_ylim(min(-1.0, *confidence), 0)
    axes.set_ylabel("score", fontsize=8)
    axes.tick_params(axis="y", labelsize=7)
