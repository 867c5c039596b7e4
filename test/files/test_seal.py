"""Sealed zips: the bytes that were written, or refused."""

from pathlib import Path

import pytest
import torch

from ctap.errors import UserError
from ctap.files.atomic import atomic_write
from ctap.files.seal import check_seal
from ctap.tasks.checkpoints import WholeCheckpoints, read_checkpoint


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "last.ckpt"
    WholeCheckpoints().save_checkpoint({"state_dict": {"w": torch.arange(24.0)}, "step": 3}, path)
    return path


def test_what_was_written_is_read(checkpoint: Path) -> None:
    found = read_checkpoint(checkpoint)
    assert found["step"] == 3 and torch.equal(found["state_dict"]["w"], torch.arange(24.0))


def test_one_that_was_never_sealed_passes(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "a", "wb") as file:
        torch.save({"step": 3}, file)
    assert read_checkpoint(tmp_path / "a") == {"step": 3}


def test_every_flipped_bit_is_noticed(checkpoint: Path) -> None:
    whole = checkpoint.read_bytes()
    for at in range(len(whole)):
        checkpoint.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
        with pytest.raises(UserError, match=r"last\.ckpt: is damaged"):
            check_seal(checkpoint)


@pytest.mark.parametrize("sixteenth", range(16))
def test_a_cut_one_is_named_with_what_to_do(checkpoint: Path, sixteenth: int) -> None:
    whole = checkpoint.read_bytes()
    checkpoint.write_bytes(whole[: len(whole) * sixteenth // 16])
    with pytest.raises(UserError, match=r"last\.ckpt: is damaged.*--restart true"):
        read_checkpoint(checkpoint)
