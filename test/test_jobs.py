"""Jobs of a stage share its work: everything once, neighbours together."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctap.errors import UserError
from ctap.jobs import Share


@pytest.mark.parametrize(("count", "jobs"), [(7, 3), (2, 3), (0, 2), (9, 1), (100, 7)])
def test_every_item_goes_to_one_job_and_neighbours_stay_together(count: int, jobs: int) -> None:
    parts = [Share(job, jobs).of(range(count)) for job in range(1, jobs + 1)]
    assert [item for part in parts for item in part] == list(range(count))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_rows_are_shared_in_the_order_of_their_keys() -> None:
    rows = {"b": {1}, "a": {2}, "c": {3}}  # values that have no order
    assert [Share(job, 2).of_table(rows) for job in (1, 2)] == [{"a": {2}}, {"b": {1}, "c": {3}}]


@pytest.mark.parametrize("job", [0, 4])
def test_a_job_that_is_not_there_is_refused(job: int) -> None:
    with pytest.raises(UserError, match=rf"--job {job}: expected 1 to 3 \(--num_jobs\)"):
        Share(job, 3)


@pytest.mark.parametrize("end", ["\n", ""])
def test_lines_of_a_table_are_shared_as_its_rows(tmp_path: Path, end: str) -> None:
    rows = {f"u{number:02d}": f"value {number}" for number in range(11)}
    (tmp_path / "t").write_text("\n".join(f"{key} {value}" for key, value in rows.items()) + end)
    for jobs in (1, 3, 11, 20):
        for share in (Share(job, jobs) for job in range(1, jobs + 1)):
            assert share.of_lines(tmp_path / "t") == dict(share.of(rows.items()))


def test_a_fault_in_a_share_is_named_by_its_line(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("a 1\nb 2\nc\nd 4\n")
    assert Share(1, 2).of_lines(tmp_path / "t") == {"a": "1", "b": "2"}
    with pytest.raises(UserError, match="t:3: 'c' has no value"):
        Share(2, 2).of_lines(tmp_path / "t")
