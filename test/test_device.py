"""Devices by their names."""

from __future__ import annotations

import pytest
import torch

from ctap.device import choose_device
from ctap.errors import UserError


def test_a_device_that_is_not_there_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == choose_device("cpu") == "cpu"
    with pytest.raises(UserError, match="device cuda: PyTorch finds 0 GPUs here; give cpu or auto"):
        choose_device("cuda")
    for other in ("gpu", "mps", "xpu", "meta", None):
        with pytest.raises(UserError, match=f"device {other!r}: expected cpu, cuda"):
            choose_device(other)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert choose_device("cuda:1") == "cuda:1" and choose_device("auto") == "cuda"
    with pytest.raises(UserError, match="device cuda:2: PyTorch finds 2 GPUs"):
        choose_device("cuda:2")
