"""Joining what the jobs of an aligner found."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from ctap.align.jobs import combine
from ctap.audio.settings import AudioSettings
from ctap.errors import UserError
from ctap.files import figures
from ctap.files.tables import read_table


def jobs_of(folder: Path, rows: list[dict[str, Any]], jobs: int = 1) -> Path:
    """A data directory of these rows, of which ``jobs`` have had their share."""
    folder.mkdir()
    names = sorted({row["utterance"] for row in rows})
    for table in ("wav.scp", "phones"):
        (folder / table).write_text("".join(f"{name} a1\n" for name in names))
    for job in range(1, jobs + 1):
        AudioSettings().save(folder / f"audio.{job}of{jobs}.json")
        mine = rows[len(rows) * (job - 1) // jobs : len(rows) * job // jobs]
        lines = "".join(json.dumps(row) + "\n" for row in mine)
        (folder / f"align.{job}of{jobs}.jsonl").write_text(lines)
    return folder


def found(number: int) -> dict[str, Any]:
    return {
        "utterance": f"S{number // 100:03d}-{number % 100:02d}",
        "phones": ["sil", "a1", "sil"],
        "durations": [10, 5 + number % 7, 10],
        "confidence": [-0.1, -0.01 * (number % 50), -0.1],
        "score": -0.5,
    }


def test_failures_stand_at_the_end_of_each_job(tmp_path: Path) -> None:
    failed = [{"utterance": f"S000-{number:02d}", "failed": "too short"} for number in (1, 5)]
    rows = [found(0), found(2), failed[0], found(3), found(4), failed[1]]
    data = jobs_of(tmp_path / "data", rows, 2)
    assert combine(data, data, 2)[0].startswith(f"{data}: 4 utterances aligned, 2 left out")
    assert list(read_table(data / "durations")) == ["S000-00", "S000-02", "S000-03", "S000-04"]
    assert read_table(data / "align_failed") == {"S000-01": "too short", "S000-05": "too short"}


def test_results_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    data = jobs_of(tmp_path / "data", [found(number) for number in range(4)], 2)
    before = (data / "wav.scp").read_text()
    (data / "wav.scp").write_text(before + "S000-04 new.wav\n")
    with pytest.raises(UserError, match=r"do not fit .*, e\.g\. 'S000-04' \(1 in all\); .*align again"):
        combine(data, data, 2)
    (data / "wav.scp").write_text(before)
    jobs = [data / f"align.{job}of2.jsonl" for job in (1, 2)]
    lines = [path.read_text() for path in jobs]
    jobs[1].write_text(lines[1] + json.dumps({"utterance": "S9", "failed": "why"}) + "\n")
    with pytest.raises(UserError, match=r"do not fit .*'S9' \(1 in all\)"):
        combine(data, data, 2)
    for written in (lines[0], lines[0] + lines[0]):
        jobs[1].write_text(written)
        with pytest.raises(UserError, match="not in the order of the utterances: align again"):
            combine(data, data, 2)
    nothing = [{"utterance": "S1", "failed": "why"}]
    with pytest.raises(UserError, match="no utterance could be aligned; the first reason: S1: why"):
        combine(tmp_path / "none", jobs_of(tmp_path / "none", nothing), 1)


def test_memory_does_not_grow_with_the_utterances(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "_BLOCK", 1024)  # or all of the numbers would be one
    peaks = []
    for count in (100, 1000, 4000):  # the first imports what is needed
        data = jobs_of(tmp_path / str(count), [found(number) for number in range(count)])
        tracemalloc.start()
        combine(data, data, 1)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] - peaks[1] < 3000 * 10
