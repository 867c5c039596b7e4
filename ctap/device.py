"""Which device a name stands for."""

from __future__ import annotations


def choose_device(name: str) -> str:
    """``name`` as torch knows it; ``auto`` is a GPU where there is one, else the processor."""
    if name != "auto":
        return name
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
