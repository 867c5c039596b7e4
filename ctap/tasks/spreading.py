"""The spread that a trained decoder's mels lack, measured on recordings of its training (ctap.nn.spread)."""

from __future__ import annotations

import torch
from lightning.fabric.utilities import move_data_to_device

from ctap.data.dataset import DataConfig, dev_loader
from ctap.nn.spread import SpreadMeter
from ctap.tasks.build import Training

BATCHES = 100  # minutes of speech are enough


@torch.no_grad()
def measure_spread(training: Training, data: DataConfig, device: torch.device) -> None:
    """Set the factors by which a decoder spreads out what it says, from what it says of its training set.

    Utterances are whole and in their own voices; the networks compute in float32.

    Args:
        training: A pretraining or fine-tuning that has ended, with the weights to use.
        data: Its data; prompts are taken as it says.
        device: Where to compute.
    """
    task = training.task.eval().to(device)
    ctap = task.ctap
    ctap.decoder.spread.fill_(1.0)
    meter = SpreadMeter(len(ctap.decoder.spread))
    for batch in dev_loader(training.train, data, prompt_frames=training.prompt_frames, most=BATCHES):
        batch = move_data_to_device(batch, device)
        target = ctap.normalize(batch.mel)
        for mel in task.said(batch):
            meter.add(target, mel, batch.mask)
    ctap.decoder.spread.copy_(meter.factors())
    task.cpu()
