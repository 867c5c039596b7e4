"""Gaussian mixtures with diagonal covariances, one per state, estimated from frames with known states."""

from __future__ import annotations

import functools

import numpy as np

VARIANCE_FLOOR = 0.05  # of features with variance 1
CHUNK = 256  # frames scored at a time, so that what they need stays in the processor's cache
PRIOR_FRAMES = 40.0  # frames with which a component's mean resists adaptation
MIN_FRAMES = 10  # per component; a state with fewer keeps what it has


class Mixtures:
    """Mixtures of K states with M components each over D features.

    Args:
        mean: ``[K, M, D]`` float32.
        variance: ``[K, M, D]`` float32.
        log_weight: ``[K, M]`` float32.
    """

    def __init__(self, mean: np.ndarray, variance: np.ndarray, log_weight: np.ndarray) -> None:
        self.mean, self.variance, self.log_weight = mean, variance, log_weight
        self._prepare()

    @classmethod
    def flat(cls, num_states: int, features: np.ndarray) -> Mixtures:
        """All states alike: the mean and variance of ``features`` ``[N, D]``."""
        dim = features.shape[1]
        mean = np.broadcast_to(features.mean(axis=0), (num_states, 1, dim)).astype(np.float32)
        variance = np.broadcast_to(features.var(axis=0), (num_states, 1, dim)).astype(np.float32)
        return cls(mean, np.maximum(variance, VARIANCE_FLOOR), np.zeros((num_states, 1), np.float32))

    @property
    def num_components(self) -> int:
        """Components per state."""
        return self.mean.shape[1]

    def _prepare(self) -> None:
        precision = 1.0 / self.variance
        # log N(x) = [x^2, x] . matrix + constant: one matrix product for all frames and components.
        self._matrix = np.concatenate([-0.5 * precision, self.mean * precision], axis=2).astype(np.float32)
        dim = self.mean.shape[2]
        self._constant = (
            self.log_weight
            - 0.5 * (np.log(self.variance).sum(axis=2) + (self.mean**2 * precision).sum(axis=2))
            - 0.5 * dim * np.log(2 * np.pi)
        ).astype(np.float32)

    def log_likelihood(self, features: np.ndarray, states: np.ndarray | None = None) -> np.ndarray:
        """Log density of every frame in every state.

        Args:
            features: ``[T, D]`` float32.
            states: ``[K']`` the states wanted; all by default.

        Returns:
            ``[T, K']`` float32.
        """
        matrix, constant = self._matrix, self._constant
        if states is not None:
            matrix, constant = matrix[states], constant[states]
        by_component = [
            (np.ascontiguousarray(matrix[:, m].T), constant[:, m]) for m in range(self.num_components)
        ]
        out = np.empty((len(features), len(matrix)), np.float32)
        for start in range(0, len(features), CHUNK):
            some = features[start : start + CHUNK]
            both = np.concatenate([some * some, some], axis=1)
            scores = [both @ weights + bias for weights, bias in by_component]
            out[start : start + CHUNK] = _log_sum_exp(scores)
        return out

    def best_component(self, features: np.ndarray) -> np.ndarray:
        """``[T]``: weighted log density of the best component of any state, for ``[T, D]`` features."""
        matrix = np.ascontiguousarray(self._matrix.reshape(-1, self._matrix.shape[2]).T)
        constant = self._constant.reshape(-1)
        out = np.empty(len(features), np.float32)
        for start in range(0, len(features), CHUNK):
            some = features[start : start + CHUNK]
            scores = np.concatenate([some * some, some], axis=1) @ matrix
            scores += constant
            out[start : start + CHUNK] = scores.max(axis=1)
        return out

    def update(self, features: np.ndarray, states: np.ndarray) -> None:
        """One step of estimation.

        Args:
            features: ``[N, D]`` float32.
            states: ``[N]`` the state of each frame.
        """
        order = np.argsort(states, kind="stable")
        edges = np.searchsorted(states[order], np.arange(len(self.mean) + 1))
        for state in range(len(self.mean)):
            mine = features[order[edges[state] : edges[state + 1]]]
            if len(mine) >= MIN_FRAMES * self.num_components:
                self._update_state(state, mine)
        self._prepare()

    def adapted(self, features: np.ndarray, states: np.ndarray) -> Mixtures:
        """A copy with the means moved towards those of some frames.

        Maximum a posteriori estimation of the means (Gauvain and Lee, Maximum a posteriori estimation for
        multivariate Gaussian mixture observations of Markov chains, 1994), the present means as prior.

        Args:
            features: ``[N, D]`` float32.
            states: ``[N]`` the state of each frame.
        """
        mean = self.mean.copy()
        for state in np.unique(states):
            mine = features[states == state]
            share = self._responsibilities(state, mine)
            mean[state] = (share.T @ mine + PRIOR_FRAMES * mean[state]) / (share.sum(axis=0) + PRIOR_FRAMES)[
                :, None
            ]
        return Mixtures(mean, self.variance, self.log_weight)

    def _responsibilities(self, state: int, frames: np.ndarray) -> np.ndarray:
        """``[N, M]``: the share of each component in each frame."""
        scores = np.concatenate([frames * frames, frames], axis=1) @ self._matrix[state].T
        scores += self._constant[state]
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        return scores / scores.sum(axis=1, keepdims=True)

    def _update_state(self, state: int, frames: np.ndarray) -> None:
        if self.num_components == 1:
            self.mean[state, 0] = frames.mean(axis=0)
            self.variance[state, 0] = np.maximum(frames.var(axis=0), VARIANCE_FLOOR)
            return
        share = self._responsibilities(state, frames)
        count = share.sum(axis=0) + 1e-3
        mean = (share.T @ frames + 1e-3 * self.mean[state]) / count[:, None]
        square = (
            share.T @ (frames * frames) + 1e-3 * (self.variance[state] + self.mean[state] ** 2)
        ) / count[:, None]
        self.mean[state] = mean
        self.variance[state] = np.maximum(square - mean**2, VARIANCE_FLOOR)
        self.log_weight[state] = np.log(count / count.sum())

    def split(self) -> None:
        """Twice the components: each becomes two, a little apart."""
        apart = 0.2 * np.sqrt(self.variance)
        self.mean = np.concatenate([self.mean - apart, self.mean + apart], axis=1)
        self.variance = np.concatenate([self.variance, self.variance], axis=1)
        self.log_weight = np.concatenate([self.log_weight, self.log_weight], axis=1) - np.float32(np.log(2))
        self._prepare()

    def copy_state(self, source: int, target: int) -> None:
        """Make one state sound like another."""
        for values in (self.mean, self.variance, self.log_weight):
            values[target] = values[source]
        self._prepare()


def _log_sum_exp(arrays: list[np.ndarray]) -> np.ndarray:
    """Logarithm of the sum of the exponentials of equally shaped arrays; overwrites them."""
    if len(arrays) == 1:
        return arrays[0]
    best = functools.reduce(np.maximum, arrays)
    total = np.zeros_like(best)
    for array in arrays:
        array -= best
        total += np.exp(array, out=array)
    return best + np.log(total, out=total)
