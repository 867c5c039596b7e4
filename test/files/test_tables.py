"""Tables as Kaldi writes them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctap.errors import UserError
from ctap.files.names import name_fault
from ctap.files.tables import read_table, table_writer, write_table

KEYS = st.text(st.characters(exclude_categories=("Cs", "Zs", "Zl", "Zp", "Cc")), min_size=1).filter(
    lambda key: not name_fault(key)
)
VALUES = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\r\n"), min_size=1)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(KEYS.filter(lambda k: not k.startswith("\ufeff")), VALUES, max_size=6))
def test_table_survives_a_round_trip(tmp_path_factory: pytest.TempPathFactory, rows: dict[str, str]) -> None:
    rows = {key: value for key, value in rows.items() if value.strip(" \t")}
    path = tmp_path_factory.mktemp("io") / "table"
    write_table(path, rows)
    assert read_table(path) == {key: value.strip(" \t") for key, value in rows.items()}


def test_written_order_is_that_of_sort(tmp_path: Path) -> None:
    rows = dict.fromkeys(("b", "B", "_", "é", "字", "a-1", "a1", "𠀀", "Ａ"), "x")
    write_table(tmp_path / "table", rows)
    expected = subprocess.run(
        ["sort", "-k1,1"],
        input="".join(f"{key} x\n" for key in rows).encode(),
        env={**os.environ, "LC_ALL": "C"},
        capture_output=True,
        check=True,
    ).stdout
    assert (tmp_path / "table").read_bytes() == expected


def test_values_are_joined_with_single_spaces(tmp_path: Path) -> None:
    write_table(tmp_path / "t", {"a": [1, 2], "b": np.array([3, 4]), "c": 0.5, "d": " 你 好 "})
    assert (tmp_path / "t").read_text() == "a 1 2\nb 3 4\nc 0.5\nd 你 好\n"


@pytest.mark.parametrize(
    ("content", "line", "word"),
    [
        (b"a x\nb y\na z\n", 3, "second time"),
        (b"a x\r\nb y\r\n", 1, "carriage return"),
        (b"\xef\xbb\xbfa x\n", 1, "BOM"),
        (b"a x\nb \xc4\xe3\xba\xc3\n", 2, "UTF-8"),
        (b"a x\nb\n", 2, "no value"),
        (b"a x\nb \t\n", 2, "no value"),
        (b"a x\n\nb y\n", 2, "empty line"),
        (b"a x\n b y\n", 2, "blank before the key"),
    ],
)
def test_bad_line_is_refused_with_its_place(tmp_path: Path, content: bytes, line: int, word: str) -> None:
    path = tmp_path / "text"
    path.write_bytes(content)
    with pytest.raises(UserError, match=f"text:{line}: .*{word}"):
        read_table(path)


def test_the_command_that_mends_data_directories_is_named_for_these_alone(tmp_path: Path) -> None:
    (tmp_path / "map").write_text("a\n")
    with pytest.raises(UserError, match=r"has no value; correct the file$"):
        read_table(tmp_path / "map")
    (tmp_path / "utt2spk").touch()
    with pytest.raises(UserError, match="correct it with `ctap data fix"):
        read_table(tmp_path / "map")


def test_bare_keys_when_asked(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("b\na x\n")
    assert list(read_table(tmp_path / "t", values=False).items()) == [("b", ""), ("a", "x")]


def test_missing_table_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"wav\.scp"):
        read_table(tmp_path / "wav.scp")


@pytest.mark.parametrize("rows", [{"a b": "x"}, {"": "x"}, {"a": ""}, {"a": "x\ny"}, {"a": []}])
def test_unreadable_rows_are_not_written(tmp_path: Path, rows: dict) -> None:
    with pytest.raises(UserError):
        write_table(tmp_path / "t", rows)
    assert not list(tmp_path.iterdir())


def test_importing_costs_no_torch() -> None:
    code = "import sys, ctap.files.tables, ctap.kaldi.datadir, ctap.kaldi.fix; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


def test_rows_are_written_one_by_one_whole_or_not_at_all(tmp_path):
    with table_writer(tmp_path / "t") as write:
        write("a", [1, 2])
        write("b", " x ")
        assert not (tmp_path / "t").exists()
    assert (tmp_path / "t").read_text() == "a 1 2\nb x\n"
    for key in ("a", "b"):
        told = pytest.raises(ValueError, match=f"'{key}' is written after 'b'")
        with told, table_writer(tmp_path / "t") as write:
            write("b", "new")
            write(key, "new")
        assert (tmp_path / "t").read_text() == "a 1 2\nb x\n"
