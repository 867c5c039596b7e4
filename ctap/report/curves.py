"""Training curves from the tables of figures that trainings write."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from ctap.errors import UserError
from ctap.report.canvas import drawable, fonts, new_figure

__all__ = ["plot_curves", "read_curves"]


def read_curves(path: str | Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Columns of a training's ``metrics.csv``: name -> (steps, values), rows where the cell is not empty.

    Raises:
        UserError: no such file, no ``step`` column, or a cell that is not a number.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no training log here")
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


def _grid(panels: int, title: str) -> tuple[Figure, np.ndarray]:
    """A figure with ``title`` and at least so many axes ``[N]``, row by row.

    Their places are reckoned: a layout that measures every label takes as long as the drawing and more.
    """
    columns = min(3, panels)
    rows = -(-panels // columns)
    wide, high, left, above, heading = 3.55, 1.95, 0.75, 0.75, 0.4  # inches; axes, what is beside them
    width, height = columns * (wide + left), rows * (high + above) + heading
    figure = new_figure(width, height, layout=None)
    place = {"left": (left - 0.15) / width, "right": 1 - 0.15 / width}
    place |= {"bottom": 0.45 / height, "top": 1 - (heading + above - 0.45) / height}
    gaps = {"wspace": left / wide, "hspace": above / high}
    figure.suptitle(drawable(title), y=1 - 0.1 / height, va="top", fontsize=11, fontfamily=fonts())
    return figure, figure.subplots(rows, columns, squeeze=False, gridspec_kw=place | gaps).ravel()


def plot_curves(path: str | Path, title: str) -> Figure:
    """Training and validation curves, one panel per quantity (``train/x`` and ``val/x`` share a panel).

    Args:
        path: a training's ``metrics.csv``.
        title: heading.

    Raises:
        UserError: the log can't be read, or has no column to draw.
    """
    data = read_curves(path)
    panels = _panels(data)
    if not panels:
        raise UserError(f"{path}: no curve to draw: the training log has no column but step and epoch")
    figure, grid = _grid(len(panels), title)
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
    return figure
