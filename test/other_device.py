"""A device that stands in for a GPU: computes as the processor does, and refuses what a GPU refuses.

Its tensors don't meet those of the processor, apart from scalars, copies and indices into them, and become
arrays only after ``.cpu()``. Kernels, speed and half precision of a real GPU are not tried by it.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.utils.backend_registration as registration
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_leaves, tree_map

aten = torch.ops.aten
BITS = {aten._conj.default: aten.conj_physical.default, aten._neg_view.default: aten.neg.default}
COPIES = (aten._to_copy.default, aten.copy_.default)
INDEXED = (aten.index.Tensor, aten.index_put.default, aten.index_put_.default, aten._index_put_impl_.default)


if not hasattr(registration, "_setup_privateuseone_for_python_backend"):
    pytest.skip("needs a later torch: devices in Python", allow_module_level=True)


class _Backend(registration._DummyBackendModule):
    def is_available(self) -> bool:
        return False  # no accelerator for whatever else this process tests

    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16, torch.float16]


class _Hook(registration._DummyPrivateUse1Hook):
    def is_available(self) -> bool:
        return False


registration._setup_privateuseone_for_python_backend("other", _Backend(), _Hook())
DEVICE = torch.device("other:0")


class Elsewhere(Tensor):
    """A tensor of the device; the processor holds its numbers."""

    here: Tensor

    @staticmethod
    def __new__(cls, here: Tensor) -> Elsewhere:
        self = torch.Tensor._make_wrapper_subclass(
            cls,
            here.size(),
            strides=here.stride(),
            storage_offset=here.storage_offset(),
            dtype=here.dtype,
            device=DEVICE,
        )
        self.here = here
        return self

    def __repr__(self) -> str:
        return f"Elsewhere({self.here})"

    def tolist(self) -> Any:
        """As of a GPU's tensor, which torch does not offer for subclasses."""
        return self.here.tolist()

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})


@torch.library.impl("aten::empty_strided", DEVICE.type)
def _empty(size: Any, stride: Any, *, dtype: torch.dtype | None = None, **_: Any) -> Tensor:
    """For tensors made of lists, which are moved to their device out of Python's sight."""
    return Elsewhere(torch.empty_strided(size, stride, dtype=dtype))


@torch.library.impl("aten::_copy_from", DEVICE.type)
def _copy_from(source: Tensor, target: Elsewhere, non_blocking: bool = False) -> Tensor:
    target.here.copy_(source)
    return target


class _NoGrad:
    def __enter__(self) -> None:
        self.before = torch.is_grad_enabled()
        torch.set_grad_enabled(False)

    def __exit__(self, *_: Any) -> None:
        torch.set_grad_enabled(self.before)


class OtherDevice(TorchDispatchMode):
    """Within it, tensors can be made on ``DEVICE``."""

    def __enter__(self) -> OtherDevice:
        self._stands_in = pytest.MonkeyPatch()
        self._stands_in.setattr(nn.GRU, "forward", _gru)  # torch's asks for a kernel that processors lack
        for name in ("__enter__", "__exit__"):  # subclasses know no inference mode
            self._stands_in.setattr(torch.inference_mode, name, getattr(_NoGrad, name))
        return super().__enter__()

    def __exit__(self, *raised: Any) -> None:
        self._stands_in.undo()
        super().__exit__(*raised)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})


def _run(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    func = BITS.get(func, func)  # bits of a tensor that kernels called from here would not see
    tensors = [x for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)]
    elsewhere = any(isinstance(x, Elsewhere) for x in tensors)
    strangers = [tuple(x.shape) for x in tensors if not isinstance(x, Elsewhere) and x.dim()]
    into = func in INDEXED and isinstance(args[0], Elsewhere)
    if elsewhere and strangers and func not in COPIES and not into:
        raise RuntimeError(f"{func}: tensors of shape {strangers} are on cpu, others are not")
    asked = kwargs.get("device")
    result_elsewhere = elsewhere if asked is None else torch.device(asked).type == DEVICE.type
    here_args, here = tree_map(lambda x: x.here if isinstance(x, Elsewhere) else x, (args, kwargs))
    if asked is not None:
        here["device"] = torch.device("cpu")
    found = func(*here_args, **here)
    if func is aten.copy_.default:
        return args[0]
    if result_elsewhere:
        found = tree_map(lambda x: Elsewhere(x) if isinstance(x, Tensor) else x, found)
    return return_and_correct_aliasing(func, args, kwargs, found) if elsewhere and asked is None else found


def _gru(self: nn.GRU, x: Tensor) -> tuple[Tensor, Tensor]:
    """One layer, batch first: [B, T, D] -> [B, T, H], [1, B, H]."""
    state, found = x.new_zeros(len(x), self.hidden_size), []
    for frame in x.unbind(dim=1):
        inner = nn.functional.linear(frame, self.weight_ih_l0, self.bias_ih_l0).chunk(3, dim=-1)
        outer = nn.functional.linear(state, self.weight_hh_l0, self.bias_hh_l0).chunk(3, dim=-1)
        reset, keep = ((a + b).sigmoid() for a, b in zip(inner[:2], outer[:2], strict=True))
        state = keep * state + (1 - keep) * (inner[2] + reset * outer[2]).tanh()
        found.append(state)
    return torch.stack(found, dim=1), state[None]
