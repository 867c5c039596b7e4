"""Training curves from Lightning's CSV logs."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ctap.errors import UserError
from ctap.report.canvas import array, drawable, fonts, new_figure

__all__ = ["plot_curves", "read_curves"]


def read_curves(
    path: str | Path | Sequence[str | Path],
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Columns of a Lightning ``metrics.csv``: name -> (steps, values), rows where the cell is not empty.

    Args:
        path: the log; or the logs of a training that was continued, in order: what a later one repeats is
            taken from it.

    Raises:
        UserError: no such file, no ``step`` column, or a cell that is not a number.
    """
    paths = [path] if isinstance(path, str | Path) else list(path)
    merged: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for one in paths:
        for name, (steps, values) in _read_curves(Path(one)).items():
            old_steps, old_values = merged.get(name, (steps[:0], values[:0]))
            kept = old_steps < steps[0]
            merged[name] = (
                np.concatenate([old_steps[kept], steps]),
                np.concatenate([old_values[kept], values]),
            )
    return merged


def _read_curves(path: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    if not path.is_file():
        raise UserError(f"{path}: no training log here (Lightning's CSVLogger writes metrics.csv)")
    columns: dict[str, tuple[list[float], list[float]]] = {}
    with path.open(newline="", encoding="utf-8") as handle:
        reader = csv.DictReader(handle)
        if "step" not in (reader.fieldnames or ()):
            raise UserError(f"{path}: no column 'step' among {reader.fieldnames}")
        for row in reader:
            for name, cell in row.items():
                if name in (None, "step", "epoch") or cell in (None, ""):
                    continue
                try:
                    step, value = float(row["step"]), float(cell)
                except (TypeError, ValueError):
                    message = f"{path}:{reader.line_num}: {name} is {cell!r} at step {row['step']!r}"
                    raise UserError(f"{message}, expected numbers") from None
                steps, values = columns.setdefault(name, ([], []))
                steps.append(step)
                values.append(value)
    return {name: (np.array(steps), np.array(values)) for name, (steps, values) in columns.items()}


def _smooth(values: np.ndarray, window: int) -> np.ndarray:
    """Centred moving mean that ignores NaN and shrinks at the ends."""
    finite = np.isfinite(values)
    total = np.concatenate([[0.0], np.cumsum(np.where(finite, values, 0.0))])
    number = np.concatenate([[0], np.cumsum(finite)])
    index = np.arange(values.size)
    a, b = np.maximum(0, index - window // 2), np.minimum(values.size, index + window // 2 + 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (total[b] - total[a]) / (number[b] - number[a])


def _panels(names: Iterable[str]) -> dict[str, list[str]]:
    """Quantity to the curves that show it."""
    panels: dict[str, list[str]] = {}
    for name in names:
        split, _, rest = name.partition("/")
        key = rest if split in ("train", "val", "valid", "test") and rest else name
        # Lightning logs x, x_step and x_epoch for one quantity
        key = key.removesuffix("_step").removesuffix("_epoch")
        panels.setdefault(key, []).append(name)
    return panels


def plot_curves(
    curves: str | Path | Sequence[str | Path] | Mapping[str, Any],
    names: Sequence[str] | None = None,
    *,
    title: str | None = None,
) -> Figure:
    """Training and validation curves, one panel per quantity (``train/x`` and ``val/x`` share a panel).

    Args:
        curves: a Lightning ``metrics.csv`` (or several, see :func:`read_curves`), or name -> values, or
            name -> (steps, values).
        names: quantities to draw (without ``train/`` and ``val/``), in order; all by default.
        title: heading.
    """
    if not isinstance(curves, Mapping):
        data = read_curves(curves)
    else:
        data = {}
        for name, given in curves.items():
            if isinstance(given, tuple) and len(given) == 2:
                data[name] = (array(given[0]), array(given[1]))
            else:
                data[name] = (np.arange(len(given)), array(given))
    panels = _panels(data)
    if names is not None:
        panels = {name: panels[name] for name in names if name in panels}
    if not panels:
        raise UserError("no curve to draw: the training log has no column but step and epoch")
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    figure = new_figure(4.3 * columns, 2.7 * rows + (0.4 if title else 0.1))
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    colours = {"train": "#4c78a8", "val": "#e4572e", "valid": "#e4572e", "test": "#54a24b"}
    for axes, (key, members) in zip(grid, panels.items(), strict=False):
        for name in members:
            steps, values = data[name]
            split = name.partition("/")[0] if "/" in name else ""
            colour = colours.get(split, "#4c78a8")
            marker = "o" if len(values) <= 30 else None
            if len(values) > 60 and split == "train":
                axes.plot(steps, values, color=colour, alpha=0.25, linewidth=0.7)
                values = _smooth(values, max(3, len(values) // 40))
            axes.plot(
                steps, values, color=colour, linewidth=1.5, marker=marker, markersize=3, label=split or name
            )
        axes.set_title(key, fontsize=10)
        axes.set_xlabel("step", fontsize=8)
        axes.tick_params(labelsize=8)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        if len(members) > 1 or members[0] != key:
            axes.legend(fontsize=8, frameon=False)
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    if title:
        figure.suptitle(drawable(title), fontsize=11, fontfamily=fonts())
    return figure
