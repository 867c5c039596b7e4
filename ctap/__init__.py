"""CTAP: contrastive token-acoustic pretraining for TTS, voice conversion and ASR."""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"
__all__ = ["__version__", "load", "train"]


def __getattr__(name: str) -> Any:
    """Import :func:`ctap.load` and :func:`ctap.train` on first use: data tools need not import torch."""
    if name == "load":
        from ctap.models.inference import load

        return load
    if name == "train":
        from ctap.training import train

        return train
    raise AttributeError(f"module 'ctap' has no attribute {name!r}")
