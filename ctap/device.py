"""Which device a name stands for."""

from __future__ import annotations

from ctap.errors import UserError


def choose_device(name: str) -> str:
    """``name`` as torch knows it; ``auto`` is a GPU where there is one, else the processor.

    Raises:
        UserError: It names neither a processor nor a GPU, or this machine has no such GPU.
    """
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError):
        device = None
    if device is None or device.type not in ("cpu", "cuda"):
        raise UserError(f"device {name!r}: expected cpu, cuda, cuda:1 (the second GPU) or auto")
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device.type == "cuda" and (device.index or 0) >= gpus:
        raise UserError(f"device {name}: PyTorch finds {gpus} GPUs here; give cpu or auto")
    return name
