"""Frame-level contrastive loss (paper, Eq. 5-6): cross-entropy over C = tau S P^T, and its alternatives.

With N frames in a batch, C has N x N entries: 0.27 GB at N = 8,192 in float32, and the usual implementation
holds it several times. The tiled form never does. The loss of Eq. 6 lacks a minus in print: this is the
cross-entropy it stands for.

The paper counts a frame's own pair as positive and all others as negative, those of the same phone too. The
objectives besides ``paper`` treat these false negatives otherwise.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.nn.functional import all_gather

from ctap.errors import UserError
from ctap.loss.contrastive_plain import plain_contrastive, plain_sigmoid
from ctap.loss.contrastive_tiled import full_precision, tiled_contrastive, tiled_sigmoid
from ctap.loss.targets import (
    instance_matrix,
    instance_means,
    phone_matrix,
    phone_means,
    target_matrix,
)
from ctap.own import OwnModule
from ctap.ranges import POSITIVE, Range, check_ranges

TRITON_SHARED_MEMORY = 163 * 1024  # bytes the kernel's blocks take at d = 256: an A100's, an H100 has more

Objective = Literal["paper", "soft_instance", "soft_phone", "exclude_phone", "sigmoid"]


@dataclass
class ContrastiveConfig:
    """Choices of the contrastive loss.

    Args:
        kind: tiled (exact, memory linear in the frames), plain (holds all of C), or triton (tiled, one kernel
            of the GPU; float32, d up to 256; sigmoid keeps the tiles of PyTorch).
        gather: Take negatives from all processes' batches instead of this process's own.
        objective: What is asked of C. paper: own frame against all others. soft_instance: neighbouring frames
            of the same phone instance share in the target. soft_phone: all frames of the same phone do.
            exclude_phone: other frames of the same phone are left out. sigmoid: each pair by itself (SigLIP).
        share: Part of the target that is spread evenly (soft_instance, soft_phone).
        radius: Neighbours up to so many frames away share in the target (soft_instance).
        bias: Start of the learned bias (sigmoid), SigLIP's.
    """

    kind: Literal["tiled", "plain", "triton"] = "tiled"
    gather: bool = False
    objective: Objective = "paper"
    share: float = 0.5
    radius: int = 2
    bias: float = -10.0

    def __post_init__(self) -> None:
        check_ranges(self, share=Range(0, 1), radius=POSITIVE)


def make_contrastive(config: ContrastiveConfig | OwnModule) -> nn.Module:
    """The loss of a configuration; one of the user's is called as :meth:`ContrastiveLoss.forward` is.

    Raises:
        UserError: An own module can't be made.
    """
    return config.build("loss.contrastive") if isinstance(config, OwnModule) else ContrastiveLoss(config)


class ContrastiveLoss(nn.Module):
    """The contrastive objective over the real frames of a batch."""

    def __init__(self, config: ContrastiveConfig) -> None:
        super().__init__()
        self.config = config
        if config.objective == "sigmoid":
            self.bias = nn.Parameter(torch.tensor(config.bias))

    def forward(
        self,
        s: Tensor,
        p: Tensor,
        mask: Tensor,
        scale: Tensor,
        phones: Tensor,
        instances: Tensor,
    ) -> Tensor:
        """Loss of S and P.

        Args:
            s: [B, T, d] speech embeddings.
            p: [B, T, d] phoneme embeddings.
            mask: [B, T] bool, True on real frames.
            scale: Scalar tau.
            phones: [B, T] int64, phone of each frame, for the objectives with "phone" in their name.
            instances: [B, T] int64, which phone of the batch each frame belongs to, so that a repeated phone
                has two; for soft_instance.

        Returns:
            The scalar loss, in float32 or wider.
        """
        s, p = full_precision(s[mask], p[mask])
        phones, instances = phones[mask], instances[mask]
        # validation shares batches out unevenly: a process must not wait there for one that has none
        if self.config.gather and self.training and dist.is_available() and dist.is_initialized():
            s, p = gather_rows(s), gather_rows(p)
            phones = gather_rows(phones[:, None])[:, 0]
            apart = instances + (dist.get_rank() << 32)  # each process counts from 0
            instances = gather_rows(apart[:, None])[:, 0]
        compute = self._plain if self.config.kind == "plain" else self._tiled
        with torch.autocast(s.device.type, enabled=False):  # the loss is float32 whatever the embeddings are
            return compute(s, p, scale, phones, instances)

    def _tiled(self, s: Tensor, p: Tensor, scale: Tensor, phones: Tensor, instances: Tensor) -> Tensor:
        config = self.config
        if config.objective == "sigmoid":
            return tiled_sigmoid(s, p, scale, self.bias)
        cross_entropy = triton_cross_entropy(s) if config.kind == "triton" else tiled_contrastive
        if config.objective == "exclude_phone":
            return cross_entropy(s, p, scale, phones=phones)
        if config.objective == "paper":
            return cross_entropy(s, p, scale)
        if config.objective == "soft_instance":
            means = instance_means(p, instances, config.radius)
        else:
            means = phone_means(p, phones)
        return cross_entropy(s, p, scale, target=torch.lerp(p, means, config.share))

    def _plain(self, s: Tensor, p: Tensor, scale: Tensor, phones: Tensor, instances: Tensor) -> Tensor:
        config = self.config
        if config.objective == "sigmoid":
            return plain_sigmoid(s, p, scale, self.bias)
        if config.objective == "paper":
            return plain_contrastive(s, p, scale)
        if config.objective == "exclude_phone":
            others = phone_matrix(phones).fill_diagonal_(False)
            return plain_contrastive(s, p, scale, left_out=others)
        if config.objective == "soft_instance":
            like = instance_matrix(instances, config.radius)
        else:
            like = phone_matrix(phones)
        return plain_contrastive(s, p, scale, target_matrix(like, config.share).to(s.dtype))


def triton_cross_entropy(like: Tensor) -> Callable[..., Tensor]:
    """The Triton kernel, for tensors such as ``like``.

    Raises:
        UserError: It can't take them, or triton is not installed.
    """
    wrong = ""
    if not like.is_cuda:
        wrong = f"it runs on a GPU, the batch is on the {like.device.type}"
    elif like.dtype != torch.float32 or like.shape[1] > 256:
        wrong = f"it takes float32 of up to 256 dimensions, not {like.dtype} of {like.shape[1]}"
    elif not importlib.util.find_spec("triton"):
        wrong = "triton is not installed"
    elif _shared_memory(like) < TRITON_SHARED_MEMORY:
        wrong = "this GPU has less shared memory than an A100"
    if wrong:
        raise UserError(f"loss.contrastive.kind triton: {wrong}; take tiled, which gives the same")
    from ctap.loss.contrastive_triton import triton_contrastive

    return triton_contrastive


def _shared_memory(like: Tensor) -> int:
    return getattr(torch.cuda.get_device_properties(like.device), "shared_memory_per_block_optin", 0)


def gather_rows(x: Tensor) -> Tensor:
    """Join ``x`` [N_r, d] of all processes, N_r of any size, with gradients back to every process."""
    sizes = [torch.zeros(1, dtype=torch.long, device=x.device) for _ in range(dist.get_world_size())]
    dist.all_gather(sizes, torch.tensor([len(x)], device=x.device))
    most = int(max(sizes))
    padded = nn.functional.pad(x, (0, 0, 0, most - len(x)))
    parts = all_gather(padded)
    return torch.cat([part[: int(size)] for part, size in zip(parts, sizes, strict=True)])
