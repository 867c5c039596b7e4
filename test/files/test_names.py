"""Names that become files: what is allowed can be written, what is not is refused with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ctap.errors import UserError
from ctap.files.atomic import atomic_write
from ctap.files.names import MOST_BYTES, check_name, name_fault
from ctap.files.tables import read_table, write_table

BAD = [
    "",
    ".",
    "..",
    "/",
    "a/b",
    "../a",
    "a\0b",
    "a\nb",
    "a\tb",
    "a b",
    "a\x7f",
    "a\x85",
    "a\u2028",
    "a\ud800",
]
LONG = ["a" * 121, "字" * 41, "𠀀" * 31]
FINE = ["a", "...", ".a", "-rf", "*", "~", "$HOME", "a|b", "字" * 40, "a" * MOST_BYTES, "SSB00050001", "a\\b"]


@pytest.mark.parametrize("name", [*BAD, *LONG])
def test_refused(name: str) -> None:
    assert name_fault(name)
    with pytest.raises(UserError, match=r"list:3: .*another name"):
        check_name(name, "list:3")


@pytest.mark.parametrize("name", FINE)
def test_allowed(name: str) -> None:
    assert check_name(name, "list:3") == name


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=130))
@example("a" * MOST_BYTES)
@example("..")
def test_whatever_is_allowed_names_a_file_in_its_directory(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    if name_fault(name):
        return
    folder = tmp_path_factory.mktemp("names")
    path = folder / f"{name}.TextGrid"
    with atomic_write(path) as file:  # its temporary name is the longest that there is
        file.write("x")
    assert [entry.name for entry in folder.iterdir()] == [f"{name}.TextGrid"]
    (folder / f"target_{name}_labeled").mkdir()
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize("name", ["../../escape", "/etc/x", "..", "a\0b", "a\x1b[2J", "x" * 300])
def test_a_table_with_such_a_key_is_refused_with_file_and_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "text").write_text(f"fine x\n{name} y\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"text:2: .*give it another name") as raised:
        read_table(tmp_path / "text")
    assert len(str(raised.value).splitlines()) == 1 and str(raised.value).isprintable()
    with pytest.raises(UserError, match="can't be a key"):
        write_table(tmp_path / "out", {name: "y"})
    assert not (tmp_path / "out").exists()
