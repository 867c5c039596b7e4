"""What all pictures share: the canvas, fonts, and writing a figure."""

from __future__ import annotations

import functools
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager

__all__ = ["array", "drawable", "fonts", "new_figure", "save_figure"]

_CHINESE_FONTS = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei",
    "PingFang SC", "Heiti SC", "Microsoft YaHei", "SimHei", "Droid Sans Fallback",
)  # fmt: skip


def array(values: Any) -> np.ndarray:
    """A float numpy array from numpy, torch (any device, any precision) or lists."""
    if hasattr(values, "detach"):
        values = values.detach().float().cpu().numpy()
    return np.asarray(values, dtype=np.float32)


@functools.cache
def fonts() -> list[str]:
    """Font families in order of preference: matplotlib's own, then a Chinese one if it is installed."""
    installed = {font.name for font in fontManager.ttflist}
    return ["DejaVu Sans", *(name for name in _CHINESE_FONTS if name in installed)]


def drawable(text: str) -> str:
    """``text`` for matplotlib: dollars begin no formula, and hanzi are left out where no font has them."""
    text = text.replace("$", r"\$")
    if len(fonts()) > 1:
        return text
    return re.sub("[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]+", "", text).strip()


def new_figure(width: float, height: float, layout: str | None = "constrained") -> Figure:
    """A white figure of so many inches; without ``layout`` whoever draws says where its parts lie."""
    figure = Figure(figsize=(width, height), layout=layout, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: Figure, path: str | Path) -> Path:
    """Write ``figure`` whole or not at all; the format follows the suffix (png, svg, pdf). Gives the path."""
    from ctap.files.atomic import atomic_write

    path = Path(path)
    kind = path.suffix.lower().lstrip(".") or "png"
    buffer = io.BytesIO()
    # no date and no random ids inside: the same figure gives the same bytes
    with rc_context({"svg.hashsalt": "ctap"}):
        metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
        figure.savefig(buffer, format=kind, dpi=110, metadata=metadata)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path, "wb") as handle:
        handle.write(buffer.getvalue())
    return path
