"""Training of the judge: the recogniser that error rates of synthesised and converted speech come from.

A recogniser trained on CTAP's own S would be biased towards CTAP's speech. The judge reads log-mel, is
trained on recordings, and is the same for every system.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch.nn.functional as F
from torch import Tensor

from ctap.audio.settings import AudioSettings
from ctap.data.batch import Batch
from ctap.data.voice import OtherVoices, VoiceConfig
from ctap.nn.judge import Judge
from ctap.nn.length_regulator import frame_phones
from ctap.nn.transformer import StackConfig
from ctap.tasks.base import Task, frame_accuracy
from ctap.tasks.config import TrainingConfig


@dataclass
class JudgeConfig(TrainingConfig):
    """``conf/judge.yaml``.

    Args:
        model: The stack between convolutions and phones.
        voice: How the voice of the judge's input is changed in training, so that it recognises people whom
            it was not trained on.
    """

    model: StackConfig = field(default_factory=lambda: StackConfig(positions="rotary"))
    voice: VoiceConfig = field(default_factory=VoiceConfig)


class JudgeTask(Task):
    """Trains all of the judge with a cross-entropy a frame."""

    def __init__(self, judge: Judge, config: JudgeConfig, audio: AudioSettings) -> None:
        super().__init__(config.optim, config.trainer)
        self.judge, self.voices = judge, OtherVoices(config.voice, audio)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Loss and frame accuracy of one batch."""
        mask = batch.mask
        target = frame_phones(batch.tokens, batch.durations, batch.mel.shape[1])[mask]
        logits = self.judge(self.voices(batch.mel), mask)[mask].float()
        accuracy = frame_accuracy(logits, target)
        return {"loss": F.cross_entropy(logits, target), "frame_accuracy": accuracy}
