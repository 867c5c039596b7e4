"""A trained judge: its model directory, and its one verb, ``load_recognizer(DIR).recognize(wave)``.

The directory is laid out as any other (:mod:`ctap.models.model_dir`), with one part, ``judge.pt``. There is
no CTAP in it, so nothing else can be asked of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from ctap.audio.long import long_log_mel
from ctap.audio.settings import AudioSettings
from ctap.audio.wave import check_wave, samples_of
from ctap.config import from_dict, save_yaml, to_dict
from ctap.device import choose_device
from ctap.files.atomic import atomic_dir
from ctap.files.sums import write_sums
from ctap.metrics.errors import collapse
from ctap.models.inference import Model, load
from ctap.models.model_dir import FORMAT, load_weights, read_description, save_weights
from ctap.models.prompt import Wave
from ctap.models.recognition import SWITCH_PENALTY, Recognition, sticky_path
from ctap.models.windows import windowed
from ctap.nn.judge import Judge
from ctap.nn.transformer import StackConfig
from ctap.text.tokens import TokenTable


@dataclass
class JudgeParts:
    """What a judge's model directory holds.

    Attributes:
        tokens: Token table.
        audio: Mel settings.
        judge: The network.
        longest: Frames of the longest utterance that it was trained on, after cropping.
    """

    tokens: TokenTable
    audio: AudioSettings
    judge: Judge
    longest: int

    def modules(self) -> dict[str, nn.Module]:
        """The one part by its name."""
        return {"judge": self.judge}

    def save(self, path: str | Path) -> None:
        """Write a model directory, whole or not at all."""
        parts, trained = {"judge": to_dict(self.judge.config)}, {"judge": self.longest}
        with atomic_dir(path) as folder:
            save_yaml({"format": FORMAT, "parts": parts, "trained": trained}, folder / "model.yaml")
            self.tokens.save(folder / "tokens.txt")
            self.audio.save(folder / "audio.json")
            save_weights(self.modules(), folder)
            write_sums(folder)

    @classmethod
    def load(cls, path: str | Path) -> JudgeParts:
        """Read a model directory.

        Raises:
            UserError: Its weights do not fit its configuration, or it is of another version.
        """
        path = Path(path)
        described = read_description(path)
        tokens, audio = TokenTable.load(path / "tokens.txt"), AudioSettings.load(path / "audio.json")
        config = from_dict(StackConfig, described["parts"]["judge"], f"{path}/model.yaml")
        judge = Judge(len(tokens), audio.n_mels, config)
        load_weights(judge, path / "judge.pt")
        return cls(tokens, audio, judge.eval(), described["trained"]["judge"])


class JudgeModel:
    """A judge, ready to use.

    Args:
        parts: What the directory holds.
        device: Torch device.
    """

    def __init__(self, parts: JudgeParts, device: str = "cpu") -> None:
        self.parts = parts
        self.device = torch.device(device)
        parts.judge.to(self.device).eval()

    def check_source(self, source: str | Path) -> None:
        """Refuse a recording that can't be read, by its header and by whether all of it is there."""
        check_wave(source)

    @torch.inference_mode()
    def recognize(self, wave: Wave, switch_penalty: float = SWITCH_PENALTY) -> Recognition:
        """Phones of every frame, and phones, of a file or of an array [N] at the rate of ``parts.audio``."""
        parts = self.parts
        samples = torch.from_numpy(samples_of(wave, parts.audio.sample_rate))
        mel = long_log_mel(samples, parts.audio).to(self.device)
        scores = windowed(lambda x: parts.judge(x).float().log_softmax(dim=-1), mel, parts.longest).cpu()
        frame_phones = parts.tokens.decode(sticky_path(scores, switch_penalty).tolist())
        return Recognition(frame_phones, collapse(frame_phones), None)


def load_recognizer(path: str | Path, device: str = "auto") -> Model | JudgeModel:
    """What recognises phones: a model with the part asr, or a judge.

    Raises:
        UserError: ``path`` is not a model directory, is broken, or has no part asr.
    """
    if "judge" in read_description(Path(path))["parts"]:
        return JudgeModel(JudgeParts.load(path), choose_device(device))
    model = load(path, device)
    model.parts.require("asr")
    return model
