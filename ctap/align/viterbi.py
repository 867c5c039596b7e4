"""The best path through a graph of states that runs forward only, in time and memory of T x S."""

from __future__ import annotations

import numpy as np

from ctap.compiled import compiled


@compiled
def _viterbi(scores, states, stay, offsets, weights, start, end, path):
    frames, nodes = scores.shape[0], states.shape[0]
    arcs = offsets.shape[1]
    back = np.zeros((frames, nodes), dtype=np.int8)
    before = np.empty(nodes, dtype=np.float32)
    after = np.empty(nodes, dtype=np.float32)
    for j in range(nodes):
        before[j] = start[j] + scores[0, states[j]]
    for t in range(1, frames):
        for j in range(nodes):
            best = before[j] + stay[j]
            arc = 0
            for k in range(arcs):
                step = offsets[j, k]
                if step == 0:
                    break
                value = before[j - step] + weights[j, k]
                if value > best:
                    best = value
                    arc = k + 1
            back[t, j] = arc
            after[j] = best + scores[t, states[j]]
        before, after = after, before
    best = np.float32(-1e30)
    node = -1
    for j in range(nodes):
        value = before[j] + end[j]
        if value > best:
            best = value
            node = j
    if node < 0 or best < np.float32(-5e29):
        return np.float32(-1e30)
    for t in range(frames - 1, -1, -1):
        path[t] = node
        arc = back[t, node]
        if arc > 0:
            node -= offsets[node, arc - 1]
    return best


def viterbi(
    scores: np.ndarray,
    states: np.ndarray,
    stay: np.ndarray,
    offsets: np.ndarray,
    weights: np.ndarray,
    start: np.ndarray,
    end: np.ndarray,
) -> tuple[np.ndarray, float]:
    """Find the best node for every frame.

    Args:
        scores: ``[T, K]`` float32, log score of each frame in each of K states.
        states: ``[S]`` int32, the state that scores each node.
        stay: ``[S]`` float32, log weight of staying in a node (-1e30 forbids it).
        offsets: ``[S, A]`` int32, how many nodes back each arc into a node starts; 0 ends a node's list.
        weights: ``[S, A]`` float32, log weight of each arc.
        start: ``[S]`` float32, log weight of starting in a node.
        end: ``[S]`` float32, log weight of ending in a node.

    Returns:
        ``[T]`` int32 nodes, and the path's log score; the score is -1e30 or less if there is no path.
    """
    path = np.zeros(len(scores), dtype=np.int32)
    score = _viterbi(scores, states, stay, offsets, weights, start, end, path)
    return path, float(score)
