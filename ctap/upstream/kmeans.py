"""K-means centroids: training on sampled frames, a file without pickle, and replacing frames by them."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ctap.errors import UserError
from ctap.files.atomic import atomic_write
from ctap.upstream.pretrained import INSTALL, UnavailableError


@dataclass
class KMeans:
    """Centroids in a model's space.

    Attributes:
        centroids: ``[K, D]`` float32.
        made: What they were made of and how: the representation they cluster, frames, seed.
    """

    centroids: np.ndarray
    made: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.centroids = np.ascontiguousarray(self.centroids, dtype=np.float32)
        if self.centroids.ndim != 2 or 0 in self.centroids.shape or not np.isfinite(self.centroids).all():
            raise ValueError(f"centroids must be finite [K, D], not {list(self.centroids.shape)}")
        self._table = torch.from_numpy(self.centroids)

    @property
    def digest(self) -> str:
        """Of the centroids."""
        return hashlib.sha256(self.centroids.tobytes()).hexdigest()[:16]

    def assign(self, frames: Tensor) -> Tensor:
        """The nearest centroid of each frame ``[n, D]``: ``[n]`` int64."""
        table = self._table = self._table.to(frames.device)
        # |x|^2 is the same for all centroids and left out; what remains needs no [n, K, D].
        return (table.square().sum(1) - 2 * frames.float() @ table.T).argmin(1)

    def replace(self, frames: Tensor) -> Tensor:
        """Each frame ``[n, D]`` replaced by its nearest centroid."""
        return self._table.to(frames.device)[self.assign(frames)]

    def save(self, path: str | Path) -> None:
        """Write a .npz without any pickled object, whole or not at all."""
        with atomic_write(path, "wb") as file:
            np.savez(file, centroids=self.centroids, made=np.array(json.dumps(self.made)))

    @classmethod
    def load(cls, path: str | Path) -> KMeans:
        """Read what :meth:`save` wrote; pickled objects are refused.

        Raises:
            UserError: The file is missing, damaged or something else.
        """
        try:
            with np.load(path, allow_pickle=False) as data:
                return cls(data["centroids"], json.loads(str(data["made"])))
        except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
            raise UserError(f"{path}: not centroids as ctap.bin.train_kmeans writes them: {error}") from None

    def require_made_of(self, made: Mapping[str, Any], where: str) -> None:
        """Check that the centroids lie in the space that ``made`` describes.

        Raises:
            UserError: They were trained on other frames: another model, another layer.
        """
        different = [
            f"{key} is {self.made.get(key)!r}, expected {value!r}"
            for key, value in made.items()
            if self.made.get(key) != value
        ]
        if different:
            raise UserError(
                f"{where}: centroids of other frames: {'; '.join(different)}. "
                "Train them again for this model: python -m ctap.bin.train_kmeans"
            )


def train_kmeans(frames: np.ndarray, clusters: int, *, seed: int = 0) -> tuple[KMeans, float]:
    """Cluster frames by scikit-learn's mini-batch k-means, started by k-means++.

    Args:
        frames: ``[n, D]``.
        clusters: How many centroids.
        seed: Decides the start and the batches.

    Returns:
        The centroids, and the mean squared distance of the frames to theirs over the frames' variance:
        0 would be without loss, 1 no better than one centroid.

    Raises:
        UnavailableError: scikit-learn is not installed.
        UserError: Fewer frames than clusters, or all the same.
    """
    try:
        from sklearn.cluster import MiniBatchKMeans
    except ImportError as error:
        raise UnavailableError(f"scikit-learn cannot be imported ({error}): {INSTALL}") from None
    frames = np.ascontiguousarray(frames, dtype=np.float32)
    if len(frames) < clusters:
        raise UserError(f"{clusters} clusters of {len(frames)} frames: give more speech or fewer clusters")
    model = MiniBatchKMeans(
        clusters,
        init="k-means++",
        batch_size=min(10_000, len(frames)),
        max_iter=100,
        max_no_improvement=100,
        n_init=5,
        reassignment_ratio=0.0,  # moving small clusters about makes the end depend on the last batches
        random_state=seed,
    ).fit(frames)
    found = KMeans(model.cluster_centers_)
    held = torch.from_numpy(frames)
    loss = float((held - found.replace(held)).square().sum(1).mean())
    spread = float(frames.var(axis=0, dtype=np.float64).sum())
    if spread == 0:
        raise UserError("all frames are the same: nothing to cluster")
    return found, loss / spread
