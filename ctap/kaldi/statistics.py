"""Mean and standard deviation of features."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ctap.errors import UserError


def mel_stats(matrices: Iterable[np.ndarray], floor: float | None = 0.05) -> dict[str, list[float] | int]:
    """Mean and standard deviation of every bin, in one pass that stays exact over many hours.

    Groups are merged by the pairwise update of Chan, Golub and LeVeque (1979).

    Args:
        matrices: ``[T, D]`` each.
        floor: smallest standard deviation given (a bin that never changes must not be divided by 0); None: a
            hundredth of the median bin's, for values of unknown scale.

    Returns:
        ``mean`` and ``std``, ``[D]`` each, and the number of ``frames``.
    """
    count, mean, square = 0, np.zeros(0), np.zeros(0)
    for matrix in matrices:
        values = matrix.astype(np.float64)
        own, own_mean = len(values), values.mean(axis=0)
        own_square = ((values - own_mean) ** 2).sum(axis=0)
        if not count:
            count, mean, square = own, own_mean, own_square
            continue
        delta = own_mean - mean
        square = square + own_square + delta**2 * (count * own / (count + own))
        mean = mean + delta * (own / (count + own))
        count += own
    if not count:
        raise UserError("no frames to take statistics of")
    std = np.sqrt(square / count)
    std = np.maximum(std, max(0.01 * float(np.median(std)), 1e-8) if floor is None else floor)
    return {"mean": mean.tolist(), "std": std.tolist(), "frames": count}


def read_stats(dump: Path, dim: int | None = None) -> dict[str, Any]:
    """What :func:`mel_stats` gave for a dump, from its ``stats.json``.

    Args:
        dump: Directory of the dump, above its sets.
        dim: How many bins there should be; any number, if it is not known.

    Raises:
        UserError: The file is missing or damaged, or of another number of bins.
    """
    path = dump / "stats.json"
    try:
        stats = json.loads(path.read_text(encoding="utf-8"))
        sizes = {len(stats[name]) for name in ("mean", "std")}
        sound = all(math.isfinite(value) for name in ("mean", "std") for value in stats[name])
    except OSError as error:
        raise UserError(f"{path}: can't read it: {error.strerror}; stage 2 makes it") from None
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{path}: is damaged; run stage 2 again") from None
    if not sound or sizes != {dim or max(sizes)}:
        raise UserError(f"{path}: expected {dim or 'as many'} means and deviations, run stage 2 again")
    return stats
