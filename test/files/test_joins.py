"""Tables that are walked side by side give what they give when they are held in memory."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctap.errors import UserError
from ctap.files import joins
from ctap.files.joins import (
    joined,
    numbered_values,
    rises,
    rising_names,
    rising_rows,
    side_by_side,
    sorted_names,
    values_of,
)
from ctap.files.tables import read_table, write_table

NAMES = st.lists(st.text("ab北é0", min_size=1, max_size=4), unique=True, max_size=30)


def write(path: Path, keys: list[str]) -> None:
    path.write_text("".join(f"{key} value of {key}\n" for key in keys), encoding="utf-8")


@given(NAMES, NAMES)
def test_a_table_is_read_beside_names(tmp_path_factory: pytest.TempPathFactory, names, keys) -> None:
    path = tmp_path_factory.mktemp("table") / "t"
    rows = {key: f"value of {key}" for key in keys}
    for written in (rows, dict(sorted(rows.items()))):
        path.write_text("".join(f"{key} {value}\n" for key, value in written.items()), encoding="utf-8")
        assert list(sorted_names(path)) == sorted(keys)
        assert dict(values_of(sorted(names), path)) == {name: rows.get(name) for name in names}


def test_faults_are_those_of_the_whole_table(tmp_path: Path) -> None:
    write_table(tmp_path / "t", {"a": "1", "b": "2"})
    (tmp_path / "t").write_text((tmp_path / "t").read_text() + "a 3\n")
    with pytest.raises(UserError) as whole:
        read_table(tmp_path / "t")
    with pytest.raises(UserError, match=str(whole.value)):
        list(values_of(["a", "b", "c"], tmp_path / "t"))


@given(NAMES.map(sorted), NAMES)
def test_a_sorted_table_is_never_held(tmp_path_factory: pytest.TempPathFactory, keys, names) -> None:
    path = tmp_path_factory.mktemp("table") / "t"
    write(path, keys)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(joins, "read_table", None)
        wanted = {name: f"value of {name}" if name in keys else None for name in names}
        assert dict(values_of(sorted(names), path)) == wanted
        assert [key for key, _ in rising_rows(path)] == keys
        patch.setattr(joins, "sorted_names", None)
        assert list(rising_names(path)) == keys


@given(NAMES)
def test_rows_come_in_the_order_of_their_keys(tmp_path_factory: pytest.TempPathFactory, keys) -> None:
    path = tmp_path_factory.mktemp("table") / "t"
    write(path, keys)
    assert list(rising_rows(path)) == [(key, f"value of {key}") for key in sorted(keys)]
    assert list(rising_names(path)) == sorted(keys)
    assert rises(path) is (keys == sorted(keys))


@given(st.lists(NAMES, max_size=4))
def test_tables_are_joined(tmp_path_factory: pytest.TempPathFactory, tables) -> None:
    root = tmp_path_factory.mktemp("tables")
    paths = [root / str(number) for number in range(len(tables))]
    for path, keys in zip(paths, tables, strict=True):
        write(path, keys)
    wanted = [
        (key, [f"value of {key}" if key in keys else None for keys in tables])
        for key in sorted({key for keys in tables for key in keys})
    ]
    assert list(joined(*paths)) == wanted


@pytest.mark.parametrize("content", ["a 1\nb 2\na 3\n", "a 1\na 2\n", "b 1\na 2\nb 3\n", "a 1\nb\n"])
def test_faults_are_named_before_the_first_row(tmp_path: Path, content: str) -> None:
    (tmp_path / "t").write_text(content)
    with pytest.raises(UserError) as whole:
        read_table(tmp_path / "t")
    with pytest.raises(UserError) as caught:
        rising_rows(tmp_path / "t")
    assert str(caught.value) == str(whole.value)


def test_values_are_numbered_and_names_without_one_are_told(tmp_path: Path) -> None:
    write_table(tmp_path / "t", {"a": "x", "b": "y", "d": "x"})
    values, numbers, lacking = numbered_values(["a", "b", "c", "d"], tmp_path / "t")
    assert [values[number] for number in numbers] == ["x", "y", "", "x"] and lacking == ["c"]


@given(st.lists(st.lists(st.text("abc", max_size=2), unique=True).map(sorted), max_size=4))
def test_columns_are_walked_side_by_side(columns: list[list[str]]) -> None:
    wanted = [(name, [name in column for column in columns]) for name in sorted(set().union(*columns))]
    assert list(side_by_side(*columns)) == wanted
