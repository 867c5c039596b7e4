"""Model directories: what a training leaves behind, and all that inference needs.

A model directory holds ``model.yaml`` (format, the configuration of every part, the lengths trained on),
``tokens.txt``, ``text.json`` (how text is read), ``audio.json`` (mel settings), ``units.model``
(sentencepiece, with the asr part) and ``<part>.pt`` (weights), with the digests of all in ``SHA256SUMS``.
Parts are ``ctap`` (always), ``duration`` and ``asr``. A training starts from one and writes one with its part
added or replaced.
"""

from __future__ import annotations

import math
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ctap.audio.settings import AudioSettings
from ctap.config import from_dict, load_yaml, save_yaml, to_dict
from ctap.data.dataset import PromptSource
from ctap.errors import UserError
from ctap.files.atomic import atomic_dir
from ctap.files.sums import check_sums, write_sums
from ctap.models.windows import TrainedLengths
from ctap.nn.ctap import CTAP, CTAPConfig
from ctap.nn.duration import DurationConfig, DurationModel
from ctap.nn.phoneme_decoder import PhonemeDecoder
from ctap.nn.transformer import StackConfig
from ctap.stages import STAGE_OF
from ctap.text.rules import TextRules
from ctap.text.tokens import TokenTable
from ctap.text.units import Units

FORMAT = 1


@dataclass
class Parts:
    """The parts of a model.

    Attributes:
        tokens: Token table.
        audio: Mel settings.
        ctap: Encoders, prompt encoder, decoder.
        duration: Duration models, if trained.
        asr: Phoneme decoder, if trained.
        units: Sentencepiece model that the CTC head spells with.
        path: Where the parts were loaded from.
        asr_config: Sizes of ``asr``.
        text: How the texts that the parts were trained on are read.
        trained: How long the utterances were that the parts were trained on.
        prompt: Where the prompts were clipped from that the decoder was trained with (``data.prompt``).
    """

    tokens: TokenTable
    audio: AudioSettings
    ctap: CTAP
    duration: DurationModel | None = None
    asr: PhonemeDecoder | None = None
    units: Units | None = None
    path: Path | None = None
    asr_config: StackConfig = field(default_factory=StackConfig)
    text: TextRules = field(default_factory=TextRules)
    trained: TrainedLengths = field(default_factory=TrainedLengths)
    prompt: PromptSource = "utterance"

    def modules(self) -> dict[str, nn.Module]:
        """The parts that are there, by name."""
        named = {
            "ctap": self.ctap,
            "duration": self.duration,
            "asr": self.asr,
        }
        return {k: m for k, m in named.items() if m is not None}

    def require(self, name: str) -> Any:
        """The part called ``name``.

        Raises:
            UserError: It is not there; the message names the stage that makes it.
        """
        part = getattr(self, name)
        if part is None:
            raise UserError(
                f"{self.path or 'this model'}: no part '{name}'; the recipe's stage {STAGE_OF[name]} makes it"
            )
        return part

    def save(self, path: str | Path) -> None:
        """Write a model directory, whole or not at all."""
        configs: dict[str, Any] = {"ctap": to_dict(self.ctap.config)}
        if self.duration is not None:
            configs["duration"] = to_dict(self.duration.config)
        if self.asr is not None:
            configs["asr"] = to_dict(self.asr_config)
        with atomic_dir(path) as folder:
            described = {"format": FORMAT, "parts": configs, "trained": to_dict(self.trained)}
            described["prompt"] = self.prompt
            if self.ctap.decoder.spreads:
                described["spread"] = [round(x, 4) for x in self.ctap.decoder.spread.tolist()]
            save_yaml(described, folder / "model.yaml")
            self.tokens.save(folder / "tokens.txt")
            self.audio.save(folder / "audio.json")
            self.text.save(folder)
            if self.units is not None:
                shutil.copyfile(self.units.path, folder / "units.model")
            save_weights(self.modules(), folder)
            write_sums(folder)

    @classmethod
    def load(cls, path: str | Path) -> Parts:
        """Read a model directory.

        Raises:
            UserError: It is not a model directory, or its weights do not fit its configuration.
        """
        path = Path(path)
        described = read_description(path)
        configs, where = described["parts"], f"{path}/model.yaml"
        if "ctap" not in configs:
            raise UserError(f"{path}: no part 'ctap' but {', '.join(configs)}; give a model of stages 3 to 6")
        tokens, audio = TokenTable.load(path / "tokens.txt"), AudioSettings.load(path / "audio.json")
        ctap = CTAP(from_dict(CTAPConfig, configs["ctap"], where), len(tokens), audio.n_mels)
        trained = from_dict(TrainedLengths, described.get("trained", {}), where)
        parts = cls(tokens, audio, ctap, path=path, text=TextRules.load(path), trained=trained)
        parts.prompt = described.get("prompt", parts.prompt)
        if "duration" in configs:
            config = from_dict(DurationConfig, configs["duration"], where)
            parts.duration = DurationModel(ctap.config.embed_dim, ctap.config.prompt_encoder.dim, config)
        if "asr" in configs:
            if (path / "units.model").exists():
                parts.units = Units(path / "units.model")
            parts.asr_config = from_dict(StackConfig, configs["asr"], where)
            n_units = len(parts.units) if parts.units else 0
            parts.asr = PhonemeDecoder(ctap.config.embed_dim, len(tokens), n_units, parts.asr_config)
        for name, module in parts.modules().items():
            load_weights(module, path / f"{name}.pt")
            module.eval()
        if "spread" in described:
            ctap.decoder.spread.copy_(read_spread(described["spread"], audio.n_mels, where))
        return parts

    def require_same_data(self, tokens: TokenTable, audio: AudioSettings, where: str) -> None:
        """Refuse data that this model was not made for.

        Raises:
            UserError: Token table or mel settings differ; the message names the difference.
        """
        self.tokens.require_same(tokens, where)
        self.audio.require_same(audio, where)


def read_spread(values: Any, n_mels: int, where: str) -> Tensor:
    """The factors ``[n_mels]`` under the key spread of file ``where``: :mod:`ctap.nn.spread`.

    Raises:
        UserError: They are no positive numbers, or not one for each mel bin.
    """
    numbers = values if isinstance(values, list) else []
    if len(numbers) != n_mels or not all(isinstance(x, (int, float)) and 0 < x < math.inf for x in numbers):
        raise UserError(f"{where}: spread: expected {n_mels} positive numbers, found {values}")
    return torch.tensor(numbers)


def read_description(path: Path) -> dict[str, Any]:
    """``model.yaml`` of a model directory, all of whose files are compared with their digests first.

    Raises:
        UserError: ``path`` is not a model directory, or is damaged or of another version.
    """
    if not (path / "model.yaml").exists():
        raise UserError(f"{path}: no model directory (model.yaml is missing); a training writes OUT/model")
    check_sums(path)
    described = load_yaml(path / "model.yaml")
    if described.get("format") != FORMAT:
        raise UserError(f"{path}/model.yaml: format {described.get('format')}, this version reads {FORMAT}")
    if not isinstance(described.get("parts"), dict):
        raise UserError(f"{path}/model.yaml: expected a mapping of its parts under the key parts")
    return described


def save_weights(modules: dict[str, nn.Module], folder: Path) -> None:
    """Write ``<name>.pt`` for each module."""
    for name, module in modules.items():
        with (folder / f"{name}.pt").open("wb") as file:  # by name, torch hides why it can't write
            torch.save(module.state_dict(), file)


def load_weights(module: nn.Module, path: Path) -> None:
    """Load ``path`` into ``module``.

    Raises:
        UserError: The file is unreadable, or tensors are missing, left over or of another size.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a broken file
        raise UserError(f"{path}: can't read the weights: {error}") from error
    check_state(module, state, path)
    module.load_state_dict(state)


def check_state(module: nn.Module, state: dict[str, Tensor], path: Path) -> None:
    """Refuse weights ``state`` of file ``path`` that do not fit ``module``.

    Raises:
        UserError: Tensors are missing, left over or of another size; the message names them.
    """
    own = module.state_dict()
    wrong = [f"{k}: not in the file" for k in own if k not in state]
    wrong += [f"{k}: not in the model" for k in state if k not in own]
    wrong += [
        f"{k}: {list(state[k].shape)} in the file, {list(own[k].shape)} in the model"
        for k in own
        if k in state and state[k].shape != own[k].shape
    ]
    if wrong:
        listed = "; ".join(wrong[:10] + (["..."] if len(wrong) > 10 else []))
        raise UserError(f"{path}: does not fit its configuration: {listed}")
