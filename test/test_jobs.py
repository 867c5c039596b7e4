"""Jobs of a stage share its work: everything once, neighbours together."""

from __future__ import annotations

import pytest

from ctap.errors import UserError
from ctap.jobs import share, share_lines, share_table


@pytest.mark.parametrize(("count", "jobs"), [(7, 3), (2, 3), (0, 2), (9, 1), (100, 7)])
def test_every_item_goes_to_one_job_and_neighbours_stay_together(count: int, jobs: int) -> None:
    parts = [share(range(count), job, jobs) for job in range(1, jobs + 1)]
    assert [item for part in parts for item in part] == list(range(count))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_rows_are_shared_in_the_order_of_their_keys() -> None:
    rows = {"b": {1}, "a": {2}, "c": {3}}  # values that have no order
    assert [share_table(rows, job, 2) for job in (1, 2)] == [{"a": {2}}, {"b": {1}, "c": {3}}]


@pytest.mark.parametrize("job", [0, 4])
def test_a_job_that_is_not_there_is_refused(job: int) -> None:
    with pytest.raises(UserError, match=rf"--job {job}: expected 1 to 3 \(--num_jobs\)"):
        share([], job, 3)


@pytest.mark.parametrize("end", ["\n", ""])
def test_lines_of_a_table_are_shared_as_its_rows(tmp_path, end) -> None:
    rows = {f"u{number:02d}": f"value {number}" for number in range(11)}
    (tmp_path / "t").write_text("\n".join(f"{key} {value}" for key, value in rows.items()) + end)
    for jobs in (1, 3, 11, 20):
        for job in range(1, jobs + 1):
            assert share_lines(tmp_path / "t", job, jobs) == dict(share(rows.items(), job, jobs))
    with pytest.raises(UserError, match="expected 1 to 3"):
        share_lines(tmp_path / "t", 4, 3)


def test_a_fault_in_a_share_is_named_by_its_line(tmp_path) -> None:
    (tmp_path / "t").write_text("a 1\nb 2\nc\nd 4\n")
    assert share_lines(tmp_path / "t", 1, 2) == {"a": "1", "b": "2"}
    with pytest.raises(UserError, match="t:3: 'c' has no value"):
        share_lines(tmp_path / "t", 2, 2)
