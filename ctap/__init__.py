"""CTAP: contrastive token-acoustic pretraining for TTS, voice conversion and ASR."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ctap.errors import UserError
    from ctap.models.inference import load
    from ctap.tasks.sources import Sources
    from ctap.training import train

__version__ = "0.1.0"
__all__ = ["Sources", "UserError", "__version__", "load", "train"]

_PLACES = {
    "Sources": "ctap.tasks.sources",
    "UserError": "ctap.errors",
    "load": "ctap.models.inference",
    "train": "ctap.training",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for on first use, as :func:`ctap.load`: data tools need not import torch."""
    if name in _PLACES:
        return getattr(importlib.import_module(_PLACES[name]), name)
    raise AttributeError(f"module 'ctap' has no attribute {name!r}")


def __dir__() -> list[str]:
    """What is imported on first use is there, too."""
    return sorted({*globals(), *__all__})
