"""Statistics of features, against numpy on all frames at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ctap.errors import UserError
from ctap.files.atomic import write_json
from ctap.kaldi.statistics import mel_stats, read_stats


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


def test_what_was_written_is_read(tmp_path: Path) -> None:
    stats = mel_stats([np.random.default_rng(0).normal(size=(9, 3))])
    write_json(tmp_path / "stats.json", stats)
    assert read_stats(tmp_path) == read_stats(tmp_path, 3) == stats


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "can't read it: No such file"),
        ("", "is damaged"),
        ('{"mean": [0.1', "is damaged"),
        ("[]", "is damaged"),
        ('{"mean": [0, 0, 0]}', "is damaged"),
        ('{"mean": [0, 0, null], "std": [1, 1, 1]}', "is damaged"),
        ('{"mean": [0, 0, NaN], "std": [1, 1, 1]}', "expected 3 means"),
        ('{"mean": [0, 0, 0], "std": [1, 1]}', "expected 3 means"),
        ('{"mean": [0, 0], "std": [1, 1]}', "expected 3 means"),
    ],
)
def test_damaged_or_foreign_statistics_are_named(tmp_path: Path, text: str | None, said: str) -> None:
    if text is not None:
        (tmp_path / "stats.json").write_text(text)
    with pytest.raises(UserError, match=rf"stats\.json: {said}"):
        read_stats(tmp_path, 3)
