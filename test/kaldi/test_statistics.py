"""Statistics of features, against numpy on all frames at once."""

from __future__ import annotations

import numpy as np
import pytest

from ctap.errors import UserError
from ctap.kaldi.statistics import mel_stats


def test_stats_of_many_are_those_of_all_at_once() -> None:
    rng = np.random.default_rng(0)
    matrices = [rng.normal(5.0, 1e-3, (n, 3)).astype(np.float32) + 1000 for n in (1, 7, 400)]
    stats = mel_stats(matrices, floor=0.0)
    joined = np.concatenate(matrices).astype(np.float64)
    np.testing.assert_allclose(stats["mean"], joined.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(stats["std"], joined.std(axis=0), rtol=1e-6)
    assert mel_stats([np.zeros((4, 2))])["std"] == [0.05, 0.05]
    with pytest.raises(UserError, match="no frames"):
        mel_stats([])
