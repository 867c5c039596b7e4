from __future__ import annotations

import numpy as np
import pytest
import torch

from ctap.errors import UserError
from ctap.upstream.kmeans import KMeans, train_kmeans

pytest.importorskip("sklearn")


def clouds(count: int = 4, each: int = 100) -> tuple[np.ndarray, np.ndarray]:
    """Frames in well-separated clouds, and the clouds' centres."""
    rng = np.random.default_rng(0)
    centres = 10 * rng.normal(size=(count, 5))
    frames = np.concatenate([centre + 0.1 * rng.normal(size=(each, 5)) for centre in centres])
    return frames.astype(np.float32), centres


def test_clouds_are_found():
    frames, centres = clouds()
    found, loss = train_kmeans(frames, 4, seed=1)
    distance = np.linalg.norm(found.centroids[:, None] - centres[None], axis=-1)
    assert sorted(distance.argmin(1)) == [0, 1, 2, 3] and distance.min(1).max() < 0.1
    within = frames.astype(np.float64).reshape(4, 100, 5).var(axis=1).sum(-1).mean()
    assert loss == pytest.approx(within / frames.var(axis=0, dtype=np.float64).sum(), rel=0.05)


def test_the_seed_decides():
    frames = np.random.default_rng(0).normal(size=(500, 4))
    first, second, third = (train_kmeans(frames, 8, seed=seed)[0].centroids for seed in (3, 3, 4))
    assert (first == second).all() and (first != third).any()


def test_frames_go_to_the_nearest():
    rng = np.random.default_rng(0)
    kmeans = KMeans(rng.normal(size=(20, 6)) + 30)  # far from the origin, where differences are small
    frames = torch.from_numpy(rng.normal(size=(300, 6)) + 30).float()
    direct = torch.cdist(frames.double(), torch.from_numpy(kmeans.centroids).double()).argmin(1)
    assert (kmeans.assign(frames) == direct).float().mean() > 0.98
    assert (kmeans.replace(frames) == torch.from_numpy(kmeans.centroids)[kmeans.assign(frames)]).all()


def test_too_few_or_equal_frames_are_refused():
    with pytest.raises(UserError, match="5 clusters of 4 frames"):
        train_kmeans(np.zeros((4, 2)), 5)
    with pytest.raises(UserError, match="all frames are the same"):
        train_kmeans(np.ones((40, 2)), 2)


def test_a_file_holds_no_pickle_and_a_pickle_is_not_read(tmp_path):
    path = tmp_path / "kmeans.npz"
    made = KMeans(np.eye(3), {"layer": 9, "weights": "ab", "model": "名"})
    made.save(path)
    found = KMeans.load(path)
    assert (found.centroids == np.eye(3)).all() and found.made == made.made and found.digest == made.digest
    np.savez(path, centroids=np.array([{"a": 1}], dtype=object), made=np.array("{}"))
    with pytest.raises(UserError, match="not centroids"):
        KMeans.load(path)


@pytest.mark.parametrize("content", [b"", b"PK\3\4 cut off", b"text", b"\x93NUMPY"])
def test_damaged_files_are_named(tmp_path, content):
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(UserError, match=r"x\.npz: not centroids"):
        KMeans.load(tmp_path / "x.npz")


def test_centroids_of_another_layer_are_refused():
    kmeans = KMeans(np.eye(2), {"layer": 9, "weights": "ab"})
    kmeans.require_made_of({"layer": 9, "weights": "ab"}, "here")
    with pytest.raises(UserError, match="here: centroids of other frames: layer is 9, expected 6"):
        kmeans.require_made_of({"layer": 6, "weights": "ab"}, "here")
