"""Dynamic time warping, shared by the pitch and cepstral figures (Sakoe and Chiba, 1978)."""

from __future__ import annotations

import numpy as np

from ctap.compiled import compiled

__all__ = ["dtw"]


@compiled
def _search(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float]:
    """Path of least summed distance; moves are coded 0 = both, 1 = x alone, 2 = y alone."""
    N, M, D = x.shape[0], y.shape[0], x.shape[1]
    move = np.zeros((N, M), dtype=np.uint8)
    previous = np.empty(M)
    current = np.empty(M)
    for i in range(N):
        for j in range(M):
            square = 0.0
            for d in range(D):
                step = x[i, d] - y[j, d]
                square += step * step
            best = 0.0
            if i > 0 and j > 0:
                best = previous[j - 1]
                if previous[j] < best:
                    best = previous[j]
                    move[i, j] = 1
                if current[j - 1] < best:
                    best = current[j - 1]
                    move[i, j] = 2
            elif i > 0:
                best = previous[j]
                move[i, j] = 1
            elif j > 0:
                best = current[j - 1]
                move[i, j] = 2
            current[j] = best + np.sqrt(square)
        previous, current = current, previous
    path = np.empty((N + M - 1, 2), dtype=np.int64)
    i, j, k = N - 1, M - 1, N + M - 1
    while True:
        k -= 1
        path[k, 0] = i
        path[k, 1] = j
        if i == 0 and j == 0:
            break
        code = move[i, j]
        if code != 2:
            i -= 1
        if code != 1:
            j -= 1
    return path[k:], previous[M - 1]


def dtw(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float]:
    """Warp two sequences onto each other; both ends are tied, steps (1, 1), (1, 0), (0, 1) weigh the same.

    Distances are Euclidean, computed on the way: the memory is one byte per pair of frames.

    Args:
        x: ``[N, D]``.
        y: ``[M, D]``.

    Returns:
        The path ``[L, 2]`` of frame pairs from (0, 0) to (N - 1, M - 1), and its summed distance.

    Raises:
        ValueError: empty sequences, sizes that differ, or values that are not finite.
    """
    x = np.ascontiguousarray(x, dtype=np.float64)
    y = np.ascontiguousarray(y, dtype=np.float64)
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1] or not len(x) or not len(y):
        raise ValueError(f"expected [N, D] and [M, D] with N, M > 0, got {x.shape} and {y.shape}")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("the sequences to warp must be finite")
    path, cost = _search(x, y)
    return path, float(cost)
