"""Columns hold what dicts and lists of the same tables hold."""

import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctap.errors import UserError
from ctap.files import columns
from ctap.files.columns import Names, Ragged, Rows, numbered, places_of

NAMES = st.lists(st.text("ab北é0", min_size=1, max_size=4), unique=True, max_size=30)


@given(NAMES)
def test_names_are_found_in_any_order(names: list[str]) -> None:
    column = Names(names, "here")
    assert list(column) == names and [column[i] for i in range(len(names))] == names
    assert [column.find(name) for name in names] == list(range(len(names)))
    assert "zz" not in column and 3 not in column


@pytest.mark.parametrize("names", [["a", "b", "b"], ["b", "a", "b"]])
def test_a_name_that_comes_twice_is_refused(names: list[str]) -> None:
    with pytest.raises(UserError, match=r"here: .*a second time"):
        Names(names, "here")


@given(st.lists(st.lists(st.integers(-3, 70_000), max_size=5), max_size=20))
def test_rows_come_back_as_they_were(rows: list[list[int]]) -> None:
    ragged = Ragged.of(rows)
    assert [row.tolist() for row in ragged] == rows
    assert ragged.sizes.tolist() == [len(row) for row in rows]
    assert ragged.sums().tolist() == [sum(row) for row in rows]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "_BLOCK", 2)
        assert ragged.sums().tolist() == [sum(row) for row in rows]


@given(st.lists(st.lists(st.integers(0, 70_000), max_size=5), max_size=20))
def test_numbers_are_counted(rows: list[list[int]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "_BLOCK", 3)
        counts = Ragged.of(rows).counts()
    wanted = Counter(itertools.chain(*rows))
    assert {number: count for number, count in enumerate(counts.tolist()) if count} == wanted


def test_numbers_may_stand_for_others() -> None:
    ragged = Ragged(np.array([1, 0, 1], np.uint8), np.array([0, 2, 2, 3], np.uint8), np.array([-7, 300]))
    assert [row.tolist() for row in ragged] == [[300, -7], [], [300]]


@given(NAMES.map(sorted))
def test_names_come_back_from_their_arrays(names: list[str]) -> None:
    column = Names(names, "here")
    again = Names.of(np.array(column.text), column.bounds.astype(np.uint8))
    assert list(again) == names and [again.find(name) for name in names] == list(range(len(names)))
    assert "zz" not in again and again[1:] == names[1:]


@pytest.mark.parametrize(
    ("rows", "dtype"),
    [
        ([[1, 2], [255]], np.uint8),
        ([[1, 2], [7, 65_535]], np.uint16),
        ([[1, 2], [256], [65_536, 3]], np.int64),
        ([[1, 2], [7, -1]], np.int64),
    ],
)
def test_small_numbers_take_one_byte_or_two(rows: list[list[int]], dtype: type) -> None:
    ragged = Ragged.of(rows)
    assert ragged.values.dtype == dtype and [row.tolist() for row in ragged] == rows
    with pytest.raises(OverflowError):
        Ragged.of([*rows, [2**63]])


@given(NAMES)
def test_rows_are_read_from_the_file_when_asked_for(tmp_path_factory: pytest.TempPathFactory, keys) -> None:
    path = tmp_path_factory.mktemp("table") / "t"
    rows = {key: f"value\u2028 of {key}" for key in keys}
    for written in (rows, dict(sorted(rows.items()))):
        path.write_text("".join(f"{key}\t{value} \n" for key, value in written.items()), encoding="utf-8")
        found = Rows(path)
        path.unlink()  # what was opened is read on, whatever is done to the name
        assert list(found) == list(written) and dict(found) == written and len(found) == len(written)
        assert "zz" not in found and found.get("zz") is None


def test_a_faulty_line_is_named_before_any_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("a 1\nb\n")
    with pytest.raises(UserError, match=r"t:2: 'b' has no value"):
        Rows(tmp_path / "t")
    with pytest.raises(UserError, match="cannot be read"):
        Rows(tmp_path / "none")


@given(st.lists(st.text("abc", max_size=2), min_size=1))
def test_values_are_numbered_in_their_order(values: list[str]) -> None:
    different, numbers = numbered(values)
    assert different == sorted(set(values)) and [different[i] for i in numbers] == values
    wanted = [[i for i, value in enumerate(values) if value == name] for name in different]
    assert [places.tolist() for places in places_of(numbers)] == wanted
