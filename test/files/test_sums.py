"""Digests of a directory's files, which sha256sum understands."""

import subprocess
from pathlib import Path

import pytest

from ctap.errors import UserError
from ctap.files.sums import SUMS, check_sums, write_sums


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "weights.pt").write_bytes(bytes(range(200)))
    (tmp_path / "model.yaml").write_text("format: 1\n")
    write_sums(tmp_path)
    return tmp_path


def test_sha256sum_agrees_and_a_file_may_be_added(folder: Path) -> None:
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", SUMS], cwd=folder, check=True)
    (folder / "prompt.wav").write_bytes(b"")
    check_sums(folder)


@pytest.mark.parametrize("name", ["weights.pt", "model.yaml", SUMS])
def test_every_flipped_bit_is_noticed(folder: Path, name: str) -> None:
    whole = (folder / name).read_bytes()
    for at in range(len(whole)):
        (folder / name).write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
        with pytest.raises(UserError, match="again"):
            check_sums(folder)


@pytest.mark.parametrize("name", ["weights.pt", SUMS])
def test_every_cut_is_noticed(folder: Path, name: str) -> None:
    whole = (folder / name).read_bytes()
    for size in range(len(whole)):
        (folder / name).write_bytes(whole[:size])
        with pytest.raises(UserError):
            check_sums(folder)
