"""What every training shares: seeding by step, frozen parts, clipping, what is logged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import lightning
import torch
from torch import Tensor, nn

from ctap.data.batch import Batch
from ctap.errors import UserError
from ctap.tasks.optimiser import OptimConfig, make_optimizer
from ctap.tasks.settings import TrainerConfig


class Task(lightning.LightningModule):
    """A training of some parts of a model.

    Args:
        optim: Optimiser and schedule.
        settings: Steps, seed, precision, clipping. The seed, with the batch and the process, seeds whatever
            is random in a step, so that a resumed run takes the very steps that an undisturbed one takes.
    """

    #: Name of the validation figure that picks the best checkpoints, and whether more is better.
    monitor: tuple[str, Literal["min", "max"]] = ("val/loss", "min")

    def __init__(self, optim: OptimConfig, settings: TrainerConfig) -> None:
        super().__init__()
        self.optim = optim
        self.settings = settings
        self.frozen: list[nn.Module] = []

    def keep_frozen(self, *modules: nn.Module) -> None:
        """Keep ``modules`` as they are: no gradient, and evaluation mode even while training."""
        for module in modules:
            module.requires_grad_(False)
            module.eval()
        self.frozen.extend(modules)

    def train(self, mode: bool = True) -> Task:
        super().train(mode)
        for module in self.frozen:
            module.eval()
        return self

    def on_fit_start(self) -> None:
        self.train()

    def on_train_start(self) -> None:
        # a checkpoint has the rate of its next step as it was before max_steps may have changed
        for schedule in (x.scheduler for x in self.trainer.lr_scheduler_configs):
            for group, highest in zip(schedule.optimizer.param_groups, schedule.base_lrs, strict=True):
                group["lr"] = highest * self.optim.factor(schedule.last_epoch, self.settings.max_steps)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with a new epoch: Lightning saves at the end of one, or of a step, and counts it later.

        Where the old one was shorter than the next (more steps are asked for), it would go on within it.
        """
        loop = checkpoint["loops"]["fit_loop"]
        for count in ("total", "current"):
            loop["epoch_progress"][count]["completed"] = loop["epoch_progress"][count]["processed"]
        batches = loop["epoch_loop.batch_progress"]
        batches["total"]["completed"] = batches["total"]["processed"]
        batches["current"], batches["is_last_batch"] = dict.fromkeys(batches["current"], 0), False

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        several = self.settings.accumulate
        number = self.global_step * several + batch_idx % several  # of the batch, in the whole training
        torch.manual_seed((self.settings.seed * 1_000_003 + number) * 4099 + self.global_rank)

    def on_train_epoch_end(self) -> None:
        # In 16-mixed the scaler skips steps that overflow: the last one tells whether they all do.
        name = "train/loss_step" if self.settings.computes_in == "16-mixed" else "train/loss_epoch"
        self.refuse_lost(self.trainer.callback_metrics.get(name, 0.0))

    def refuse_lost(self, loss: Tensor | float = 0.0) -> None:
        """Before a checkpoint is written: end all processes if one has lost its way.

        Raises:
            UserError: ``loss`` or a weight is not finite in one of the processes.
        """
        finite = bool(torch.as_tensor(loss).isfinite()) and all(
            bool(p.isfinite().all()) for p in self.parameters()
        )
        if self.trainer.strategy.reduce_boolean_decision(not finite, all=False):
            raise UserError(
                f"step {self.global_step}: the loss is not finite; the last checkpoint is of before. "
                "Lower optim.lr or trainer.gradient_clip, or take --trainer.precision 32-true"
            )

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """The figures of one batch; "loss" is what is minimised."""
        raise NotImplementedError

    def weight(self, batch: Batch) -> int:
        """How much a batch counts in averages: its frames."""
        return int(batch.lengths.sum())

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        losses = self.losses(batch)
        self.report("train", {k: v.detach() for k, v in losses.items()}, self.weight(batch))
        return losses["loss"]

    def validation_step(self, batch: Batch, batch_idx: int) -> dict[str, Any] | None:
        """Log losses; a task may give what :class:`ctap.report.training.Pictures` draws."""
        self.report("val", self.losses(batch), self.weight(batch))
        return None

    def repeat_noise(self, batch_idx: int) -> None:
        """Seed what is random in a batch of validation: the same noise at every one."""
        torch.manual_seed(self.settings.seed + batch_idx)

    def configure_optimizers(self) -> dict[str, Any]:
        optimizer = make_optimizer(self, self.optim, self.settings.computes_in)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: self.optim.factor(step, self.settings.max_steps)
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def configure_gradient_clipping(self, optimizer: torch.optim.Optimizer, *_: Any, **__: Any) -> None:
        """Clip to ``trainer.gradient_clip``, and log the norm before as ``train/grad_norm``.

        Gradients are unscaled when Lightning calls this. It is done here because Lightning's own clipping
        refuses fused optimisers under mixed precision.
        """
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        norm = torch.nn.utils.clip_grad_norm_(parameters, self.settings.gradient_clip or float("inf"))
        if self.settings.computes_in != "16-mixed" or torch.isfinite(norm):  # else the scaler skips the step
            self.log("train/grad_norm", norm, on_step=True, on_epoch=True, batch_size=1)

    def report(
        self, stage: Literal["train", "val"], figures: Mapping[str, Tensor | float], weight: int
    ) -> None:
        """Log ``figures`` as ``stage/name``; validation weighs them by ``weight`` (frames, phones)."""
        self.log_dict(
            {f"{stage}/{k}": v for k, v in figures.items()},
            on_step=stage == "train",
            on_epoch=True,
            batch_size=weight,
            sync_dist=stage == "val",
            prog_bar=False,
        )


def frame_accuracy(logits: Tensor, phones: Tensor) -> Tensor:
    """Share of frames whose phone [N] has the highest of its ``logits`` [N, phones], a scalar."""
    return (logits.argmax(dim=-1) == phones).float().mean()
